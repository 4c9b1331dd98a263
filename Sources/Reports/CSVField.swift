import Foundation

extension String {
    /// This text as a field of comma-separated values: between quotes where it holds what would end it (RFC 4180).
    ///
    /// A text that a spreadsheet would take for a formula has an apostrophe before it; numbers stay numbers.
    var csvField: String {
        let text = isFormula ? "'" + self : self
        // By scalar: the pair CR LF is one character, equal to neither.
        guard text.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return text }
        return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }

    private var isFormula: Bool {
        guard let first = unicodeScalars.first, "=+-@\t\r".unicodeScalars.contains(first) else { return false }
        return wholeMatch(of: /[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-inf/) == nil
    }
}
