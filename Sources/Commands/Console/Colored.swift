extension String {
    /// The text with the severity of each line that states one in a colour: errors red, warnings yellow, notes blue.
    var colored: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { Self.colored($0) }.joined(separator: "\n")
    }

    /// A line such as `spec.yaml:3:1: error: ...`, `warning[rate] train: ...`, `note: ...` or `✗ train: ...`.
    private static func colored(_ line: Substring) -> String {
        guard let match = line.prefixMatch(of: /(.*?:\d+:\d+: |\w+: )??([Ee]rror|warning|note)\b(\[[^\]]*\])?|✗/) else {
            return String(line)
        }
        let word = match.2?.lowercased() ?? "error"
        let color =
            switch word {
            case "error": 31
            case "warning": 33
            default: 34
            }
        let before = match.1 ?? ""
        let marked = line[line.index(line.startIndex, offsetBy: before.count)..<match.range.upperBound]
        return "\(before)\u{1B}[\(color)m\(marked)\u{1B}[0m\(line[match.range.upperBound...])"
    }
}
