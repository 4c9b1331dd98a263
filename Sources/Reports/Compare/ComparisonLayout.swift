import Runs

/// The rows and columns of a comparison, and the scores of a snapshot in each cell.
///
/// A column is identified by the column factors, a row by all others: no two evaluations share a cell, unless they are
/// those of several seeds and that was asked for.
struct ComparisonLayout {
    private(set) var rows: [ComparisonReport.Row] = []
    private(set) var columns: [ComparisonReport.Column] = []
    private(set) var cells: [[ComparisonReport.Cell?]] = []

    /// The factors that distinguish columns, in the order of their headings, the metric last but for its signature.
    private let columnFactors: [String]

    init(_ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options) {
        let entries = ComparisonEntry.entries(of: snapshot, options)
        columnFactors = Self.columnFactors(options)
        columns = columns(of: entries)
        rows = rows(of: entries, snapshot, options)
        let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1.key, $0) })
        cells = Array(repeating: Array(repeating: nil, count: columns.count), count: rows.count)
        for entry in entries {
            guard let row = places[key(of: entry)] else { continue }
            for column in columns.indices where fits(entry, columns[column].factors) {
                let sample = ComparisonReport.Sample(seed: entry.run?.key.seed ?? 0, series: entry.series)
                if cells[row][column] == nil { cells[row][column] = .init(metric: entry.metric, set: entry.set) }
                cells[row][column]?.samples.append(sample)
                if !entry.isWhole { cells[row][column]?.marks.insert(.partial) }
            }
        }
    }

    /// The requested factors; noise seeds and signatures too, unless the rows show them.
    private static func columnFactors(_ options: ComparisonReport.Options) -> [String] {
        let asked = options.columns.filter { $0 != "metric" && $0 != "signature" && !options.rows.contains($0) }
        func wanted(_ name: String) -> [String] { options.rows.contains(name) || asked.contains(name) ? [] : [name] }
        let metric = options.columns.contains("metric") ? wanted("metric") : []
        return asked + wanted("noise_seed") + (metric.isEmpty ? [] : metric + wanted("signature"))
    }

    // MARK: Columns

    private func columns(of entries: [ComparisonEntry]) -> [ComparisonReport.Column] {
        var seen: Set<[String: String]> = []
        var keys: [(key: [String: String], entry: ComparisonEntry)] = []
        for entry in entries.filter({ !$0.isAnchor }) + entries.filter(\.isAnchor) {
            guard !entry.isAnchor || !keys.contains(where: { fits(entry, $0.key) }) else { continue }
            let key = entry.factors.filter { columnFactors.contains($0.key) }
            if seen.insert(key).inserted { keys.append((key, entry)) }
        }
        keys.sort { isBefore($0, $1) }
        let varied = Set(columnFactors.filter { factor in Set(keys.map { $0.key[factor] }).count > 1 })
        return keys.map { key, entry in
            let signatures = Set(keys.filter { $0.key["metric"] == key["metric"] }.map { $0.key["signature"] })
            let metric = columnFactors.contains("metric") ? entry.metric : nil
            var groups = columnFactors.filter { $0 != "metric" && $0 != "signature" }
                .filter { $0 != "noise_seed" || varied.contains($0) }
                .map { $0 == "set" ? key[$0] ?? "" : "\($0) = \(key[$0] ?? "none")" }
            let name =
                metric.map { signatures.count == 1 ? $0.name : "\($0.name) (\($0.signature))" }
                ?? (groups.popLast() ?? "score")
            return .init(factors: key, metric: metric, groups: groups, name: name)
        }
    }

    /// Whether the scores of an entry belong into a column; an anchor belongs into all that agree with its factors.
    private func fits(_ entry: ComparisonEntry, _ column: [String: String]) -> Bool {
        columnFactors.allSatisfy { factor in
            let value = entry.factors[factor]
            return value == column[factor] || (entry.isAnchor && value == nil)
        }
    }

    private typealias KeyedEntry = (key: [String: String], entry: ComparisonEntry)

    private func isBefore(_ a: KeyedEntry, _ b: KeyedEntry) -> Bool {
        for factor in columnFactors {
            switch factor {
            case "set" where a.entry.set.id != b.entry.set.id: return a.entry.set.id < b.entry.set.id
            case "metric" where a.entry.metric.name != b.entry.metric.name:
                let (first, second) = (a.entry.metric, b.entry.metric)
                return (first.rank, first.name) < (second.rank, second.name)
            case "signature" where a.entry.metric.id != b.entry.metric.id: return a.entry.metric.id < b.entry.metric.id
            default:
                let (first, second) = (a.key[factor] ?? "", b.key[factor] ?? "")
                if first != second { return first.isBefore(second) }
            }
        }
        return false
    }

    // MARK: Rows

    private func key(of entry: ComparisonEntry) -> ComparisonReport.RowKey {
        .init(isAnchor: entry.isAnchor, factors: entry.factors.filter { !columnFactors.contains($0.key) })
    }

    /// Anchors, the noisy input first, then the systems in the order of the request.
    private func rows(
        of entries: [ComparisonEntry], _ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options
    ) -> [ComparisonReport.Row] {
        var seen: Set<ComparisonReport.RowKey> = []
        var found: [ComparisonReport.Row] = []
        for entry in entries {
            let key = key(of: entry)
            guard seen.insert(key).inserted else { continue }
            found.append(.init(key: key, run: entry.run, anchor: entry.evaluation.anchor, evaluation: entry.evaluation))
        }
        let shown = Set(found.compactMap { $0.run?.id })
        let hidden = options.overSeeds ? Set(found.compactMap { $0.key.factors["training"] }) : []
        let trainings = snapshot.trainings
        for run in snapshot.runs where !shown.contains(run.id) && !hidden.contains(trainings[run.id] ?? "") {
            let factors = ["system": run.name, "run": run.shortID, "seed": "\(run.key.seed)"]
            found.append(.init(key: .init(isAnchor: false, factors: factors), run: run, anchor: nil, evaluation: nil))
        }
        let labels = ComparisonLabels(found, options)
        let places = Dictionary(snapshot.runs.enumerated().map { ($1.id, $0) }) { first, _ in first }
        let order = labels.order
        for place in found.indices {
            found[place].label = labels.label(of: found[place])
            found[place].keys = labels.keys(of: found[place])
        }
        func rank(_ row: ComparisonReport.Row) -> Int {
            row.run.flatMap { places[$0.id] } ?? (row.anchor == "noisy" ? -2 : -1)
        }
        return found.enumerated().sorted { a, b in
            if (a.element.anchor == nil) != (b.element.anchor == nil) { return a.element.anchor != nil }
            for factor in order {
                if factor == "system" {
                    let (first, second) = (rank(a.element), rank(b.element))
                    if first != second { return first < second }
                    continue
                }
                let (first, second) = (a.element.key.factors[factor] ?? "", b.element.key.factors[factor] ?? "")
                if first != second { return first.isBefore(second) }
            }
            return (a.element.label, a.offset) < (b.element.label, b.offset)
        }.map(\.element)
    }
}

extension Run {
    /// The name without the seed that a spec of several seeds adds to it.
    var nameOfAllSeeds: String {
        let ending = ",seed=\(key.seed)"
        return name.hasSuffix(ending) ? String(name.dropLast(ending.count)) : name
    }
}

extension ScoreSnapshot {
    /// What the seeds of one training share: the name, all settings that decide the weights, and the data.
    var trainings: [Run.ID: String] {
        Dictionary(
            runs.map { run in
                let settings = (settings[run.id] ?? [:]).filter { Self.decidesWeights($0.key) }
                let words = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                return (run.id, ([run.nameOfAllSeeds] + words + [run.key.dataFingerprint]).joined(separator: "\n"))
            }
        ) { first, _ in first }
    }

    /// Whether a path of a spec bears on the weights of a run with a given seed.
    static func decidesWeights(_ path: String) -> Bool {
        !["name", "title", "notes", "description", "train.seeds"].contains(path)
            && !path.hasPrefix("evaluate.") && !path.hasPrefix("waive.")
    }
}
