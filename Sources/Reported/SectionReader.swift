package import SpecLanguage

/// Reads the keys of a section one by one, and collects every mistake with its place.
package struct SectionReader {
    private let node: SpecNode
    private let noun: String
    private var taken: Set<String> = []
    package private(set) var errors: [SpecError]

    /// - Parameter noun: What the section is, in a message.
    package init(_ node: SpecNode, _ noun: String, errors: [SpecError]) {
        (self.node, self.noun, self.errors) = (node, noun, errors)
        if node.entries == nil {
            self.errors.append(SpecError("type", at: node.mark, "\(noun) is a section, and this is \(node.noun)"))
        }
    }

    package mutating func fail(_ code: String, at key: String, _ summary: String, hint: String? = nil) {
        errors.append(SpecError(code, at: node[key]?.mark ?? node.mark, summary, hint: hint))
    }

    /// Adds the error that the section lacks a key.
    package mutating func missing(_ key: String) -> String? {
        errors.append(SpecError("missing-value", at: node.mark, "\(noun) lacks '\(key)'"))
        return nil
    }

    // MARK: Values

    private mutating func take(_ key: String) -> SpecNode? {
        taken.insert(key)
        return node[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// Whether the key is given as `none`.
    package mutating func isNone(_ key: String) -> Bool {
        taken.insert(key)
        return node[key]?.isNull ?? false
    }

    package mutating func optionalText(_ key: String, mayBeEmpty: Bool = false) -> String? {
        guard let value = take(key) else { return nil }
        guard let text = value.text, mayBeEmpty || !text.isEmpty else {
            fail("type", at: key, "'\(key)' is a text, and this is \(value.noun)")
            return nil
        }
        return text
    }

    package mutating func text(_ key: String) -> String? {
        let count = errors.count
        let text = optionalText(key)
        return text ?? (errors.count == count ? missing(key) : nil)
    }

    package mutating func optionalInteger(_ key: String, above least: Int) -> Int? {
        guard let text = optionalText(key) else { return nil }
        guard let number = Int(text), number > least else {
            fail("type", at: key, "'\(key)' is a whole number above \(least), and this is '\(text)'")
            return nil
        }
        return number
    }

    package mutating func optionalNumber(_ key: String) -> Double? {
        guard let text = optionalText(key) else { return nil }
        guard let number = ReportedValue(text), number.std == nil else {
            fail("type", at: key, "'\(key)' is a number, and this is '\(text)'")
            return nil
        }
        return number.value
    }

    package mutating func optionalList(_ key: String) -> [SpecNode]? {
        guard let value = take(key) else { return nil }
        if value.elements == nil { fail("type", at: key, "'\(key)' is a list, and this is \(value.noun)") }
        return value.elements
    }

    package mutating func list(_ key: String) -> [SpecNode] {
        if let list = optionalList(key) { return list }
        if node[key] == nil { _ = missing(key) }
        return []
    }

    package mutating func texts(_ key: String) -> [String] {
        (optionalList(key) ?? []).compactMap { element in
            if let text = element.text { return text }
            errors.append(SpecError("type", at: element.mark, "'\(key)' lists texts, and this is \(element.noun)"))
            return nil
        }
    }

    /// Reported values by metric; none where the section has no such key.
    mutating func optionalValues(_ key: String) -> [String: ReportedValue] {
        guard let value = take(key) else { return [:] }
        guard let entries = value.entries else {
            fail("type", at: key, "'\(key)' is a section of metrics, and this is \(value.noun)")
            return [:]
        }
        return entries.reduce(into: [:]) { values, entry in
            guard let text = entry.value.text, let number = ReportedValue(text) else {
                errors.append(
                    SpecError(
                        "type", at: entry.value.mark, "\(entry.value.noun) is no figure",
                        hint: "write 2.93, or 1.97 ± 0.75 with its spread"))
                return
            }
            values[entry.key] = number
        }
    }

    mutating func values(_ key: String) -> [String: ReportedValue] {
        if node[key] == nil { _ = missing(key) }
        return optionalValues(key)
    }

    /// The section at a key, where there is one.
    package mutating func optionalNode(_ key: String) -> SpecNode? { take(key) }

    /// The texts of a section by their keys; none where the section has no such key.
    package mutating func table(_ key: String) -> [String: String] { take(key).map { entries(of: $0, key) } ?? [:] }

    /// Tables by their names.
    package mutating func tables(_ key: String) -> [String: [String: String]] {
        guard let value = take(key) else { return [:] }
        guard let sections = value.entries else {
            fail("type", at: key, "'\(key)' is a section of sections, and this is \(value.noun)")
            return [:]
        }
        return Dictionary(sections.map { ($0.key, entries(of: $0.value, $0.key)) }) { $1 }
    }

    private mutating func entries(of value: SpecNode, _ key: String) -> [String: String] {
        guard let entries = value.entries else {
            errors.append(
                SpecError("type", at: value.mark, "'\(key)' is a section of texts, and this is \(value.noun)"))
            return [:]
        }
        return entries.reduce(into: [:]) { table, entry in
            guard let text = entry.value.text else {
                errors.append(
                    SpecError("type", at: entry.value.mark, "'\(entry.key)' is a text, and this is \(entry.value.noun)")
                )
                return
            }
            table[entry.key] = text
        }
    }

    /// Adds an error for every key that was not read.
    package mutating func finish() {
        for entry in node.entries ?? [] where !taken.contains(entry.key) {
            errors.append(
                SpecError.unknown("key", entry.key, known: taken.sorted(), at: entry.mark, code: "unknown-key"))
        }
    }
}
