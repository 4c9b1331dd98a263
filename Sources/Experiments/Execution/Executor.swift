import Audio
import Corpora
import Foundation
import Runs
import Specs
import SpeechMetrics

/// Does what a spec asks for and is not done yet: data, training, evaluations, anchors.
public struct Executor: Sendable {
    public let workspace: Workspace
    public let interruption: Interruption
    public let observe: @Sendable (ExperimentEvent) -> Void

    public init(
        workspace: Workspace, interruption: Interruption = Interruption(),
        observe: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }
    ) {
        self.workspace = workspace
        self.interruption = interruption
        self.observe = observe
    }

    private var store: RunStore { workspace.store }

    /// What became of a spec.
    public struct Summary: Sendable {
        public var runs: [Run.ID] = []
        /// Steps that were computed now.
        public var done = 0
        /// Steps that were done before.
        public var cached = 0
        public var failed: [(step: PlanStep, reason: String)] = []
    }

    /// Runs every run of a spec; a run that fails does not stop the others.
    ///
    /// - Throws: `Interrupted`, a gate's `GateFailure`, or what concerns all runs alike, such as a full disk.
    public func execute(_ loaded: LoadedSpec) throws -> Summary {
        var summary = Summary()
        let findings = try ProtocolGate.enter(loaded, workspace.catalog)
        var preparer = DataPreparer(workspace: workspace, observe: observe)
        for one in loaded.runs {
            try interruption.check()
            var data = try preparer.prepare(one.spec)
            guard one.spec.hasModel else {
                try anchors(one, data, &summary)
                continue
            }
            try data.add(StartingPoint(one.spec.train.initFrom, store: store, folder: workspace.folder))
            let run = try register(one, loaded, data)
            summary.runs.append(run.id)
            try record(data.findings + findings, of: run, waived: one.spec.waive)
            do {
                try train(one, run, data, &summary)
                for evaluation in one.evaluations { try evaluate(evaluation, one, run, data, &summary) }
            } catch let error as TrainingFailure {
                try store.end(run.id, as: .failed, reason: error.description)
                let step = PlanStep(kind: .train, subject: run.name, state: .new, reason: "failed")
                observe(.failed(step, reason: error.description))
                summary.failed.append((step, error.description))
            }
            try anchors(one, data, &summary)
        }
        return summary
    }

    /// Findings as the store keeps them; a waived error is a warning with its reason.
    private func record(_ findings: [Finding], of run: Run, waived: [String: String]) throws {
        let kept = findings.map { finding -> GateFinding in
            let reason = finding.severity == .error ? waived[finding.code.rawValue] : nil
            let severity: GateFinding.Severity =
                switch finding.severity {
                case .note: .note
                case .warning: .warning
                case .error: reason == nil ? .failure : .warning
                }
            return GateFinding(
                subject: finding.set, gate: finding.code.rawValue, severity: severity,
                message: finding.message + (reason.map { " (waived: \($0))" } ?? ""), run: run.id)
        }
        try store.record(kept)
    }

    private func register(_ one: SpecRun, _ loaded: LoadedSpec, _ data: PreparedData) throws -> Run {
        let written = (try? String(contentsOfFile: loaded.file, encoding: .utf8)) ?? ""
        let resolved = String(decoding: try JSONEncoder().encode(SettingValue.section(one.spec.settings)), as: UTF8.self)
        let key = RunKey(identity: one.identity.hex, seed: UInt64(one.seed), dataFingerprint: data.fingerprint)
        if loaded.profile == nil, let known = try store.run(key: key) { try one.spec.refuseAnotherName(of: known, in: store) }
        return try store.register(
            RunDraft(
                name: one.name, key: key,
                spec: StoredSpec(file: loaded.file, written: written, resolved: resolved),
                provenance: workspace.provenance, tags: one.spec.tags))
    }

    // MARK: Training

    private func train(_ one: SpecRun, _ run: Run, _ data: PreparedData, _ summary: inout Summary) throws {
        let total = Trainer.totalSteps(one.spec.train, files: data.training.files.count)
        let last = try store.checkpoint(of: run.id, kind: .last)
        let isThere = last.map { FileManager.default.fileExists(atPath: workspace.folder + "/" + $0.path) } ?? false
        let isGone = try last != nil && !isThere && !isEvaluated(one, run)
        let step = PlanStep.training(
            run.name, steps: total,
            .init(
                isFinished: run.status == .finished, reached: isThere || run.status == .finished ? last?.step : nil,
                reason: run.reason, missingFile: isGone ? last?.path : nil),
            change: try? Predecessor.find(of: one.spec, name: one.name, key: run.key, in: store)?.description)
        observe(.planned(step))
        guard step.state != .cached else { return summary.cached += 1 }
        try store.begin(run.id, provenance: workspace.provenance)
        try store.record(TrainingBatch(events: [.init(kind: "reason", message: "train: \(step.reason)")]), of: run.id)
        let trainer = Trainer(
            workspace: workspace, run: run, builder: ModelBuilder(spec: one.spec, catalog: workspace.catalog),
            identity: one.identity.hex, seed: UInt64(one.seed), training: data.training.files,
            validation: data.validation?.files ?? [], interruption: interruption, observe: observe)
        do {
            try trainer.train()
        } catch let error as Interrupted {
            try store.end(run.id, as: .interrupted, reason: "interrupted")
            throw error
        } catch let error as TrainingFailure {
            throw error
        } catch {
            try? store.end(run.id, as: .failed, reason: "\(error)")
            throw error
        }
        try store.end(run.id, as: .finished)
        observe(.finished(step))
        summary.done += 1
    }

    /// Whether every evaluation was finished, so that the weights are no longer needed.
    private func isEvaluated(_ one: SpecRun, _ run: Run) throws -> Bool {
        let finished = Set(try store.evaluations(of: run.id).filter { $0.status == .finished }.map(\.identity))
        return one.evaluations.allSatisfy { wanted in
            finished.contains { $0.hasPrefix(wanted.identity.hex + "|" + run.key.dataFingerprint) }
        }
    }

    // MARK: Evaluation

    private func evaluate(
        _ evaluation: SpecEvaluation, _ one: SpecRun, _ run: Run, _ data: PreparedData, _ summary: inout Summary
    ) throws {
        let point = evaluation.point
        guard let test = data.tests[point.set.name] else { return }
        let builder = ModelBuilder(spec: one.spec, catalog: workspace.catalog)
        let checkpoint = try checkpoint(point.checkpoint, of: run)
        // The identity keeps two evaluations apart that differ in what the name does not say.
        let steps = point.N.map { "-N\($0)" } ?? ""
        let folder = "\(run.folder)/audio/\(point.set.name)/\(point.sampler.name)\(steps)-\(evaluation.identity.short)"
        let job = EvaluationJob(
            subject: .run(run.id, checkpoint: checkpoint.id), label: "\(run.name) \(evaluation.label)",
            identity: "\(evaluation.identity.hex)|\(run.key.dataFingerprint)|\(test.fingerprint)",
            point: storedPoint(point), test: test, name: point.set.name, noiseSeed: UInt64(point.noiseSeed), output: folder)
        try perform(job, one.spec, kind: .evaluate, subject: run.name, detail: evaluation.label, &summary) { evaluator in
            let model = try builder.model(seed: UInt64(one.seed))
            try model.backbone.load(
                TrainingCheckpoint.weights(
                    at: workspace.folder + "/" + checkpoint.path, averaged: point.weights == "ema", backbone: model.backbone))
            return evaluator.enhancing(try builder.enhancer(model, point))
        }
    }

    private func anchors(_ one: SpecRun, _ data: PreparedData, _ summary: inout Summary) throws {
        for choice in one.spec.evaluate.anchors {
            let filter = try workspace.catalog.anchors.make(choice)
            let rate = one.spec.data.sampleRate
            for (name, test) in data.tests.sorted(by: { $0.key < $1.key }) {
                let job = EvaluationJob(
                    subject: .anchor(choice.name), label: "\(choice.name) \(name)",
                    identity: "anchor|\(SettingValue.choice(choice).compact)|\(rate)|\(test.fingerprint)",
                    point: .init(), test: test, name: name, noiseSeed: 0,
                    output: choice.name == "noisy" ? nil : "anchors/\(choice.name)/\(name)-\(test.fingerprint.prefix(8))")
                try perform(job, one.spec, kind: .anchor, subject: choice.name, detail: name, &summary) { _ in
                    { noisy, _ in
                        let start = ContinuousClock.now
                        let audio = try filter(noisy, sampleRate: rate)
                        return FileEvaluator.Processed(audio: audio, seconds: start.secondsUntilNow)
                    }
                }
            }
        }
    }

    /// Everything that names one evaluation in the store.
    private struct EvaluationJob {
        var subject: EvaluationSubject
        var label: String
        var identity: String
        var point: Runs.EvaluationPoint
        var test: PreparedData.TestData
        var name: String
        var noiseSeed: UInt64
        /// Where enhanced audio goes, relative to the store's folder; `nil` where there is none to keep.
        var output: String?
    }

    /// Evaluates the files that lack a score, and records each as it is done.
    private func perform(
        _ job: EvaluationJob, _ spec: ExperimentSpec, kind: PlanStep.Kind, subject: String, detail: String,
        _ summary: inout Summary, process: (FileEvaluator) throws -> FileEvaluator.Process
    ) throws {
        let rate = spec.data.sampleRate
        let metrics = spec.evaluate.metrics.compactMap { workspace.catalog.metrics[$0.name] }
        let registered = try store.register(
            testSet: job.name, fingerprint: job.test.fingerprint, folder: job.test.set.path, sampleRate: rate,
            files: job.test.set.files.map { file in
                TestFile(
                    path: file.name, speaker: file.speaker, noise: file.entry?.noise, snr: file.entry?.snr,
                    seconds: (try? SoundFile.header(of: file.noisyPath).duration) ?? 0)
            })
        let ids = Dictionary(registered.files.compactMap { file in file.id.map { (file.path, $0) } }, uniquingKeysWith: { $1 })
        let draft = EvaluationDraft(
            identity: job.identity, subject: job.subject, testSet: registered.set.id, point: job.point,
            provenance: workspace.provenance)
        let known = try store.register(draft)
        let columns = try metrics.map { metric in
            try store.register(
                metric: metric.name, signature: metric.signature(ofAudioAt: rate), unit: metric.unit,
                higherIsBetter: metric.direction == .higherIsBetter)
        }
        let scored = Dictionary(grouping: try store.scores(of: known.id), by: \.file).mapValues { Set($0.map(\.metric)) }
        let missing = job.test.set.files.filter { file in
            guard let id = ids[file.name] else { return true }
            return !Set(columns.map(\.id)).isSubset(of: scored[id] ?? [])
        }
        let step = PlanStep.scoring(
            kind, subject, detail, files: ids.count, missing: missing.count, isBegun: !scored.isEmpty)
        observe(.planned(step))
        guard step.state != .cached else {
            if known.status != .finished { try store.end(known.id, as: .finished) }
            return summary.cached += 1
        }

        let evaluator = FileEvaluator(
            sampleRate: rate, resamples: spec.data.resample, metrics: metrics, noiseSeed: job.noiseSeed)
        try store.begin(known.id, provenance: workspace.provenance)
        if case .run(let run, _) = job.subject {
            let event = EventRecord(kind: "reason", message: "evaluate [\(detail)]: \(step.reason)")
            try store.record(TrainingBatch(events: [event]), of: run)
        }
        do {
            let start = ContinuousClock.now
            try evaluator.evaluate(missing, set: job.name, interruption: interruption, process: try process(evaluator)) {
                outcome, done in
                guard let id = ids[outcome.file.name] else { return }
                let path = try keep(outcome, job, spec, number: done)
                try store.record(
                    scores: zip(columns, outcome.metrics).map { column, metric in
                        Score(file: id, metric: column.id, outcome: metric.value.map { .value($0) } ?? .failed(metric.failure.map { "\($0)" } ?? ""))
                    },
                    results: [
                        FileResult(
                            file: id, nfe: outcome.processed.nfe, seconds: outcome.processed.seconds,
                            realTimeFactor: outcome.processed.seconds / outcome.duration, output: path)
                    ], of: known.id)
                observe(
                    .evaluated(
                        label: job.label, file: outcome.file.name, done: done, of: missing.count,
                        secondsLeft: start.secondsUntilNow / Double(done) * Double(missing.count - done)))
            }
        } catch {
            try? store.end(known.id, as: error is Interrupted ? .interrupted : .failed, reason: "\(error)")
            throw error
        }
        try store.end(known.id, as: .finished)
        observe(.finished(step))
        summary.done += 1
    }

    /// Writes the enhanced file if the spec keeps it; the path is relative to the store's folder.
    private func keep(
        _ outcome: FileEvaluator.Outcome, _ job: EvaluationJob, _ spec: ExperimentSpec, number: Int
    ) throws -> String? {
        let isKept = spec.evaluate.keepAudio == "all" || (spec.evaluate.keepAudio == "examples" && number <= 4)
        guard let folder = job.output, isKept else { return nil }
        let relative = folder + "/" + outcome.file.name
        let path = workspace.folder + "/" + relative
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try SoundFile.write(outcome.processed.audio, sampleRate: spec.data.sampleRate, to: path)
        return relative
    }

    /// The checkpoint a point names; the last one where the best was never found, as without validation files.
    private func checkpoint(_ choice: Choice, of run: Run) throws -> CheckpointRecord {
        let kind: CheckpointRecord.Kind =
            switch choice.name {
            case "best_pesq": .bestPESQ
            case "best_si_sdr": .bestSISDR
            case "step": .step
            default: .last
            }
        let found = try store.checkpoint(of: run.id, kind: kind, step: choice.settings.optionalInteger("step"))
        guard let found else {
            throw IncompatibleParts(
                reason: "run \(run.name) has no checkpoint '\(SettingValue.choice(choice).compact)'; set evaluate.checkpoint to last")
        }
        return found
    }

    private func storedPoint(_ point: Specs.EvaluationPoint) -> Runs.EvaluationPoint {
        let settings = point.sampler.settings
        return .init(
            steps: point.N, sampler: point.sampler.name, predictor: settings.optionalChoice("predictor")?.name,
            corrector: settings.optionalChoice("corrector")?.name,
            correctorSteps: settings.optionalInteger("corrector_steps"), snr: settings.optionalNumber("snr"),
            guidance: point.guidance, reference: point.reference?.mode, weights: point.weights,
            noiseSeed: UInt64(point.noiseSeed), other: nil)
    }
}

extension SpeechMetric {
    /// The signature for audio at `rate`, lowered to what the metric accepts.
    func signature(ofAudioAt rate: Int) -> String {
        signature(at: rates.accepts(rate) ? rate : rates.target(for: rate) ?? rate)
    }
}
