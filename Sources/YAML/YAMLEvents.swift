import CYAML

/// One step through a document.
struct YAMLEvent {
    enum Kind {
        case document
        case scalar(String, isPlain: Bool)
        case sequence
        case mapping
        case alias
        /// The end of a sequence, of a mapping, or of a document.
        case end
        case endOfText
    }

    var kind: Kind
    var tag: String?
    /// The name after `&`, or of an alias after `*`.
    var anchor: String?
    var place: YAMLPlace
}

/// The events of a text, by libyaml.
final class YAMLEvents {
    private let text: UnsafeMutableBufferPointer<UInt8>
    private let parser: UnsafeMutablePointer<yaml_parser_t>

    init(_ text: String) {
        unsafe self.text = .allocate(capacity: text.utf8.count)
        unsafe parser = .allocate(capacity: 1)
        _ = unsafe self.text.initialize(from: text.utf8)
        unsafe parser.initialize(to: yaml_parser_t())
        unsafe yaml_parser_initialize(parser)
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, self.text.baseAddress, self.text.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe text.deallocate()
    }

    func next() throws(YAMLFailure) -> YAMLEvent {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure }
        defer { unsafe yaml_event_delete(&event) }
        let place = YAMLPlace(unsafe event.start_mark)
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return try next()
        case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .document, place: place)
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE || scalar.style == YAML_ANY_SCALAR_STYLE
            return YAMLEvent(
                kind: .scalar(text, isPlain: isPlain), tag: unsafe Self.text(scalar.tag),
                anchor: unsafe Self.text(scalar.anchor), place: place)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return YAMLEvent(
                kind: .sequence, tag: unsafe Self.text(start.tag), anchor: unsafe Self.text(start.anchor), place: place)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return YAMLEvent(
                kind: .mapping, tag: unsafe Self.text(start.tag), anchor: unsafe Self.text(start.anchor), place: place)
        case YAML_ALIAS_EVENT:
            return YAMLEvent(kind: .alias, anchor: unsafe Self.text(event.data.alias.anchor), place: place)
        case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return YAMLEvent(kind: .endOfText, place: place)
        default: return YAMLEvent(kind: .end, place: place)
        }
    }

    /// The error of the parser, with its place.
    private var failure: YAMLFailure {
        let state = unsafe parser.pointee
        let problem = unsafe state.problem.map { unsafe String(cString: $0) } ?? "no memory is left to read it"
        guard unsafe state.error == YAML_READER_ERROR else {
            return YAMLFailure(problem: problem, place: YAMLPlace(unsafe state.problem_mark))
        }
        // A character that YAML does not allow: libyaml gives its place in bytes.
        let before = unsafe String(decoding: text.prefix(state.problem_offset), as: UTF8.self)
        let line = before.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        return YAMLFailure(
            problem: problem,
            place: YAMLPlace(line: line.count, column: (line.last?.unicodeScalars.count ?? 0) + 1))
    }

    private static func text(_ pointer: UnsafePointer<UInt8>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}

extension YAMLPlace {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}
