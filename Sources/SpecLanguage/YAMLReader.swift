import Yams

/// Reads YAML into a `SpecNode`, with every duplicate key reported and every alias bomb defused.
package struct YAMLReader {
    /// More than any spec needs, and little enough to be read at once.
    static let largestText = 1 << 20
    static let mostNodes = 50_000
    static let deepest = 64
    /// Mistakes of one kind that are listed.
    static let mostListed = 50
    /// Keys that are given twice are found one by one, each by another pass over the text.
    static func mostDuplicates(in text: String) -> Int { min(200, max(3, 600_000 / max(1, text.utf8.count))) }

    private let file: String
    private var lines: [String]
    private var errors: [SpecError] = []
    private var renamed: [String: String] = [:]
    private var nodes = 0

    /// The tree, where there is one, and all mistakes found on the way.
    package static func read(_ text: String, file: String) -> (node: SpecNode?, errors: [SpecError]) {
        var reader = YAMLReader(text, file: file)
        let node = reader.root(text)
        return (node, reader.errors)
    }

    private init(_ text: String, file: String) {
        self.file = file
        // Some editors begin a file with a byte order mark.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    }

    private func mark(_ line: Int, _ column: Int) -> Mark {
        let index = max(0, line - 1)
        let text = index < lines.count ? restored(lines[index]) : ""
        return Mark(file: file, line: max(1, line), column: max(1, column), text: text)
    }

    private func mark(_ mark: Yams.Mark?) -> Mark {
        mark.map { self.mark($0.line, $0.column) } ?? self.mark(1, 1)
    }

    private mutating func root(_ text: String) -> SpecNode? {
        guard text.utf8.count <= Self.largestText else {
            errors.append(
                SpecError("too-large", at: mark(1, 1), "the file has more than \(Self.largestText >> 20) MiB"))
            return nil
        }
        for (number, line) in lines.enumerated() {
            guard let (place, scalar) = LookAlikes.misplacedBlank(in: line) else { continue }
            errors.append(
                SpecError(
                    "invisible", at: mark(number + 1, place + 1), "a \(scalar.inWords) stands where YAML wants a space",
                    hint: "replace it by a plain space"))
            if errors.count == Self.mostListed { break }
        }
        guard errors.isEmpty else { return nil }
        if let line = AliasKeys.firstLine(of: lines) {
            errors.append(
                SpecError(
                    "alias", at: mark(line + 1, 1), "an alias cannot be a key", hint: "write the key out"))
            return nil
        }
        guard let parsed = parse() else { return nil }
        guard let node = parsed else {
            return SpecNode(.map([]), at: mark(1, 1))
        }
        return convert(node, depth: 0)
    }

    // MARK: Parsing

    /// Parses until no duplicate key remains. The parser stops at the first; so that the rest of the file is
    /// checked too, that key is renamed in place, letter for letter, which keeps every mark true.
    private mutating func parse() -> Node?? {
        let most = Self.mostDuplicates(in: lines.joined(separator: "\n"))
        var places: [Mark] = []
        for _ in 0...most {
            do {
                let parser = try Parser(
                    yaml: lines.joined(separator: "\n"), resolver: .basic, encoding: .utf8)
                return .some(try parser.singleRoot())
            } catch let YamlError.duplicatedKeysInMapping(_, context) {
                places.append(mark(context.mark))
                guard rename(at: context.mark) else {
                    errors.append(SpecError("duplicate-key", at: mark(context.mark), "a key is given twice"))
                    return nil
                }
            } catch let error as YamlError {
                errors.append(syntaxError(error))
                return nil
            } catch {
                errors.append(SpecError("syntax", at: mark(1, 1), "not valid YAML: \(error)"))
                return nil
            }
        }
        errors += places.map { SpecError("duplicate-key", at: $0, "a key is given twice") }
        errors.append(
            SpecError(
                "duplicate-key", at: mark(1, 1), "more than \(most) keys are given twice", hint: "the first are listed")
        )
        return nil
    }

    private mutating func rename(at mark: Yams.Mark) -> Bool {
        guard mark.line >= 1, mark.line <= lines.count else { return false }
        var scalars = Array(lines[mark.line - 1].unicodeScalars)
        var start = mark.column - 1
        guard start >= 0, start < scalars.count else { return false }
        let end: Int
        if scalars[start] == "'" || scalars[start] == "\"" {
            let quote = scalars[start]
            start += 1
            guard let close = scalars[start...].firstIndex(of: quote) else { return false }
            end = close
        } else {
            var next = start
            while next < scalars.count {
                let ends =
                    scalars[next] == ":"
                    && (next + 1 == scalars.count || " \t".unicodeScalars.contains(scalars[next + 1]))
                if ends { break }
                next += 1
            }
            while next > start, scalars[next - 1] == " " { next -= 1 }
            end = next
        }
        guard start < end, !scalars[start..<end].contains(where: { "\\&*!{}[],#".unicodeScalars.contains($0) }),
            let first = Unicode.Scalar(0xE000 + UInt32(renamed.count)), let rest = Unicode.Scalar(0xF8FF as UInt32)
        else { return false }
        let name = String(String.UnicodeScalarView(scalars[start..<end]))
        let substitute = [first] + [Unicode.Scalar](repeating: rest, count: end - start - 1)
        renamed[String(String.UnicodeScalarView(substitute))] = name
        scalars.replaceSubrange(start..<end, with: substitute)
        lines[mark.line - 1] = String(String.UnicodeScalarView(scalars))
        return true
    }

    private func restored(_ line: String) -> String {
        renamed.isEmpty
            ? line
            : renamed.reduce(line) { line, pair in
                line.split(separator: pair.key, omittingEmptySubsequences: false).joined(separator: pair.value)
            }
    }

    private func syntaxError(_ error: YamlError) -> SpecError {
        switch error {
        case .scanner(_, let problem, let place, _), .parser(_, let problem, let place, _),
            .composer(_, let problem, let place, _):
            let at = mark(place)
            return SpecError("syntax", at: at, "not valid YAML: \(problem)", hint: advice(problem, at))
        case .reader(let problem, let offset, _, let yaml):
            let before = yaml.prefix(offset ?? 0)
            let line = before.count(where: \.isNewline) + 1
            let column = before.reversed().prefix { !$0.isNewline }.reduce(0) { $0 + $1.unicodeScalars.count } + 1
            return SpecError("syntax", at: mark(line, column), "not valid YAML: \(problem)")
        default:
            return SpecError("syntax", at: mark(1, 1), "not valid YAML: \(error)")
        }
    }

    private func advice(_ problem: String, _ place: Mark) -> String? {
        let line = place.text
        if line.contains("\t") { return "indent with spaces, not tabs" }
        if line.contains("${") { return "quote a text with '${': \"${env:NAME}/…\"" }
        if problem.contains("mapping values are not allowed") {
            return indentAdvice(place.line) ?? "quote a text that contains ': '"
        }
        if problem.contains("could not find expected ':'") { return "is a ':' missing after the key?" }
        if problem.contains("expected ',' or '}'") { return "close the '{', or put ',' between entries" }
        if problem.contains("expected ',' or ']'") { return "close the '[', or put ',' between elements" }
        if problem.contains("expected key") || problem.contains("block mapping") {
            return "is this line indented like the one before it?"
        }
        if problem.contains("another document") { return "a file holds one spec: remove the '---'" }
        return nil
    }

    /// What is wrong where a line is set in more than the setting before it, which has a value of its own.
    private func indentAdvice(_ number: Int) -> String? {
        func indent(_ line: String) -> Int { line.prefix { $0 == " " }.count }
        guard number >= 2, number <= lines.count else { return nil }
        let before = lines[..<(number - 1)].last { line in
            let content = line.drop { $0 == " " }
            return !content.isEmpty && content.first != "#"
        }
        guard let before, indent(lines[number - 1]) > indent(before) else { return nil }
        return
            "this line begins with \(indent(lines[number - 1])) spaces, the setting before it with \(indent(before)): "
            + "settings of one section begin with the same number"
    }

    /// Of the core schema, and those of a value without a tag.
    private static let coreTags = Set(
        ["str", "int", "float", "bool", "null", "seq", "map"].map { "tag:yaml.org,2002:" + $0 } + ["", "!", "?"])

    /// Tags of the core schema say no more than the language does; any other would be dropped.
    private mutating func checkTag(_ node: Node) -> Bool {
        let tag = node.tag.description
        guard !Self.coreTags.contains(tag) else { return true }
        let shown = tag.hasPrefix("tag:yaml.org,2002:") ? "!!" + tag.dropFirst("tag:yaml.org,2002:".count) : tag
        let hint = shown.lowercased().contains("env") ? "write \"${env:NAME}\"" : "quote a text that begins with '!'"
        errors.append(SpecError("tag", at: mark(node.mark), "unknown tag '\(shown)'", hint: hint))
        return false
    }

    // MARK: Conversion

    private mutating func convert(_ node: Node, depth: Int) -> SpecNode? {
        nodes += 1
        guard nodes <= Self.mostNodes else {
            if nodes == Self.mostNodes + 1 {
                errors.append(
                    SpecError(
                        "too-large", at: mark(node.mark), "the spec has more than \(Self.mostNodes) values",
                        hint: "aliases that repeat each other multiply; write 'extends' instead"))
            }
            return nil
        }
        guard depth <= Self.deepest else {
            errors.append(
                SpecError("too-deep", at: mark(node.mark), "values are nested more than \(Self.deepest) deep"))
            return nil
        }
        let at = mark(node.mark)
        guard checkTag(node) else { return nil }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            return SpecNode(.scalar(scalar.string, isQuoted: !isPlain), at: at)
        case .sequence(let sequence):
            var elements: [SpecNode] = []
            for element in sequence {
                guard let converted = convert(element, depth: depth + 1) else { return nil }
                elements.append(converted)
            }
            return SpecNode(.list(elements), at: at)
        case .mapping(let mapping):
            return convert(mapping, at: at, depth: depth)
        case .alias:
            errors.append(SpecError("alias", at: at, "the alias has no anchor"))
            return nil
        }
    }

    private mutating func convert(_ mapping: Node.Mapping, at: Mark, depth: Int) -> SpecNode? {
        var entries: [SpecNode.Entry] = []
        var places: [String: Int] = [:]
        for (keyNode, valueNode) in mapping {
            guard case .scalar(let scalar) = keyNode else {
                errors.append(SpecError("key", at: mark(keyNode.mark), "a key must be a name"))
                continue
            }
            let key = renamed[scalar.string] ?? scalar.string
            let keyMark = mark(keyNode.mark)
            if key == "<<" {
                errors.append(
                    SpecError(
                        "merge-key", at: keyMark, "merge keys are not part of the language",
                        hint: "write 'extends' instead"))
                continue
            }
            guard let value = convert(valueNode, depth: depth + 1) else {
                if nodes > Self.mostNodes { return nil }
                continue
            }
            if let earlier = places[key] {
                errors.append(
                    SpecError(
                        "duplicate-key", at: keyMark, "duplicate key '\(key)'", hint: "first given in line \(earlier)"))
            } else {
                places[key] = keyMark.line
                entries.append(.init(key, at: keyMark, value))
            }
        }
        return SpecNode(.map(entries), at: at)
    }
}
