package import Foundation

/// The metadata of a set's files: `manifest.csv`, one row per pair.
///
/// The column `file` is required; `speaker`, `noise`, `snr_db`, `seed` have a meaning here, and every other column is
/// kept as text. The case of column names is ignored. Variants that spreadsheets write are read: UTF-8 or UTF-16, with
/// a byte-order mark or without, and commas, semicolons or tabs; where commas do not separate, they may stand in
/// decimal numbers.
public struct Manifest: Hashable, Sendable {
    /// The table's name in the folder of a set.
    public static let fileName = "manifest.csv"

    /// One row: the metadata of one pair.
    public struct Entry: Hashable, Sendable, Codable {
        /// The name of the pair, below either folder.
        public var file: String
        /// `nil` where the table has no such column, or the field is empty.
        public var speaker: String?
        /// The noise's family or class.
        public var noise: String?
        /// Ratio of mean squares of speech and noise, in dB.
        public var snr: Double?
        /// The seed of the pair's random draws.
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

    /// By file, the ending `.wav` or `.flac` left out.
    public var entries: [String: Entry]

    /// Reads a table, or gives `nil` if there is none.
    public init?(contentsOf path: String) throws(CorpusError) {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        try self.init(data, path: path)
    }

    /// Reads a table's bytes; the path names it in errors.
    package init(_ data: Data, path: String) throws(CorpusError) {
        try self.init(csv: TableText.decoded(data, path: path), path: path)
    }

    public init(csv: String, path: String) throws(CorpusError) {
        let (separator, table) = try CSV.rows(of: csv, path: path)
        guard let first = table.first else { throw CorpusError(path, .badTable(line: 1, "no header")) }
        let header = first.fields.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        guard let fileColumn = header.firstIndex(of: "file") else {
            throw CorpusError(
                path,
                .badTable(
                    line: first.line,
                    "no column 'file' among \(header.joined(separator: ", ")), read as separated by \(separator.title)")
            )
        }
        entries = [:]
        for (line, fields) in table.dropFirst() {
            guard fields.count == header.count else {
                throw CorpusError(
                    path,
                    .badTable(
                        line: line,
                        "\(fields.count) fields, the header has \(header.count), separated by \(separator.title)"))
            }
            let file = fields[fileColumn]
            let columns = Dictionary(zip(header, fields)) { first, _ in first }.filter { $0.key != "file" }
            let entry = try Self.entry(file, columns, decimalComma: separator != .comma, line: line, path: path)
            guard entries.updateValue(entry, forKey: Self.key(file)) == nil else {
                throw CorpusError(path, .badTable(line: line, "'\(file)' appears twice"))
            }
        }
    }

    private static func entry(
        _ file: String, _ columns: [String: String], decimalComma: Bool, line: Int, path: String
    ) throws(CorpusError) -> Entry {
        func number<T>(_ column: String, _ parse: (String) -> T?) throws(CorpusError) -> T? {
            guard let text = columns[column]?.trimmingCharacters(in: .whitespaces), !text.isEmpty else { return nil }
            if let value = parse(decimalComma ? text.replacingOccurrences(of: ",", with: ".") : text) { return value }
            throw CorpusError(path, .badTable(line: line, "\(column) '\(text)' is not a number"))
        }
        let known: Set = ["speaker", "noise", "snr_db", "seed"]
        return Entry(
            file: file,
            speaker: columns["speaker"].flatMap { $0.isEmpty ? nil : $0 },
            noise: columns["noise"].flatMap { $0.isEmpty ? nil : $0 },
            snr: try number("snr_db") { Double($0).flatMap { $0.isNaN ? nil : $0 } },
            seed: try number("seed") { UInt64($0) },
            other: columns.filter { !known.contains($0.key) })
    }

    /// The row of a file, named with the ending `.wav` or `.flac`, or without.
    public subscript(file: String) -> Entry? { entries[Self.key(file)] }

    /// Removes and gives the row of a file.
    mutating func take(_ file: String) -> Entry? { entries.removeValue(forKey: Self.key(file)) }

    private static func key(_ file: String) -> String {
        SoundFolder.isSound(file) ? (file as NSString).deletingPathExtension : file
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
