/// Where a resolved value comes from.
public struct Origin: Hashable, Sendable {
    public enum Layer: Hashable, Sendable {
        case standard
        /// Computed from other settings, as the schema says.
        case derived
        case file
        case sweep
        case profile(String)
        case override
    }

    public var layer: Layer
    public var mark: Mark?
    /// The text as it was written, where variables were replaced in it.
    public var written: String?

    public static let standard = Origin(layer: .standard)
    public static let derived = Origin(layer: .derived)

    public init(layer: Layer, mark: Mark? = nil) {
        self.layer = layer
        self.mark = mark
    }

    package init(_ node: SpecNode) {
        self.init(layer: node.layer, mark: node.mark)
    }

    /// Whether a person wrote the value, in whatever place.
    public var isWritten: Bool { layer != .standard && layer != .derived }
}

extension Origin: CustomStringConvertible {
    public var description: String {
        let source = written.map { ", written \($0)" } ?? ""
        let place = mark.map { "\($0.file):\($0.line)" } ?? ""
        return switch layer {
        case .standard: "default"
        case .derived: "derived"
        case .file: place + source
        case .sweep: "sweep \(place)\(source)"
        case .profile(let name): "profile \(name) \(place)\(source)"
        case .override: mark.map { "--set \($0.text)" } ?? "--set"
        }
    }
}
