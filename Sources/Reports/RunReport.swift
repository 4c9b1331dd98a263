public import JSONValues
public import Runs

/// All that the store has of one run, its mean scores included.
public struct RunReport: Sendable {
    /// One evaluation with its scores in short.
    public struct Evaluated: Sendable {
        /// The row of the store, with its factors.
        public var evaluation: Evaluation
        /// The name of the test set.
        public var set: String
        /// By metric, in the order in which the metrics were first registered.
        public var scores: [(metric: ScoredMetric, statistic: Statistic)]
        /// The metrics whose scores do not match the checksum of the evaluation.
        public var damaged: Set<ScoredMetric.ID> = []
    }

    /// The run's own row.
    public let run: Run
    /// The run's folder, as a path.
    public let folder: String
    /// As written and as resolved.
    public let spec: StoredSpec
    /// nil before the first step.
    public let lastStep: StepRecord?
    /// The current ones, by step; superseded ones are not among them.
    public let checkpoints: [CheckpointRecord]
    /// All evaluations of the run, finished or not.
    public let evaluations: [Evaluated]
    /// By step and metric.
    public let validations: [ValidationRecord]
    /// What the gates found, the oldest first.
    public let findings: [GateFinding]
    /// What happened to the run, the oldest first.
    public let events: [EventRecord]

    public init(of run: Run, in store: RunStore) throws(StoreError) {
        self.run = run
        folder = "\(store.folder)/\(run.folder)"
        spec = try store.spec(of: run.id)
        lastStep = try store.lastStep(of: run.id)
        checkpoints = try store.checkpoints(of: run.id)
        validations = try store.validations(of: run.id)
        findings = try store.findings(of: run.id)
        events = try store.events(of: run.id)
        let sets = Dictionary(try store.testSets().map { ($0.id, $0.name) }) { first, _ in first }
        let metrics = try store.metrics()
        var evaluations: [Evaluated] = []
        for evaluation in try store.evaluations(of: run.id) {
            let scores = Dictionary(grouping: try store.scores(of: evaluation.id), by: \.metric)
            var one = Evaluated(evaluation: evaluation, set: sets[evaluation.testSet] ?? "", scores: [])
            one.damaged = try store.damagedScores(of: evaluation.id)
            for metric in metrics {
                guard let values = scores[metric.id]?.map({ $0.outcome.value ?? .nan }) else { continue }
                one.scores.append((metric: metric, statistic: Statistic(values)))
            }
            evaluations.append(one)
        }
        self.evaluations = evaluations
    }

    /// A line for each fact, its name before it.
    public var text: String {
        let provenance = run.provenance
        let status = run.reason.map { "\(run.status.rawValue): \($0)" } ?? run.status.rawValue
        let step = lastStep.map { "\($0.step), loss \($0.loss)" } ?? "none"
        let commit = provenance.isDirty ? "\(provenance.gitCommit) (with changes)" : provenance.gitCommit
        var facts: [(String, String)] = [
            ("run", run.name), ("id", run.shortID), ("status", status), ("seed", String(run.key.seed)),
            ("identity", run.key.identity), ("data", run.key.dataFingerprint), ("step", step), ("folder", folder),
            ("commit", commit), ("program", "sgmse \(provenance.version), \(provenance.threads) threads"),
            ("machine", provenance.machine),
            ("command", provenance.commandLine), ("spec", spec.file ?? "none"),
            ("started", run.started?.text ?? "never"),
            ("ended", run.ended?.text ?? "not yet"), ("tags", run.tags.joined(separator: " ")), ("notes", run.notes),
        ]
        if !run.aliases.isEmpty { facts.insert(("also called", run.aliases.joined(separator: ", ")), at: 1) }
        facts += checkpoints.map {
            ("checkpoint", "\($0.kind.rawValue) at step \($0.step): \($0.path), sha256 \($0.sha256)")
        }
        for one in evaluations {
            facts.append(("evaluation", one.description))
            facts += one.scores.map {
                (
                    "  score",
                    $0.metric.name + " " + Self.text(of: $0.statistic, $0.metric) + one.warning(of: $0.metric.id)
                )
            }
        }
        facts += validations.suffix(4).map {
            ("validation", "step \($0.step): \($0.metric) \($0.value.map { "\($0)" } ?? "none") (n \($0.n))")
        }
        facts += findings.map { ("finding", "\($0.severity.rawValue)[\($0.gate)] \($0.subject): \($0.message)") }
        facts += events.map { ("event", "\($0.time.text) \($0.kind) \($0.message)") }
        return facts.map { name, value in
            name + String(repeating: " ", count: max(1, 13 - name.count)) + value + "\n"
        }.joined()
    }

