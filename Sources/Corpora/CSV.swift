import Foundation

/// Tables of RFC 4180: fields between commas, quoted where they hold a comma, a quote, or a line break.
///
/// Variants that spreadsheets write are read, too: semicolons or tabs for commas, a first line `sep=;`, and lines that
/// end with CR alone.
package enum CSV {
    /// The byte between fields.
    enum Separator: UInt8, CaseIterable {
        case comma = 0x2C, semicolon = 0x3B, tab = 0x09

        var title: String { self == .comma ? "commas" : self == .semicolon ? "semicolons" : "tabs" }

        /// The one that occurs most often in the first line, outside of quotes.
        init(ofHeader line: some Sequence<UInt8>) {
            var (counts, quoted): ([UInt8: Int], Bool) = ([:], false)
            for byte in line {
                if byte == UInt8(ascii: "\"") { quoted.toggle() } else if !quoted { counts[byte, default: 0] += 1 }
            }
            func count(_ separator: Self) -> Int { counts[separator.rawValue] ?? 0 }
            self = Self.allCases.max { count($0) < count($1) } ?? .comma
            if count(self) == count(.comma) { self = .comma }
        }
    }

    /// The rows that are not empty, each with the number of its first line.
    static func rows(
        of text: String, path: String
    ) throws(CorpusError) -> (separator: Separator, rows: [(line: Int, fields: [String])]) {
        var bytes = Array(text.utf8)
        let newlines: Set<UInt8> = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        var separator = Separator(ofHeader: bytes.prefix { !newlines.contains($0) })
        var line = 1
        if bytes.starts(with: "sep=".utf8), bytes.count > 4, let stated = Separator(rawValue: bytes[4]) {
            separator = stated
            bytes = Array(bytes.drop { !newlines.contains($0) }.drop { newlines.contains($0) })
            line = 2
        }
        return (separator, try rows(of: bytes, separator.rawValue, from: line, path: path))
    }

    private static func rows(
        of bytes: [UInt8], _ separator: UInt8, from first: Int, path: String
    ) throws(CorpusError) -> [(line: Int, fields: [String])] {
        var rows: [(line: Int, fields: [String])] = []
        var fields: [String] = []
        var field: [UInt8] = []
        var line = first
        var start = first
        var quoted = false
        var wasQuoted = false
        func endField() {
            fields.append(String(decoding: field, as: UTF8.self))
            (field, wasQuoted) = ([], false)
        }
        func endRow() {
            endField()
            if fields.contains(where: { !$0.isEmpty }) { rows.append((start, fields)) }
            fields = []
            line += 1
            start = line
        }
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "\""):
                if !quoted, wasQuoted, bytes[index - 1] == byte { field.append(byte) }  // a doubled quote
                if !quoted, !wasQuoted, !field.isEmpty {
                    throw CorpusError(path, .badTable(line: line, "a quote inside a field that is not quoted"))
                }
                quoted.toggle()
                wasQuoted = true
            case _ where quoted:
                field.append(byte)
                if byte == UInt8(ascii: "\n") { line += 1 }
            case separator: endField()
            case UInt8(ascii: "\r"): if index + 1 < bytes.count, bytes[index + 1] != UInt8(ascii: "\n") { endRow() }
            case UInt8(ascii: "\n"): endRow()
            default: field.append(byte)
            }
        }
        guard !quoted else { throw CorpusError(path, .badTable(line: start, "a quote is not closed")) }
        if !field.isEmpty || !fields.isEmpty { endRow() }
        return rows
    }

    /// A field, between quotes where it holds what would end it (RFC 4180).
    package static func quoted(_ field: String) -> String {
        // By scalar: the pair CR LF is one character, equal to neither.
        guard field.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return field }
        return "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
