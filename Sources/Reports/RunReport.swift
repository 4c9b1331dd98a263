import Runs

/// All that the store knows of one run, its mean scores among it.
public struct RunReport: Sendable {
    /// One evaluation with its scores in short.
    public struct Evaluated: Sendable {
        public var evaluation: Evaluation
        public var set: String
        /// By metric, in the order in which the store knows them.
        public var scores: [(metric: ScoredMetric, statistic: Statistic)]
    }

    public let run: Run
    /// The run's folder, as a path.
    public let folder: String
    public let spec: StoredSpec
    public let lastStep: StepRecord?
    public let checkpoints: [CheckpointRecord]
    public let evaluations: [Evaluated]
    public let validations: [ValidationRecord]
    public let findings: [GateFinding]
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
            let means = metrics.compactMap { metric in
                scores[metric.id].map { (metric, Statistic($0.map { $0.outcome.value ?? .nan })) }
            }
            evaluations.append(Evaluated(evaluation: evaluation, set: sets[evaluation.testSet] ?? "", scores: means))
        }
        self.evaluations = evaluations
    }

    /// A line for each fact, its name before it.
    public var text: String {
        let provenance = run.provenance
        var facts: [(String, String)] = [
            ("run", run.name), ("id", run.shortID), ("status", run.status.rawValue + (run.reason.map { ": \($0)" } ?? "")),
            ("seed", String(run.key.seed)), ("identity", run.key.identity), ("data", run.key.dataFingerprint),
            ("step", lastStep.map { "\($0.step), loss \($0.loss)" } ?? "none"), ("folder", folder),
            ("commit", provenance.gitCommit + (provenance.isDirty ? " (with changes)" : "")),
            ("program", "sgmse \(provenance.version), \(provenance.threads) threads"), ("machine", provenance.machine),
            ("command", provenance.commandLine), ("spec", spec.file ?? "none"), ("started", run.started?.text ?? "never"),
            ("ended", run.ended?.text ?? "not yet"), ("tags", run.tags.joined(separator: " ")), ("notes", run.notes),
        ]
        facts += checkpoints.map { ("checkpoint", "\($0.kind.rawValue) at step \($0.step): \($0.path), sha256 \($0.sha256)") }
        for one in evaluations {
            facts.append(("evaluation", one.description))
            facts += one.scores.map { ("  score", $0.metric.name + " " + Self.text(of: $0.statistic, $0.metric)) }
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

    /// The same as a document; every validation is in it.
    public var json: JSON {
        [
            "run": run.json, "path": .string(folder), "spec_file": JSON(spec.file),
            "last_step": lastStep.map { ["step": .integer($0.step), "loss": .number($0.loss)] } ?? .null,
            "checkpoints": .array(
                checkpoints.map {
                    [
                        "kind": .string($0.kind.rawValue), "step": .integer($0.step), "path": .string($0.path),
                        "sha256": .string($0.sha256), "bytes": .integer($0.bytes), "superseded": .bool($0.isSuperseded),
                    ]
                }),
            "evaluations": .array(evaluations.map(\.json)),
            "validations": .array(
                validations.map {
                    [
                        "step": .integer($0.step), "metric": .string($0.metric),
                        "value": $0.value.map(JSON.number) ?? .null, "n": .integer($0.n),
                    ]
                }),
            "findings": .array(
                findings.map {
                    [
                        "severity": .string($0.severity.rawValue), "gate": .string($0.gate), "subject": .string($0.subject),
                        "message": .string($0.message),
                    ]
                }),
            "events": .array(events.map(\.json)),
        ]
    }
}

extension RunReport.Evaluated: CustomStringConvertible {
    /// `test, N = 30: last of step 6, ema weights, finished`
    public var description: String {
        let used = evaluation.checkpoint.map { "\($0.kind.rawValue) of step \($0.step)" } ?? "no checkpoint"
        let steps = evaluation.point.steps.map { ", N = \($0)" } ?? ""
        return "\(set)\(steps): \(used), \(evaluation.point.weights ?? "") weights, \(evaluation.status.rawValue)"
    }

    var json: JSON {
        let point = evaluation.point
        return [
            "set": .string(set), "N": JSON(point.steps), "sampler": JSON(point.sampler),
            "guidance": point.guidance.map(JSON.number) ?? .null, "reference": JSON(point.reference),
            "weights": JSON(point.weights), "checkpoint": JSON(evaluation.checkpoint?.kind.rawValue),
            "step": JSON(evaluation.checkpoint?.step), "status": .string(evaluation.status.rawValue),
            "scores": .array(
                scores.map { metric, statistic in
                    .object([
                        .init("metric", .string(metric.name)), .init("unit", .string(metric.unit)),
                        .init("signature", .string(metric.signature)), .init("mean", .number(statistic.mean)),
                        .init("std", .number(statistic.std)), .init("n", .integer(statistic.n)),
                        .init("plus_infinite", .integer(statistic.positiveInfinities)),
                        .init("minus_infinite", .integer(statistic.negativeInfinities)),
                        .init("missing", .integer(statistic.missing)),
                    ])
                }),
        ]
    }
}

extension EventRecord {
    /// The event as a document.
    public var json: JSON { ["time": .string(time.text), "kind": .string(kind), "message": .string(message)] }
}
