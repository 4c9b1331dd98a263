import Foundation

/// What is known of the files of a set: `manifest.csv`, one row per pair.
///
/// The column `file` is required; `speaker`, `noise`, `snr_db`, `seed` have a meaning here, and every other column is
/// kept as text.
public struct Manifest: Hashable, Sendable {
    public static let fileName = "manifest.csv"

    public struct Entry: Hashable, Sendable {
        /// The name of the pair, below either folder.
        public var file: String
        public var speaker: String?
        /// The noise's family or class.
        public var noise: String?
        /// Ratio of mean squares of speech and noise, in dB.
        public var snr: Double?
        /// What the pair was drawn from.
        public var seed: UInt64?
        /// The other columns.
        public var other: [String: String]

        public init(
            file: String, speaker: String? = nil, noise: String? = nil, snr: Double? = nil, seed: UInt64? = nil,
            other: [String: String] = [:]
        ) {
            self.file = file
            self.speaker = speaker
            self.noise = noise
            self.snr = snr
            self.seed = seed
            self.other = other
        }
    }

    /// By file, the ending `.wav` left out.
    public var entries: [String: Entry]

    /// Reads a table, or gives `nil` if there is none.
    public init?(contentsOf path: String) throws(CorpusError) {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        try self.init(csv: String(decoding: data, as: UTF8.self), path: path)
    }

    public init(csv: String, path: String) throws(CorpusError) {
        let table = try CSV.rows(of: csv, path: path)
        guard let header = table.first?.fields else { throw CorpusError(path, .badTable(line: 1, "no header")) }
        guard let fileColumn = header.firstIndex(of: "file") else {
            throw CorpusError(path, .badTable(line: 1, "no column 'file' among \(header.joined(separator: ", "))"))
        }
        entries = [:]
        for (line, fields) in table.dropFirst() {
            guard fields.count == header.count else {
                throw CorpusError(
                    path, .badTable(line: line, "\(fields.count) fields, the header has \(header.count)"))
            }
            let file = fields[fileColumn]
            let columns = Dictionary(zip(header, fields)) { first, _ in first }.filter { $0.key != "file" }
            let entry = try Self.entry(file, columns, line: line, path: path)
            guard entries.updateValue(entry, forKey: Self.key(file)) == nil else {
                throw CorpusError(path, .badTable(line: line, "'\(file)' appears twice"))
            }
        }
    }

    private static func entry(
        _ file: String, _ columns: [String: String], line: Int, path: String
    ) throws(CorpusError) -> Entry {
        func number<T>(_ column: String, _ parse: (String) -> T?) throws(CorpusError) -> T? {
            guard let text = columns[column], !text.isEmpty else { return nil }
            if let value = parse(text) { return value }
            throw CorpusError(path, .badTable(line: line, "\(column) '\(text)' is not a number"))
        }
        let known: Set = ["speaker", "noise", "snr_db", "seed"]
        return Entry(
            file: file,
            speaker: columns["speaker"].flatMap { $0.isEmpty ? nil : $0 },
            noise: columns["noise"].flatMap { $0.isEmpty ? nil : $0 },
            snr: try number("snr_db") { Double($0) }, seed: try number("seed") { UInt64($0) },
            other: columns.filter { !known.contains($0.key) })
    }

    /// The row of a file, named with the ending `.wav` or without.
    public subscript(file: String) -> Entry? { entries[Self.key(file)] }

    /// Removes and gives the row of a file.
    mutating func take(_ file: String) -> Entry? { entries.removeValue(forKey: Self.key(file)) }

    private static func key(_ file: String) -> String {
        file.lowercased().hasSuffix(".wav") ? String(file.dropLast(4)) : file
    }

    /// The table of some entries, the other columns sorted by name.
    public static func csv(_ entries: [Entry]) -> String {
        let others = Set(entries.flatMap(\.other.keys)).sorted()
        let header = ["file", "speaker", "noise", "snr_db", "seed"] + others
        let rows = entries.map { entry in
            [
                entry.file, entry.speaker ?? "", entry.noise ?? "", entry.snr.map { "\($0)" } ?? "",
                entry.seed.map(String.init) ?? "",
            ] + others.map { entry.other[$0] ?? "" }
        }
        return ([header] + rows).map { $0.map(CSV.quoted).joined(separator: ",") + "\n" }.joined()
    }
}

/// Tables of RFC 4180: fields between commas, quoted where they hold a comma, a quote, or a line break.
package enum CSV {
    /// The rows that are not empty, each with the number of its first line.
    static func rows(of text: String, path: String) throws(CorpusError) -> [(line: Int, fields: [String])] {
        var rows: [(line: Int, fields: [String])] = []
        var fields: [String] = [], field: [UInt8] = []
        var line = 1, start = 1, quoted = false, wasQuoted = false
        func endField() {
            fields.append(String(decoding: field, as: UTF8.self))
            (field, wasQuoted) = ([], false)
        }
        func endRow() {
            endField()
            if fields != [""] { rows.append((start, fields)) }
            fields = []
        }
        let bytes = Array(text.utf8)
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
            case UInt8(ascii: ","): endField()
            case UInt8(ascii: "\r"): break
            case UInt8(ascii: "\n"):
                endRow()
                line += 1
                start = line
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
