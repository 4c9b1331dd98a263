import YAML

/// Reads YAML into a `SpecNode`; reports every duplicate key and limits the expansion of aliases.
package struct YAMLReader {
    /// The largest file in bytes.
    static let largestText = 1 << 20
    static let mostNodes = 50_000
    static let deepest = 64
    /// Mistakes of one kind that are listed.
    static let mostListed = 50

    private let file: String
    private let lines: [String]
    private var errors: [SpecError] = []
    private var nodes = 0
    private var duplicates = 0

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
        let text = index < lines.count ? lines[index] : ""
        return Mark(file: file, line: max(1, line), column: max(1, column), text: text)
    }

    private func mark(_ place: YAMLPlace) -> Mark { mark(place.line, place.column) }

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
        do {
            // Line ends are normalised to those of YAML.
            guard let node = try YAMLDocument.root(of: lines.joined(separator: "\n")) else {
                return SpecNode(.map([]), at: mark(1, 1))
            }
            return convert(node, depth: 0)
        } catch {
            let at = mark(error.place)
            errors.append(
                SpecError("syntax", at: at, "not valid YAML: \(error.problem)", hint: advice(error.problem, at)))
            return nil
        }
    }

    // MARK: Failures

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

    /// The message for a line that is indented more than the setting before it, which has a value already.
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

    /// Tags of the core schema add nothing to the field's type; other tags would be ignored, so they are reported.
    private mutating func checkTag(_ node: YAMLNode) -> Bool {
        guard let tag = node.tag, !Self.coreTags.contains(tag) else { return true }
        let shown = tag.hasPrefix("tag:yaml.org,2002:") ? "!!" + tag.dropFirst("tag:yaml.org,2002:".count) : tag
        let hint = shown.lowercased().contains("env") ? "write \"${env:NAME}\"" : "quote a text that begins with '!'"
        errors.append(SpecError("tag", at: mark(node.place), "unknown tag '\(shown)'", hint: hint))
        return false
    }

    // MARK: Conversion

    private mutating func convert(_ node: YAMLNode, depth: Int) -> SpecNode? {
        if case .alias(let target) = node.content { return convert(target, depth: depth) }
        nodes += 1
        guard nodes <= Self.mostNodes else {
            if nodes == Self.mostNodes + 1 {
                errors.append(
                    SpecError(
                        "too-large", at: mark(node.place), "the spec has more than \(Self.mostNodes) values",
                        hint: "aliases that repeat each other multiply; write 'extends' instead"))
            }
            return nil
        }
        guard depth <= Self.deepest else {
            errors.append(
                SpecError("too-deep", at: mark(node.place), "values are nested more than \(Self.deepest) deep"))
            return nil
        }
        let at = mark(node.place)
        guard checkTag(node) else { return nil }
        switch node.content {
        case .scalar(let text, let isPlain):
            return SpecNode(.scalar(text, isQuoted: !isPlain), at: at)
        case .sequence(let sequence):
            var elements: [SpecNode] = []
            for element in sequence {
                guard let converted = convert(element, depth: depth + 1) else { return nil }
                elements.append(converted)
            }
            return SpecNode(.list(elements), at: at)
        case .mapping(let mapping):
            return convert(mapping, at: at, depth: depth)
        case .alias: return nil
        }
    }

    private mutating func convert(
        _ mapping: [(key: YAMLNode, value: YAMLNode)], at: Mark, depth: Int
    ) -> SpecNode? {
        var entries: [SpecNode.Entry] = []
        var places: [String: Int] = [:]
        for (keyNode, valueNode) in mapping {
            let keyMark = mark(keyNode.place)
            guard case .scalar(let key, _) = keyNode.content else {
                errors.append(wrongKey(keyNode, at: keyMark))
                continue
            }
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
                recordDuplicate(key, at: keyMark, firstIn: earlier)
            } else {
                places[key] = keyMark.line
                entries.append(.init(key, at: keyMark, value))
            }
        }
        return SpecNode(.map(entries), at: at)
    }
    private func wrongKey(_ node: YAMLNode, at mark: Mark) -> SpecError {
        if case .alias = node.content {
            return SpecError("alias", at: mark, "an alias cannot be a key", hint: "write the key out")
        }
        return SpecError("key", at: mark, "a key must be a name")
    }

    private mutating func recordDuplicate(_ key: String, at mark: Mark, firstIn line: Int) {
        duplicates += 1
        if duplicates <= Self.mostListed {
            errors.append(
                SpecError("duplicate-key", at: mark, "duplicate key '\(key)'", hint: "first given in line \(line)"))
        } else if duplicates == Self.mostListed + 1 {
            errors.append(
                SpecError(
                    "duplicate-key", at: mark, "more than \(Self.mostListed) keys are given twice",
                    hint: "the first are listed"))
        }
    }
}
