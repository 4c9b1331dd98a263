import Runs

/// Which evaluation of a snapshot stands in which row and column of a comparison.
struct ComparisonLayout {
    private(set) var rows: [ComparisonReport.Row] = []
    private(set) var columns: [ComparisonReport.Column] = []
    private(set) var cells: [[ComparisonReport.Cell?]] = []
    private(set) var notes: [String] = []

    /// What makes a row: whose output, at which factors besides N.
    fileprivate struct RowKey: Hashable {
        var run: Run.ID?
        var anchor: String?
        var checkpoint: String?
        var point: EvaluationPoint

        init(_ evaluation: Evaluation) {
            (run, anchor) = (evaluation.run, evaluation.anchor)
            checkpoint = evaluation.checkpoint.map { "\($0.kind.rawValue)@\($0.step)" }
            point = evaluation.point
            point.steps = nil
        }
    }

    init(_ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options) {
        let shown = snapshot.evaluations.filter { evaluation in
            guard snapshot.testSets[evaluation.testSet] != nil else { return false }
            guard let steps = evaluation.point.steps else { return true }
            return options.steps?.contains(steps) ?? true
        }
        columns = Self.columns(snapshot, shown)
        let keys = Self.keys(snapshot, shown)
        rows = Self.rows(keys, snapshot)
        let places = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1, $0) })
        cells = Array(repeating: Array(repeating: nil, count: columns.count), count: rows.count)
        for evaluation in shown {
            guard let row = places[RowKey(evaluation)] else { continue }
            for (place, column) in columns.enumerated() where column.set.id == evaluation.testSet {
                let fits = evaluation.point.steps == nil || evaluation.point.steps == column.steps
                let key = ScoreSnapshot.Key(evaluation: evaluation.id, metric: column.metric.id)
                guard fits, let series = snapshot.series[key] else { continue }
                let isWhole = evaluation.status == .finished
                    && series.files.count >= snapshot.fileCounts[evaluation.testSet] ?? 0
                cells[row][place] = ComparisonReport.Cell(
                    series: series, statistic: Statistic(series.values), marks: isWhole ? [] : .partial)
            }
        }
        let hasScores = cells.map { $0.contains { $0 != nil } }
        for row in rows.indices where !hasScores[row] {
            notes.append("\(rows[row].label): no scores yet\(rows[row].run.map { " (\($0.status.rawValue))" } ?? "")")
        }
        notes += Self.notes(snapshot, rows)
    }

    // MARK: Columns

    private static func columns(_ snapshot: ScoreSnapshot, _ shown: [Evaluation]) -> [ComparisonReport.Column] {
        let sets = snapshot.testSets.values.sorted { $0.id < $1.id }
        let nameCounts = Dictionary(grouping: sets, by: \.name).mapValues(\.count)
        return sets.flatMap { set -> [ComparisonReport.Column] in
            let here = shown.filter { $0.testSet == set.id }
            let metrics = metrics(snapshot, here)
            let metricCounts = Dictionary(grouping: metrics, by: \.name).mapValues(\.count)
            let counted = Set(here.compactMap(\.point.steps)).sorted()
            let steps: [Int?] = counted.isEmpty ? [nil] : counted
            let name = nameCounts[set.name] == 1 ? set.name : "\(set.name)@\(set.fingerprint.prefix(8))"
            return steps.flatMap { steps in
                metrics.map { metric in
                    ComparisonReport.Column(
                        set: set, steps: steps, metric: metric,
                        groups: [name, steps.map { "N = \($0)" } ?? "–"],
                        name: metricCounts[metric.name] == 1 ? metric.name : "\(metric.name) (\(metric.signature))")
                }
            }
        }
    }

    /// The metrics with scores, in the customary order.
    private static func metrics(_ snapshot: ScoreSnapshot, _ evaluations: [Evaluation]) -> [ScoredMetric] {
        let custom = ["pesq", "estoi", "si_sdr", "si_sir", "si_sar"]
        return snapshot.metrics.values
            .filter { metric in
                evaluations.contains { snapshot.series[.init(evaluation: $0.id, metric: metric.id)] != nil }
            }
            .map { (rank: custom.firstIndex(of: $0.name) ?? custom.count, metric: $0) }
            .sorted { ($0.rank, $0.metric.name, $0.metric.id) < ($1.rank, $1.metric.name, $1.metric.id) }
            .map(\.metric)
    }

    // MARK: Rows

    /// Anchors, the noisy input first, then the runs in the order asked for.
    private static func keys(_ snapshot: ScoreSnapshot, _ shown: [Evaluation]) -> [RowKey] {
        var seen: Set<RowKey> = []
        let found = shown.map(RowKey.init).filter { seen.insert($0).inserted }
        let anchors = found.filter { $0.anchor != nil }
            .sorted { ($0.anchor == "noisy" ? "" : $0.anchor ?? "") < ($1.anchor == "noisy" ? "" : $1.anchor ?? "") }
        let byRun = Dictionary(grouping: found.filter { $0.run != nil }, by: \.run)
        return anchors + snapshot.runs.flatMap { run in byRun[run.id] ?? [RowKey(run)] }
    }

    private static func rows(_ keys: [RowKey], _ snapshot: ScoreSnapshot) -> [ComparisonReport.Row] {
        let runs = Dictionary(snapshot.runs.map { ($0.id, $0) }) { first, _ in first }
        let namesakes = Dictionary(grouping: snapshot.runs, by: \.name)
        let siblings = Dictionary(grouping: keys) { $0.run.map { "run \($0)" } ?? "anchor \($0.anchor ?? "")" }
        return keys.map { key in
            let family = siblings[key.run.map { "run \($0)" } ?? "anchor \(key.anchor ?? "")"] ?? []
            let variant = key.factors(thatDifferAmong: family)
            let run = key.run.flatMap { runs[$0] }
            var label = run?.name ?? key.anchor ?? ""
            if let run, let all = namesakes[run.name], all.count > 1 {
                let isBySeed = Set(all.map(\.key.seed)).count == all.count
                label += isBySeed ? " #\(run.key.seed)" : " (\(run.shortID))"
            }
            if !variant.isEmpty { label += " [\(variant)]" }
            return ComparisonReport.Row(label: label, run: run, anchor: key.anchor, variant: variant)
        }
    }

    private static func notes(_ snapshot: ScoreSnapshot, _ rows: [ComparisonReport.Row]) -> [String] {
        var notes: [String] = []
        let anchored = Set(snapshot.evaluations.filter { $0.anchor == "noisy" }.map(\.testSet))
        for set in snapshot.testSets.values.sorted(by: { $0.id < $1.id }) where !anchored.contains(set.id) {
            notes.append("\(set.name): the noisy input has not been scored, so nothing can be below it")
        }
        for (name, sets) in Dictionary(grouping: snapshot.testSets.values, by: \.name).sorted(by: { $0.key < $1.key })
        where sets.count > 1 {
            notes.append("\(name): \(sets.count) states of this set were scored; their columns do not compare")
        }
        return notes
    }
}

extension ComparisonLayout.RowKey {
    /// A run without any evaluation.
    fileprivate init(_ run: Run) { (self.run, anchor, checkpoint, point) = (run.id, nil, nil, EvaluationPoint()) }

    private var factors: [(name: String, value: String?)] {
        [
            ("checkpoint", checkpoint), ("sampler", point.sampler), ("predictor", point.predictor),
            ("corrector", point.corrector), ("corrector_steps", point.correctorSteps.map { String($0) }),
            ("snr", point.snr.map { String($0) }), ("guidance", point.guidance.map { String($0) }),
            ("reference", point.reference), ("weights", point.weights),
            ("noise_seed", point.noiseSeed.map { String($0) }), ("", point.other),
        ]
    }

    fileprivate func factors(thatDifferAmong family: [Self]) -> String {
        let mine = factors
        let all = family.map(\.factors)
        return mine.indices
            .filter { place in all.contains { $0[place].value != mine[place].value } }
            .map { place in
                let (name, value) = mine[place]
                return name.isEmpty ? value ?? "" : "\(name)=\(value ?? "none")"
            }
            .joined(separator: ", ")
    }
}
