/// A value in a YAML document, with the place where it begins.
public final class YAMLNode: Sendable {
    /// The four kinds of node; an alias is kept as one, so that a reader can bound the size of the tree.
    public enum Content: Sendable {
        /// A text without quotes and escapes; its type is not decided here.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In their order, keys that are given twice among them.
        case mapping([(key: YAMLNode, value: YAMLNode)])
        /// `*name`: the node with the anchor `&name`, which is shared and not copied.
        case alias(YAMLNode)
    }

    /// What kind of node it is, with its value.
    public let content: Content
    /// `tag:yaml.org,2002:str` for `!!str`; nil where none is written.
    public let tag: String?
    public let place: YAMLPlace

    init(_ content: Content, tag: String? = nil, at place: YAMLPlace) {
        (self.content, self.tag, self.place) = (content, tag, place)
    }
}

/// A place in a text: line and column from 1, the column in Unicode scalars.
public struct YAMLPlace: Hashable, Sendable {
    /// From 1.
    public var line: Int
    /// From 1, in Unicode scalars.
    public var column: Int

    public init(line: Int, column: Int) {
        (self.line, self.column) = (line, column)
    }
}

/// What makes a text no YAML, in libyaml's words, and where.
public struct YAMLFailure: Error, Hashable {
    /// libyaml's message, such as `did not find expected key`.
    public var problem: String
    public var place: YAMLPlace
}
