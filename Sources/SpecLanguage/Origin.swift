/// Where a resolved value comes from.
public struct Origin: Hashable, Sendable {
    /// What gave the value: later cases override earlier ones.
    public enum Layer: Hashable, Sendable {
        case standard
        /// Computed from other settings, as the schema says.
        case derived
        case file
        case sweep
        case profile(String)
        case override
    }

    /// What gave the value.
    public var layer: Layer
    /// Where the value was written; `nil` for defaults and derived values.
    public var mark: Mark?
    /// The text as it was written, where variables were replaced in it.
    public var written: String?

    /// The field's default.
    public static let standard = Origin(layer: .standard)
    /// Computed from other settings.
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
