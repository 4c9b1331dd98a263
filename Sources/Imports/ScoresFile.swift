import Corpora
import Foundation
public import Runs
public import SpeechMetrics

/// A table of scores that another program computed: a row for each file, a column for each metric.
public struct ScoresFile: Sendable {
    struct Column: Sendable {
        var metric: String
        var signature: String
        /// By row; NaN where the table has no number.
        var values: [Double]
    }

    /// The file, as given.
    public let path: String
    let names: [String]
    let columns: [Column]
    let content: String
    /// Columns that were not taken.
    public let ignored: [String]

    /// How a table's columns are to be understood.
    public struct Mapping: Sendable {
        /// The column of files' names; `filename`, `file` or `name` where nil.
        public var file: String?
        /// Metrics by column; columns called like metrics where empty.
        public var metrics: [String: String]
        /// Signatures by metric, for scores that are known to be what this program would compute.
        public var signatures: [String: String]

        public init(file: String? = nil, metrics: [String: String] = [:], signatures: [String: String] = [:]) {
            (self.file, self.metrics, self.signatures) = (file, metrics, signatures)
        }
    }

    /// - Throws: `CorpusError` for a file that is no table, `ImportFailure` for a table without files or metrics.
    public init(_ path: String, as mapping: Mapping, catalog: MetricCatalog) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ImportFailure(
                path, [.init("missing", "there is no such file, or it cannot be read", fix: "check the path")])
        }
        let rows = try CSV.table(of: data, path: path)
        guard let heading = rows.first?.fields, rows.count > 1 else {
            throw ImportFailure(
                path,
                [.init("empty", "the table has no rows", fix: "give a table with a heading and a row for each file")])
        }
        let fileNames = mapping.file.map { [$0] } ?? ["filename", "file", "name"]
        guard let fileColumn = heading.firstIndex(where: { fileNames.contains($0) }) else {
            throw ImportFailure(
                path,
                [
                    .init(
                        "columns", "no column is called \(fileNames.joined(separator: ", "))",
                        fix: "name the column of the files: --file-column \(heading[0])")
                ])
        }
        for column in mapping.metrics.keys where !heading.contains(column) {
            throw ImportFailure(
                path,
                [
                    .init(
                        "columns", "no column is called '\(column)'",
                        fix: "the columns are: " + heading.joined(separator: ", "))
                ])
        }
        names = rows.dropFirst().map { $0.fields.count > fileColumn ? $0.fields[fileColumn] : "" }
        var (columns, ignored): ([Column], [String]) = ([], [])
        for (place, title) in heading.enumerated() where place != fileColumn {
            let own = catalog[title.lowercased()]?.name
            guard let metric = mapping.metrics.isEmpty ? own : mapping.metrics[title] else {
                ignored.append(title)
                continue
            }
            let values = try rows.dropFirst().map { row in
                try Self.number(row.fields.count > place ? row.fields[place] : "", title, line: row.line, path)
            }
            let signature =
                try mapping.signatures[metric]
                ?? Self.signature(of: metric, heading, rows.dropFirst().map(\.fields), path)
            columns.append(Column(metric: metric, signature: signature ?? "\(metric)|imported", values: values))
        }
        guard !columns.isEmpty else {
            throw ImportFailure(
                path,
                [
                    .init(
                        "columns", "no column is called like a metric: " + heading.joined(separator: ", "),
                        fix: "say which column is which metric: --map COLUMN=pesq")
                ])
        }
        (self.path, self.columns, self.ignored) = (path, columns, ignored.filter { !$0.contains("/") })
        content = ContentHash(ofBytes: data).description
    }

    /// A number, `inf`, or NaN for an empty field, `None` and the like.
    private static func number(_ text: String, _ column: String, line: Int, _ path: String) throws -> Double {
        let text = text.trimmingCharacters(in: .whitespaces)
        if ["", "nan", "NaN", "None", "NA"].contains(text) { return .nan }
        guard let value = Double(text) else {
            throw CorpusError(path, .badTable(line: line, "'\(text)' in column '\(column)' is no number"))
        }
        return value
    }

    /// The signature that this program wrote beside its scores; nil where another program made the table.
    private static func signature(of metric: String, _ heading: [String], _ rows: [[String]], _ path: String) throws
        -> String?
    {
        guard let place = heading.firstIndex(of: "\(metric)/signature") else { return nil }
        let all = Set(rows.map { $0.count > place ? $0[place] : "" })
        guard all.count == 1, let only = all.first, !only.isEmpty else {
            throw ImportFailure(
                path,
                [
                    .init(
                        "signature", "\(metric) was computed in several ways: " + all.sorted().joined(separator: ", "),
                        fix: "import each way by itself")
                ])
        }
        return only
    }

    /// Records the scores as the evaluation of `system` on a set.
    ///
    /// - Returns: nil where the same table was imported before.
    public func record(
        as system: ExternalSystem, on set: TestSet, files: [TestFile], catalog: MetricCatalog, in store: RunStore,
        provenance: Provenance
    ) throws -> Evaluation? {
        let rows = try rows(for: files, of: set)
        let record = ExternalRecord(
            kind: .scores, path: URL(fileURLWithPath: path).standardizedFileURL.path, files: files.count,
            content: content,
            nfe: system.nfe, seconds: system.seconds)
        let (evaluation, isNew) = try system.begin(record, on: set, in: store, provenance: provenance)
        guard isNew else { return nil }
        let reason = "no value in \((path as NSString).lastPathComponent)"
        for column in columns {
            let known = catalog[column.metric]
            let metric = try store.register(
                metric: column.metric, signature: column.signature, unit: known?.unit ?? "",
                higherIsBetter: known.map { $0.direction == .higherIsBetter } ?? !["wer", "cer", "lsd"].contains(
                    column.metric))
            let scores = zip(files, rows).compactMap { file, row -> Score? in
                let value = column.values[row]
                return file.id.map {
                    Score(file: $0, metric: metric.id, outcome: value.isNaN ? .failed(reason) : .value(value))
                }
            }
            try store.record(scores: scores, of: evaluation.id)
        }
        try store.end(evaluation.id, as: .finished)
        return evaluation
    }

    /// The row of each file.
    ///
    /// - Throws: `ImportFailure` where a file has none, or several.
    private func rows(for files: [TestFile], of set: TestSet) throws -> [Int] {
        var places: [String: [Int]] = [:]
        let matching = FileMatching(enhanced: names, clean: files.map(\.path))
        let cleanOf = Dictionary(matching.matches.map { ($0.enhanced, $0.clean) }) { first, _ in first }
        for (row, name) in names.enumerated() { cleanOf[name].map { places[$0, default: []].append(row) } }
        let missing = files.map(\.path).filter { places[$0] == nil }
        let twice = places.filter { $0.value.count > 1 }.keys.sorted()
        var problems: [ImportFailure.Problem] = []
        if !missing.isEmpty {
            problems.append(
                .init(
                    "missing", "\(missing.count) of \(files.count) files of '\(set.name)' have no row",
                    fix: "score them too: a mean over a part of a set is another number",
                    files: missing))
        }
        if !twice.isEmpty {
            problems.append(
                .init("pairing", "files with several rows", fix: "keep one row for each file", files: twice))
        }
        guard problems.isEmpty else { throw ImportFailure(path, problems) }
        return files.compactMap { places[$0.path]?.first }
    }
}
