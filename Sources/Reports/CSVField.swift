import Foundation

extension String {
    /// This text as a field of comma-separated values: between quotes where it holds what would end it (RFC 4180).
    var csvField: String {
        // By scalar: the pair CR LF is one character, equal to neither.
        guard unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return self }
        return "\"" + replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
