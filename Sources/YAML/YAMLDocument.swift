/// A text that holds one YAML document.
///
/// libyaml gives the events, from which this builds the tree. It keeps keys that are given twice, so that the caller
/// can report each with its place, and shares the nodes of aliases, so that a small text cannot become a large tree.
public struct YAMLDocument {
    /// The deepest nesting, as in libyaml's loader.
    static let deepest = 1000

    private let events: YAMLEvents
    private var anchors: [String: YAMLNode] = [:]

    /// The root of the document; nil where the text holds nothing but remarks.
    ///
    /// - Throws: `YAMLFailure` for what is no YAML, an alias without an anchor, and a second document.
    public static func root(of text: String) throws(YAMLFailure) -> YAMLNode? {
        var document = YAMLDocument(events: YAMLEvents(text))
        return try document.root()
    }

    private init(events: YAMLEvents) { self.events = events }

    private mutating func root() throws(YAMLFailure) -> YAMLNode? {
        guard case .document = try events.next().kind else { return nil }
        let root = try node(try events.next(), depth: 0)
        _ = try events.next()  // the document's end
        let rest = try events.next()
        guard case .endOfText = rest.kind else {
            throw YAMLFailure(problem: "but found another document", place: rest.place)
        }
        return root
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLFailure) -> YAMLNode {
        guard depth < Self.deepest else {
            throw YAMLFailure(problem: "values are nested more than \(Self.deepest) deep", place: event.place)
        }
        if case .alias = event.kind {
            guard let target = anchors[event.anchor ?? ""] else {
                throw YAMLFailure(problem: "found undefined alias", place: event.place)
            }
            return YAMLNode(.alias(target), at: event.place)
        }
        let node = YAMLNode(try content(event, depth: depth), tag: event.tag, at: event.place)
        // Known once it is complete, so that no node is part of itself.
        if let name = event.anchor { anchors[name] = node }
        return node
    }

    private mutating func content(_ event: YAMLEvent, depth: Int) throws(YAMLFailure) -> YAMLNode.Content {
        switch event.kind {
        case .sequence:
            var elements: [YAMLNode] = []
            while let next = try within() { elements.append(try node(next, depth: depth + 1)) }
            return .sequence(elements)
        case .mapping:
            var entries: [(key: YAMLNode, value: YAMLNode)] = []
            while let next = try within() {
                let key = try node(next, depth: depth + 1)
                entries.append((key, try node(try events.next(), depth: depth + 1)))
            }
            return .mapping(entries)
        case .scalar(let text, let isPlain): return .scalar(text, isPlain: isPlain)
        case .document, .alias, .end, .endOfText: return .scalar("", isPlain: true)
        }
    }

    /// The next event of a collection, nil at its end.
    private mutating func within() throws(YAMLFailure) -> YAMLEvent? {
        let event = try events.next()
        if case .end = event.kind { return nil }
        return event
    }
}
