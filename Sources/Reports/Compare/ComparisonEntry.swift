import Runs

/// One metric of one evaluation, or of those of its files that share a requested property, with its factors.
struct ComparisonEntry {
    var evaluation: Evaluation
    var run: Run?
    var set: TestSet
    var metric: ScoredMetric
    /// By name; what does not apply is absent.
    var factors: [String: String]
    var series: ScoreSnapshot.Series
    /// Whether every file of the set is in it.
    var isWhole: Bool

    var isAnchor: Bool { evaluation.anchor != nil }
}

extension ComparisonEntry {
    /// The entries of a snapshot, split by the properties of files that `options` ask for.
    static func entries(of snapshot: ScoreSnapshot, _ options: ComparisonReport.Options) -> [ComparisonEntry] {
        let runs = Dictionary(snapshot.runs.map { ($0.id, $0) }) { first, _ in first }
        let (setLabels, trainings) = (snapshot.setLabels, snapshot.trainings)
        let asked = options.rows + options.columns
        let paths = asked.filter { !ComparisonFactor.names.contains($0) }
        let bases = snapshot.evaluations.map { evaluation -> [String: String] in
            var factors = Dictionary(evaluation.point.factors.map { ($0.name, $0.value) }) { $1 }
            factors["checkpoint"] = evaluation.checkpoint.map { "\($0.kind.rawValue)@\($0.step)" }
            factors["set"] = setLabels[evaluation.testSet]
            if asked.contains("nfe") { factors["nfe"] = snapshot.networkCalls(of: evaluation).map(Self.text) }
            guard let run = evaluation.run.flatMap({ runs[$0] }) else {
                factors["system"] = evaluation.anchor
                factors["waived"] = evaluation.externalRecord?.waived?.keys.sorted().joined(separator: "+")
                return factors
            }
            factors["system"] = options.overSeeds ? run.nameOfAllSeeds : run.name
            factors["training"] = trainings[run.id]
            if !options.overSeeds { (factors["run"], factors["seed"]) = (run.shortID, String(run.key.seed)) }
            factors.merge(snapshot.gates(of: run.id)) { $1 }
            let settings = snapshot.settings[run.id] ?? [:]
            for path in paths { factors[path] = settings[path] ?? settings[path + ".name"] }
            return factors
        }
        let distinct = Self.distinguished(bases, snapshot.evaluations)
        return zip(snapshot.evaluations, distinct).flatMap { evaluation, factors -> [ComparisonEntry] in
            guard let set = snapshot.testSets[evaluation.testSet] else { return [] }
            if let steps = evaluation.point.steps, let wanted = options.steps, !wanted.contains(steps) { return [] }
            return snapshot.sortedMetrics.flatMap { metric -> [ComparisonEntry] in
                let key = ScoreSnapshot.Key(evaluation: evaluation.id, metric: metric.id)
                guard let series = snapshot.series[key] else { return [] }
                var factors = factors
                (factors["metric"], factors["signature"]) = (metric.name, metric.signature)
                let isWhole = evaluation.status == .finished && series.files.count >= snapshot.fileCounts[set.id] ?? 0
                let entry = ComparisonEntry(
                    evaluation: evaluation, run: evaluation.run.flatMap { runs[$0] }, set: set, metric: metric,
                    factors: factors, series: series, isWhole: isWhole)
                return entry.split(by: ComparisonFactor.ofFiles.filter(asked.contains), snapshot.files)
            }
        }
    }

    /// `30`, or `41–53` where files of one evaluation needed more or less of them.
    private static func text(_ calls: ClosedRange<Int>) -> String {
        calls.lowerBound == calls.upperBound ? "\(calls.lowerBound)" : "\(calls.lowerBound)–\(calls.upperBound)"
    }

    /// Evaluations that agree in every factor of the store are distinguished by their row number.
    ///
    /// Older stores did not record every factor (`t_eps`, `padding`).
    private static func distinguished(_ factors: [[String: String]], _ evaluations: [Evaluation]) -> [[String: String]]
    {
        // Where seeds are taken together, the factors do not say whose evaluation it is.
        let keys = zip(evaluations, factors).map { $1.merging(["subject": $0.subjectName]) { $1 } }
        let groups = Dictionary(grouping: keys.indices) { keys[$0] }
        return factors.indices.map { place in
            guard groups[keys[place], default: []].count > 1 else { return factors[place] }
            return factors[place].merging(["evaluation": "\(evaluations[place].id)"]) { $1 }
        }
    }

    private func split(by properties: [String], _ files: [TestFile.ID: TestFile]) -> [ComparisonEntry] {
        guard !properties.isEmpty else { return [self] }
        let keys = series.files.map { id in properties.map { files[id]?.value(of: $0) ?? "unknown" } }
        return Set(keys).sorted { $0.lexicographicallyPrecedes($1) { $0.isBefore($1) } }.map { key in
            var part = self
            for (name, value) in zip(properties, key) { part.factors[name] = value }
            let places = keys.indices.filter { keys[$0] == key }
            part.series = .init(files: places.map { series.files[$0] }, values: places.map { series.values[$0] })
            return part
        }
    }
}

extension ScoredMetric {
    /// The place among the metrics that papers show first; one for all others.
    var rank: Int {
        let custom = ["pesq", "estoi", "si_sdr", "si_sir", "si_sar"]
        return custom.firstIndex(of: name) ?? custom.count
    }
}

extension Evaluation {
    fileprivate var subjectName: String {
        switch subject {
        case .run(let id, _): "run \(id)"
        case .anchor(let name): name
        }
    }
}

extension TestFile {
    fileprivate func value(of property: String) -> String? {
        switch property {
        case "noise_type": noise
        case "speaker": speaker
        default: snr.map { String($0) }
        }
    }
}

extension ScoreSnapshot {
    /// How often networks were called for a file: as counted here, or as given for another system; `nil` for
    /// anchors.
    func networkCalls(of evaluation: Evaluation) -> ClosedRange<Int>? {
        evaluation.run == nil ? evaluation.externalRecord?.nfe.map { $0...$0 } : networkCalls[evaluation.id]
    }

    /// What a set is called: its name, with its fingerprint's beginning where two versions of it were scored.
    var setLabels: [TestSet.ID: String] {
        let counts = Dictionary(grouping: testSets.values, by: \.name).mapValues(\.count)
        return testSets.mapValues {
            counts[$0.name] == 1 ? $0.name : "\($0.name)@\($0.fingerprint.audioDigits.prefix(8))"
        }
    }

    /// The metrics, the customary ones first.
    var sortedMetrics: [ScoredMetric] {
        metrics.values.sorted { ($0.rank, $0.name, $0.id) < ($1.rank, $1.name, $1.id) }
    }

    /// The checks that a run's spec waives, and those that failed when it was made, by factor.
    func gates(of run: Run.ID) -> [String: String] {
        let waived = (settings[run] ?? [:]).keys.filter { $0.hasPrefix("waive.") }.map { String($0.dropFirst(6)) }
        let failed = Set((findings[run] ?? []).filter { $0.severity == .failure }.map(\.gate))
        return ["waived": waived.sorted(), "failed_gates": failed.sorted()]
            .compactMapValues { $0.isEmpty ? nil : $0.joined(separator: "+") }
    }
}
