import FoundationEssentials
import Reported
import Runs
import Statistics

/// Finds our numbers of a paper's table in the store.
struct PaperTableReader {
    private let sources: [RowSource]
    private let store: RunStore?
    private let metrics: PaperTable.Metrics
    private let runs: [Run]
    private let snapshot: ScoreSnapshot?
    private var provenances: [Evaluation.ID: Provenance] = [:]

    init(
        _ declaration: TableDeclaration, _ sources: [RowSource], _ store: RunStore?, _ metrics: PaperTable.Metrics
    ) throws(StoreError) {
        (self.sources, self.store, self.metrics) = (sources, store, metrics)
        guard let store else {
            (runs, snapshot) = ([], nil)
            return
        }
        let known = try store.runs()
        var wanted: [Run.ID] = []
        for (row, source) in zip(declaration.rows, sources) { wanted += Self.candidates(row, source, known).map(\.id) }
        let (sets, columns) = (Set(declaration.sets.map(\.stored)), Set(declaration.columns))
        var snapshot = try store.scores(of: [], sets: sets, metrics: columns)
        if !wanted.isEmpty {
            let ofRuns = try store.scores(of: wanted, sets: sets, metrics: columns)
            snapshot.evaluations += ofRuns.evaluations.filter { $0.run != nil }
            snapshot.series.merge(ofRuns.series) { first, _ in first }
            snapshot.runs = ofRuns.runs
        }
        (runs, self.snapshot) = (known, snapshot)
    }

    /// The runs that a row may show: those of its spec, and, as stale ones, those of its names.
    private static func candidates(_ row: TableDeclaration.Row, _ source: RowSource, _ runs: [Run]) -> [Run] {
        switch row.source {
        case .anchor, .system, .none: return []
        case .run(let name), .checkpoint(let name): return runs.filter { $0.name == name || $0.shortID == name }
        case .spec:
            let (identities, names) = (Set(source.runs.map(\.identity)), Set(source.runs.map(\.name)))
            return runs.filter { identities.contains($0.key.identity) || names.contains($0.name) }
        }
    }

    // MARK: A cell

    /// One evaluation that fits a cell, with its scores.
    private struct Match {
        var evaluation: Evaluation
        var series: ScoreSnapshot.Series
        var metric: ScoredMetric
        var staleness: String?
    }

    mutating func ours(
        of row: TableDeclaration.Row, at place: Int, _ column: PaperTable.Column, against reported: ReportedValue?
    ) throws(StoreError) -> PaperTable.Ours? {
        guard let snapshot else { return nil }
        let named = snapshot.testSets.values.filter { $0.name == column.set.stored }
        // The evaluations of a spec are found by its identity, all others by the folder of their set.
        let isOfSpec = if case .spec = row.source { true } else { false }
        let sets = Set(named.filter { isOfSpec || column.set.holds($0) }.map(\.id))
        let here = snapshot.evaluations.filter { sets.contains($0.testSet) }
        var matches = matches(row, sources[place], here, column, snapshot)
        // A number of this spec as it is goes before one of what the spec was.
        if matches.contains(where: { $0.staleness == nil }) { matches.removeAll { $0.staleness != nil } }
        guard !matches.isEmpty else { return nil }
        return try merged(matches, column, snapshot, against: reported)
    }

    private func matches(
        _ row: TableDeclaration.Row, _ source: RowSource, _ here: [Evaluation], _ column: PaperTable.Column,
        _ snapshot: ScoreSnapshot
    ) -> [Match] {
        switch row.source {
        case .none: return []
        case .anchor(let name), .system(let name):
            return [match(here.filter { $0.anchor == name }, column, snapshot, nil)].compactMap { $0 }
        case .run(let name), .checkpoint(let name):
            return runs.filter { $0.name == name || $0.shortID == name }.compactMap { run in
                match(Self.evaluations(here, of: [run.id], fitting: row), column, snapshot, nil)
            }
        case .spec: return source.runs.compactMap { match(of: $0, row, here, column, snapshot) }
        }
    }

    /// The evaluation of a run as its spec is, or, as a stale one, as it was.
    private func match(
        of asked: RowSource.SpecifiedRun, _ row: TableDeclaration.Row, _ here: [Evaluation],
        _ column: PaperTable.Column,
        _ snapshot: ScoreSnapshot
    ) -> Match? {
        let prefixes = asked.points.filter { point in
            point.set == column.set.stored && (row.steps == nil || point.steps == row.steps)
                && (row.guidance == nil || point.guidance == row.guidance)
        }.map { $0.identity + "|" }
        let own = Set(runs.filter { $0.key.identity == asked.identity && $0.key.seed == asked.seed }.map(\.id))
        let current = Self.evaluations(here, of: own, fitting: row).filter { one in
            prefixes.contains { one.identity.hasPrefix($0) }
        }
        if let match = match(current, column, snapshot, nil) { return match }
        let namesakes = Set(runs.filter { $0.name == asked.name }.map(\.id))
        return match(
            Self.evaluations(here, of: namesakes, fitting: row), column, snapshot,
            "the spec has changed since it was run")
    }

    private static func evaluations(
        _ all: [Evaluation], of runs: Set<Run.ID>, fitting row: TableDeclaration.Row
    ) -> [Evaluation] {
        all.filter { one in
            guard let run = one.run, runs.contains(run) else { return false }
            return (row.steps == nil || one.point.steps == row.steps)
                && (row.guidance == nil || one.point.guidance == row.guidance)
        }
    }

