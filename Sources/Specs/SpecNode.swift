/// A YAML value with its place in the file, before a schema has given it a type.
///
/// Scalars stay text: `1e-4`, `no`, and `010` mean what the field they belong to says, so none of the traps
/// of YAML 1.1's guessing can occur.
public struct SpecNode: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case scalar(String, isQuoted: Bool)
        case list([SpecNode])
        case map([Entry])
    }

    public struct Entry: Hashable, Sendable {
        public var key: String
        public var mark: Mark
        public var value: SpecNode

        public init(_ key: String, at mark: Mark, _ value: SpecNode) {
            self.key = key
            self.mark = mark
            self.value = value
        }
    }

    public var content: Content
    public var mark: Mark
    /// What put the value here: a file, a sweep, a profile, or an override.
    public var layer: Origin.Layer

    public init(_ content: Content, at mark: Mark, layer: Origin.Layer = .file) {
        self.content = content
        self.mark = mark
        self.layer = layer
    }
}

extension SpecNode {
    var entries: [Entry]? {
        if case .map(let entries) = content { entries } else { nil }
    }

    var elements: [SpecNode]? {
        if case .list(let elements) = content { elements } else { nil }
    }

    var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// An empty value, `~`, `null`, or `none`, unless quoted.
    var isNull: Bool {
        guard case .scalar(let text, isQuoted: false) = content else { return false }
        return ["", "~", "null", "Null", "NULL", "none", "None"].contains(text)
    }

    /// What the value is, in words for a message.
    var noun: String {
        switch content {
        case .map: "a section"
        case .list: "a list"
        case .scalar(_, isQuoted: true): "a text"
        case .scalar(let text, _): text.isEmpty ? "nothing" : "'\(text)'"
        }
    }

    subscript(key: String) -> SpecNode? {
        entries?.first { $0.key == key }?.value
    }

    /// The same tree with every node said to come from `layer`.
    func relabelled(_ layer: Origin.Layer) -> SpecNode {
        var copy = self
        copy.layer = layer
        switch content {
        case .scalar: break
        case .list(let elements): copy.content = .list(elements.map { $0.relabelled(layer) })
        case .map(let entries):
            copy.content = .map(entries.map { Entry($0.key, at: $0.mark, $0.value.relabelled(layer)) })
        }
        return copy
    }
}

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

    public static let standard = Origin(layer: .standard)
    public static let derived = Origin(layer: .derived)

    public init(layer: Layer, mark: Mark? = nil) {
        self.layer = layer
        self.mark = mark
    }

    init(_ node: SpecNode) {
        self.init(layer: node.layer, mark: node.mark)
    }

    /// Whether a person wrote the value, in whatever place.
    public var isWritten: Bool { layer != .standard && layer != .derived }
}

extension Origin: CustomStringConvertible {
    public var description: String {
        let place = mark.map { "\($0.file):\($0.line)" } ?? ""
        return switch layer {
        case .standard: "default"
        case .derived: "derived"
        case .file: place
        case .sweep: "sweep \(place)"
        case .profile(let name): "profile \(name) \(place)"
        case .override: mark.map { "--set \($0.text)" } ?? "--set"
        }
    }
}