    private static func text(of statistic: Statistic, _ metric: ScoredMetric) -> String {
        let number = Table.Cell.statistic(statistic, digits: metric.digits, marks: []).text
        return metric.unit.isEmpty ? number : "\(number) \(metric.unit)"
    }

    /// The report as a document, with every validation.
    public var json: JSON {
        [
            "run": run.json, "path": .string(folder), "spec_file": JSON(spec.file),
            "last_step": lastStep?.json ?? .null,
            "checkpoints": .array(checkpoints.map(\.json)), "evaluations": .array(evaluations.map(\.json)),
            "validations": .array(validations.map(\.json)), "findings": .array(findings.map(\.json)),
            "events": .array(events.map(\.json)),
        ]
    }
}

extension RunReport.Evaluated: CustomStringConvertible {
    /// `test, N = 30, pc, w = 3.0, oracle: last of step 6, ema weights, finished`
    public var description: String {
        let used = evaluation.checkpoint.map { "\($0.kind.rawValue) of step \($0.step)" } ?? "no checkpoint"
        let point = evaluation.point
        let how: [String?] =
            [
                point.steps.map { "N = \($0)" }, point.sampler, point.guidance.map { "w = \($0)" }, point.reference,
            ] + point.otherFactors.map { "\($0.name) = \($0.value)" }
        return
            """
            \(([set] + how.compactMap { $0 }).joined(separator: ", ")): \(used), \(evaluation.point.weights ?? "") \
            weights, \(evaluation.status.rawValue)
            """
    }

    /// The text after a score that is damaged; empty for the others.
    fileprivate func warning(of metric: ScoredMetric.ID) -> String {
        damaged.contains(metric) ? " (does not match its checksum: the store is damaged)" : ""
    }

    fileprivate var json: JSON {
        let point = evaluation.point
        return [
            "set": .string(set), "N": JSON(point.steps), "sampler": JSON(point.sampler),
            "guidance": point.guidance.map(JSON.number) ?? .null, "reference": JSON(point.reference),
            "other": JSON(point.other),
            "weights": JSON(point.weights), "checkpoint": JSON(evaluation.checkpoint?.kind.rawValue),
            "step": JSON(evaluation.checkpoint?.step), "status": .string(evaluation.status.rawValue),
            "scores": .array(scores.map { Self.json($0.metric, $0.statistic) }),
            "damaged_scores": .array(scores.filter { damaged.contains($0.metric.id) }.map { .string($0.metric.name) }),
        ]
    }

    private static func json(_ metric: ScoredMetric, _ one: Statistic) -> JSON {
        [
            "metric": .string(metric.name), "unit": .string(metric.unit), "signature": .string(metric.signature),
            "mean": .number(one.mean), "std": .number(one.std), "n": .integer(one.n),
            "plus_infinite": .integer(one.positiveInfinities), "minus_infinite": .integer(one.negativeInfinities),
            "missing": .integer(one.missing),
        ]
    }
}

extension StepRecord {
    fileprivate var json: JSON { ["step": .integer(step), "loss": .number(loss)] }
}

extension CheckpointRecord {
    fileprivate var json: JSON {
        [
            "kind": .string(kind.rawValue), "step": .integer(step), "path": .string(path), "sha256": .string(sha256),
            "bytes": .integer(bytes), "superseded": .bool(isSuperseded),
        ]
    }
}

extension ValidationRecord {
    fileprivate var json: JSON {
        [
            "step": .integer(step), "metric": .string(metric), "value": value.map(JSON.number) ?? .null,
            "n": .integer(n),
        ]
    }
}

extension GateFinding {
    fileprivate var json: JSON {
        [
            "severity": .string(severity.rawValue), "gate": .string(gate), "subject": .string(subject),
            "message": .string(message),
        ]
    }
}

extension EventRecord {
    fileprivate var json: JSON { ["time": .string(time.text), "kind": .string(kind), "message": .string(message)] }
}