    /// The newest of evaluations that fit, with the scores of the metric.
    private func match(
        _ evaluations: [Evaluation], _ column: PaperTable.Column, _ snapshot: ScoreSnapshot, _ staleness: String?
    ) -> Match? {
        let newest = evaluations.sorted { ($0.ended ?? .distantPast, $0.id) > ($1.ended ?? .distantPast, $1.id) }
        for evaluation in newest {
            let scored = snapshot.metrics.values.filter { metric in
                metric.name == column.metric
                    && snapshot.series[.init(evaluation: evaluation.id, metric: metric.id)] != nil
            }.sorted { $0.id < $1.id }
            let rate = snapshot.testSets[evaluation.testSet]?.sampleRate ?? 0
            let current = metrics.signature(column.metric, rate)
            guard let metric = scored.first(where: { $0.signature == current }) ?? scored.last,
                let series = snapshot.series[.init(evaluation: evaluation.id, metric: metric.id)]
            else { continue }
            let isOther = metric.signature != current && !metric.isImported
            let reason =
                isOther ? "computed as \(metric.signature); this version computes \(current ?? "nothing")" : nil
            return Match(evaluation: evaluation, series: series, metric: metric, staleness: staleness ?? reason)
        }
        return nil
    }

    private mutating func merged(
        _ matches: [Match], _ column: PaperTable.Column, _ snapshot: ScoreSnapshot, against reported: ReportedValue?
    ) throws(StoreError) -> PaperTable.Ours {
        let statistics = matches.map { Statistic($0.series.values) }
        let means = Statistic(statistics.map(\.mean))
        let values = Self.values(matches.map(\.series))
        var sources: [CellSource] = []
        for (match, statistic) in zip(matches, statistics) { sources.append(try source(match, statistic.n, snapshot)) }
        let mean = matches.count == 1 ? statistics[0].mean : means.mean
        return PaperTable.Ours(
            mean: mean,
            // Between a few seeds, as the estimate for all of them: divided by their number less one.
            spread: matches.count == 1
                ? statistics[0].std : means.std * (Double(means.n) / Double(max(1, means.n - 1))).squareRoot(),
            files: values.first?.count ?? 0, seeds: matches.count, digits: matches[0].metric.digits,
            difference: reported.flatMap { Self.difference(of: values, from: $0.value) },
            isWithin: reported.flatMap { reported in
                reported.std.map { abs(mean - reported.value) <= $0 + reported.rounding }
            },
            staleness: matches.compactMap(\.staleness).first,
            isPartial: matches.contains { isPartial($0, snapshot) },
            isImported: matches.contains { $0.metric.isImported },
            isBelowAnchor: matches.contains { isBelowAnchor($0, snapshot) }, sources: sources)
    }

    /// By series, the scores of the files that are finite in all of them.
    private static func values(_ series: [ScoreSnapshot.Series]) -> [[Double]] {
        var counts: [TestFile.ID: Int] = [:]
        for one in series {
            for (file, value) in zip(one.files, one.values) where value.isFinite { counts[file, default: 0] += 1 }
        }
        return series.map { one in
            zip(one.files, one.values).filter { counts[$0.0] == series.count && $0.1.isFinite }.map(\.1)
        }
    }

    private static func difference(of values: [[Double]], from reported: Double) -> PaperTable.Difference? {
        guard values.first?.isEmpty == false else { return nil }
        let sample = PairedSample(values.map { $0.map { $0 - reported } })
        guard sample.clusters >= Bootstrap.fewestUnits else { return .init(mean: sample.mean, interval: nil) }
        return .init(mean: sample.mean, interval: Bootstrap.interval(of: sample))
    }

    private func isPartial(_ match: Match, _ snapshot: ScoreSnapshot) -> Bool {
        match.evaluation.status != .finished
            || match.series.files.count < snapshot.fileCounts[match.evaluation.testSet] ?? 0
    }

    /// Whether the mean is worse than the noisy input's on the files that both have.
    private func isBelowAnchor(_ match: Match, _ snapshot: ScoreSnapshot) -> Bool {
        guard match.evaluation.anchor != "noisy", !metrics.unfloored.contains(match.metric.name),
            let noisy = snapshot.evaluations.first(where: {
                $0.anchor == "noisy" && $0.testSet == match.evaluation.testSet
            }),
            let floor = snapshot.series[.init(evaluation: noisy.id, metric: match.metric.id)]
        else { return false }
        let pairs = match.series.paired(with: floor)
        let difference = pairs.reduce(0) { $0 + $1.mine - $1.other }
        return match.metric.higherIsBetter ? difference < 0 : difference > 0
    }

    private mutating func source(_ match: Match, _ files: Int, _ snapshot: ScoreSnapshot) throws(StoreError)
        -> CellSource
    {
        let evaluation = match.evaluation
        guard let store, let set = snapshot.testSets[evaluation.testSet] else {
            throw StoreError(.invalid, at: "", "an evaluation without its test set")
        }
        if provenances[evaluation.id] == nil { provenances[evaluation.id] = try store.provenance(of: evaluation.id) }
        let run = runs.first { $0.id == evaluation.run }
        return CellSource(
            run: run, system: run?.name ?? evaluation.anchor ?? "",
            checkpoint: evaluation.checkpoint.map { "\($0.kind.rawValue)@\($0.step)" },
            signature: match.metric.signature,
            files: files, testSet: set,
            provenance: provenances[evaluation.id] ?? Provenance(version: "", machine: "", threads: 0, commandLine: ""))
    }
}

extension ScoredMetric {
    /// Whether another program computed its scores.
    var isImported: Bool { signature.contains("|imported") }
}

extension TableDeclaration.TestSet {
    /// Whether a set of the store is of the corpus that the table names: its folder, or one above it, has the corpus's
    /// name.
    func holds(_ set: Runs.TestSet) -> Bool {
        guard let corpus else { return true }
        return set.folder.split(separator: "/").contains { $0 == corpus || $0.hasPrefix(corpus + "-") }
    }
}
