/// Values as YAML that every reader gives the same type: readers of YAML 1.1, such as PyYAML, and of YAML 1.2.
package enum YAMLText {
    /// A text, quoted where a reader could take it for something else.
    package static func scalar(_ text: String) -> String {
        isWord(text) && !hasOtherType(text) ? text : quoted(text)
    }

    /// A number; with a point before the exponent, without which YAML 1.1 has a text.
    package static func scalar(_ number: Double) -> String {
        let digits = number.description
        guard let exponent = digits.firstIndex(of: "e"), !digits.contains(".") else { return digits }
        return digits[..<exponent] + ".0" + digits[exponent...]
    }

    /// Letters, digits, and signs that mean nothing in YAML.
    static func isWord(_ text: String) -> Bool {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-./^+@ ()".unicodeScalars.contains($0)
            }
        let isSafeStart = text.first.map { $0.isLetter || $0.isNumber || $0 == "/" || $0 == "." || $0 == "_" } ?? false
        return isPlain && isSafeStart && text.last != " "
    }

    /// What YAML 1.1 reads as a truth value or as nothing, and what this language reads as nothing.
    private static let words: Set<String> = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "~", "=", "<<",
    ]

    /// Whether some reader takes the text for a truth value, a number (also octal, hexadecimal, or of base 60), a date,
    /// or nothing.
    private static func hasOtherType(_ text: String) -> Bool {
        let folded = text.lowercased()
        if words.contains(folded) || [".nan", ".inf", "..."].contains(folded) { return true }
        guard let first = folded.unicodeScalars.first, "0123456789.+-".unicodeScalars.contains(first) else {
            return false
        }
        // The test accepts more than numbers and dates: unnecessary quotes do no harm.
        return folded.unicodeScalars.allSatisfy { "0123456789abcdefxotz_.:+- ".unicodeScalars.contains($0) }
            && folded.unicodeScalars.contains { ("0"..."9").contains($0) }
    }

    /// The text between double quotes, with what is not printed as escapes.
    static func quoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.map(escaped).joined() + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\t": return "\\t"
        case "\r": return "\\r"
        default: break
        }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        func padded(_ count: Int) -> String { String(repeating: "0", count: max(0, count - digits.count)) + digits }
        guard scalar.isInvisible else { return String(scalar) }
        return scalar.value < 0x100 ? "\\x" + padded(2) : scalar.value < 0x10000 ? "\\u" + padded(4) : "\\U" + padded(8)
    }
}

extension SettingValue {
    /// The value as it is written inside a line of YAML.
    package var yaml: String {
        switch self {
        case .none: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): YAMLText.scalar(value)
        case .text(let value): YAMLText.scalar(value)
        case .list(let values): "[" + values.map(\.yaml).joined(separator: ", ") + "]"
        case .choice(let choice):
            choice.settings.isEmpty
                ? YAMLText.scalar(choice.name)
                : "{ name: \(YAMLText.scalar(choice.name)), \(choice.settings.yamlEntries) }"
        case .section(let settings): settings.isEmpty ? "{}" : "{ \(settings.yamlEntries) }"
        }
    }
}

extension Settings {
    fileprivate var yamlEntries: String {
        map { "\(YAMLText.scalar($0.name)): \($0.value.yaml)" }.joined(separator: ", ")
    }
}
