/// A YAML value with its place in the file, before a schema has given it a type.
///
/// Scalars stay text: the field decides how `1e-4`, `no`, and `010` are read, so the type guesses of YAML 1.1 cannot
/// occur.
public struct SpecNode: Hashable, Sendable {
    /// What a node holds, in YAML's three kinds.
    public enum Content: Hashable, Sendable {
        case scalar(String, isQuoted: Bool)
        case list([SpecNode])
        case map([Entry])
    }

    /// A key of a map, with its value.
    public struct Entry: Hashable, Sendable {
        /// The key as text.
        public var key: String
        /// The place of the key.
        public var mark: Mark
        /// The node behind the key.
        public var value: SpecNode

        public init(_ key: String, at mark: Mark, _ value: SpecNode) {
            self.key = key
            self.mark = mark
            self.value = value
        }
    }

    /// The node's own content.
    public var content: Content
    /// The place where the content begins.
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
    package var entries: [Entry]? {
        if case .map(let entries) = content { entries } else { nil }
    }

    package var elements: [SpecNode]? {
        if case .list(let elements) = content { elements } else { nil }
    }

    package var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// An empty value, `~`, `null`, or `none`, unless quoted.
    package var isNull: Bool {
        guard case .scalar(let text, isQuoted: false) = content else { return false }
        return ["", "~", "null", "Null", "NULL", "none", "None"].contains(text)
    }

    /// What the value is, in words for a message.
    package var noun: String {
        switch content {
        case .map: "a section"
        case .list: "a list"
        case .scalar(_, isQuoted: true): "a text"
        case .scalar(let text, _): text.isEmpty ? "nothing" : "'\(text)'"
        }
    }

    package subscript(key: String) -> SpecNode? {
        entries?.first { $0.key == key }?.value
    }

    /// The same tree with every node said to come from `layer`.
    package func relabelled(_ layer: Origin.Layer) -> SpecNode {
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

extension SpecNode {
    /// The node at a dotted path.
    package func node(at path: String) -> SpecNode? {
        path.split(separator: ".").reduce(self) { node, part in node?[String(part)] }
    }

    /// The places of all values and keys in the tree.
    package var allMarks: Set<Mark> {
        var marks: Set<Mark> = [mark]
        for element in elements ?? [] { marks.formUnion(element.allMarks) }
        for entry in entries ?? [] {
            marks.insert(entry.mark)
            marks.formUnion(entry.value.allMarks)
        }
        return marks
    }
}
