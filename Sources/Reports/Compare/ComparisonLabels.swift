import Runs

/// The labels of a comparison's rows: the requested factors, and every other in which rows differ.
struct ComparisonLabels {
    private let asked: [String]
    /// Every other factor in which rows differ, in the order of labels.
    private let differing: [String]
    private let rows: [ComparisonReport.Row]
    private let namesakes: [String: Set<String>]
    private let seeds: [String: Set<UInt64>]

    init(_ rows: [ComparisonReport.Row], _ options: ComparisonReport.Options) {
        self.rows = rows
        asked = options.rows.filter { !options.columns.contains($0) }
        let runs = rows.filter { $0.anchor == nil }
        let names = Set(runs.flatMap { $0.key.factors.keys })
        let known = ComparisonFactor.ofEvaluations + ComparisonFactor.ofColumns + ComparisonFactor.ofFiles
        let others = names.subtracting(known).subtracting(Self.hidden).sorted()
        let candidates = (known.filter(names.contains) + others).filter { !options.rows.contains($0) && $0 != "system" }
        func varies(_ name: String, among rows: [ComparisonReport.Row]) -> Bool {
            Set(rows.map { $0.key.factors[name] }).count > 1
        }
        let scored = runs.filter { $0.evaluation != nil }
        differing = candidates.filter { name in
            guard varies(name, among: scored), !Self.ofRuns.contains(name) else { return false }
            // The sampler's name is enough, unless samplers of one name differ; so is a metric's name for its
            // signature.
            guard let whole = ComparisonFactor.parts[name] else { return true }
            return Dictionary(grouping: scored) { $0.key.factors[whole] }.values.contains { varies(name, among: $0) }
        }
        let trainings = Dictionary(grouping: runs) { $0.key.factors["system"] ?? "" }
        namesakes = trainings.mapValues { Set($0.map { $0.key.factors["run"] ?? $0.key.factors["training"] ?? "" }) }
        seeds = trainings.mapValues { Set($0.compactMap { $0.run?.key.seed }) }
    }

    /// Factors that the first column shows, as `#0` or as an id.
    private static let ofRuns: Set<String> = ["run", "seed"]
    private static let hidden: Set<String> = ["training", "system"]

    /// The factors by which rows are ordered: those of the first column, then the other requested ones.
    var order: [String] {
        guard let first = asked.first else { return differing }
        return [first] + (first == "system" ? ["seed"] : []) + differing + asked.dropFirst()
    }

    /// The value of each requested factor, the first with all else that identifies the row.
    func keys(of row: ComparisonReport.Row) -> [String] {
        guard let first = asked.first else { return [label(of: row)] }
        let head = first == "system" ? label(of: row) : bracketed(value(first, of: row), row)
        return [head] + asked.dropFirst().map { value($0, of: row) }
    }

    /// The names of the columns of ``keys(of:)``.
    var headings: [String] { asked.isEmpty ? ["system"] : asked }

    /// `cfg #0 [best_pesq@100, guidance=3.0]`.
    func label(of row: ComparisonReport.Row) -> String { bracketed(name(of: row), row) }

    private func bracketed(_ name: String, _ row: ComparisonReport.Row) -> String {
        let variant = variant(of: row)
        return variant.isEmpty ? name : "\(name) [\(variant)]"
    }

    private func value(_ factor: String, of row: ComparisonReport.Row) -> String {
        factor == "system" ? name(of: row) : row.key.factors[factor] ?? ""
    }

    /// The run's name, with its seed or id where others have the same.
    private func name(of row: ComparisonReport.Row) -> String {
        guard let run = row.run, let name = row.key.factors["system"] else { return row.anchor ?? "" }
        let (all, seeds) = (namesakes[name] ?? [], self.seeds[name] ?? [])
        guard all.count > 1, !asked.contains("run") else { return name }
        if row.key.factors["run"] != nil, seeds.count == all.count {
            return asked.contains("seed") ? name : "\(name) #\(run.key.seed)"
        }
        return "\(name) (\(run.shortID))"
    }

    /// The factors besides the requested ones in which rows differ, as `guidance=1.0`; the checkpoint without its name.
    func variant(of row: ComparisonReport.Row) -> String {
        guard row.anchor == nil, row.evaluation != nil else { return "" }
        let family = rows.filter { $0.run?.id == row.run?.id && $0.evaluation != nil }
        return differing.compactMap { name in
            guard let value = row.key.factors[name] else {
                return family.contains { $0.key.factors[name] != nil } ? "\(name)=none" : nil
            }
            return name == "checkpoint" ? value : "\(name)=\(value)"
        }.joined(separator: ", ")
    }
}
