import Audio
import Checkpoints
import Corpora
import Foundation
import Models
import Parallelism
import Runs
import Specs
import SpeechMetrics

/// Evaluations of runs and of anchors.
extension Executor {
    func evaluate(_ evaluation: SpecEvaluation, _ part: RunPart, _ summary: inout Summary) throws {
        let one = part.one
        let point = evaluation.point
        guard let run = part.run, let test = part.data.tests[point.set.name] else { return }
        let builder = ModelBuilder(spec: one.spec, catalog: workspace.catalog)
        let checkpoint = try checkpoint(point.checkpoint, of: run)
        // The identity keeps two evaluations apart that differ in what the name does not say.
        let steps = point.N.map { "-N\($0)" } ?? ""
        let folder = "\(run.folder)/audio/\(point.set.name)/\(point.sampler.name)\(steps)-\(evaluation.identity.short)"
        let job = EvaluationJob(
            subject: .run(run.id, checkpoint: checkpoint.id), label: "\(run.name) \(evaluation.label)",
            identity: part.identity(of: evaluation, on: test),
            point: storedPoint(point, of: one.spec), test: test, name: point.set.name, noiseSeed: UInt64(point.noiseSeed), output: folder)
        try perform(job, part, kind: .evaluate, subject: run.name, detail: evaluation.label, &summary) { evaluator in
            let path = try workspace.verified(checkpoint)
            let model = try builder.model(seed: UInt64(one.seed))
            try model.load(TrainingCheckpoint.weights(at: path, averaged: point.weights == "ema", model: model))
            return evaluator.enhancing(
                try builder.enhancer(model, point), references: builder.references(point, test.set.files))
        }
    }

    func anchor(_ choice: Choice, _ name: String, _ part: RunPart, _ summary: inout Summary) throws {
        guard let test = part.data.tests[name] else { return }
        let filter = try workspace.catalog.anchors.make(choice)
        let rate = part.one.spec.data.sampleRate
        let job = EvaluationJob(
            subject: .anchor(choice.name), label: "\(choice.name) \(name)",
            identity: part.identity(ofAnchor: choice, on: test),
            point: .init(), test: test, name: name, noiseSeed: 0,
            output: choice.name == "noisy" ? nil : "anchors/\(choice.name)/\(name)-\(test.fingerprint.prefix(8))")
        try perform(job, part, kind: .anchor, subject: choice.name, detail: name, &summary) { _ in
            { recording in
                let start = ContinuousClock.now
                let audio = try filter(recording.noisy, sampleRate: rate)
                return FileEvaluator.Processed(audio: audio, seconds: start.secondsUntilNow)
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
        _ job: EvaluationJob, _ part: RunPart, kind: PlanStep.Kind, subject: String, detail: String,
        _ summary: inout Summary, process: (FileEvaluator) throws -> FileEvaluator.Process
    ) throws {
        let spec = part.one.spec
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
        let kept = try store.results(of: known.id).count { $0.output != nil }
        let point = PreparedData.point(ofIdentity: job.identity)
        let step = try PlanStep.scoring(
            kind, subject, detail, files: ids.count, missing: missing.count, isBegun: !scored.isEmpty,
            lacksAudio: job.output != nil && spec.evaluate.lacksAudio(kept: kept, of: ids.count),
            knowsOtherAudio: part.run.map { run in
                try store.evaluations(of: run.id).contains { $0.identity != job.identity && PreparedData.point(ofIdentity: $0.identity) == point }
            } ?? false)
        tell(.planned(step), part)
        guard step.state != .cached else {
            if known.status != .finished { try store.end(known.id, as: .finished) }
            return summary.cached += 1
        }

        let evaluator = FileEvaluator(
            sampleRate: rate, rates: spec.ratePolicy, metrics: metrics, noiseSeed: job.noiseSeed)
        try store.begin(known.id, provenance: workspace.provenance)
        if case .run(let run, _) = job.subject {
            let event = EventRecord(kind: "reason", message: "evaluate [\(detail)]: \(step.reason)")
            try store.record(TrainingBatch(events: [event]), of: run)
        }
        do {
            let start = ContinuousClock.now
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try evaluator.evaluate(missing, interruption: interruption, process: try process(evaluator)) {
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
                            realTimeFactor: outcome.processed.seconds / outcome.duration, output: path,
                            reference: try outcome.processed.reference.map { String(decoding: try encoder.encode($0), as: UTF8.self) })
                    ], of: known.id)
                tell(
                    .evaluated(
                        run: subject, label: job.label, file: outcome.file.name, done: done, of: missing.count,
                        secondsLeft: start.secondsUntilNow / Double(done) * Double(missing.count - done)), part)
            }
        } catch {
            let isFault = !(error is Interrupted || isMachineFailure(error))
            try? store.end(known.id, as: isFault ? .failed : .interrupted, reason: "\(error)")
            throw error
        }
        try store.end(known.id, as: .finished)
        tell(.finished(step), part)
        summary.done += 1
    }

    /// Writes the enhanced file if the spec keeps it; the path is relative to the store's folder.
    private func keep(
        _ outcome: FileEvaluator.Outcome, _ job: EvaluationJob, _ spec: ExperimentSpec, number: Int
    ) throws -> String? {
        guard let folder = job.output, number <= spec.evaluate.keptFiles(of: .max) else { return nil }
        let relative = folder + "/" + outcome.file.name
        let path = try workspace.makeRoom(for: relative)
        try SoundFile.write(outcome.processed.audio, sampleRate: spec.data.sampleRate, to: path)
        return relative
    }

    /// The checkpoint a point names.
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
            throw MissingCheckpoint(run: run.name, checkpoint: SettingValue.choice(choice).compact)
        }
        return found
    }

    private func storedPoint(_ point: Specs.EvaluationPoint, of spec: ExperimentSpec) -> Runs.EvaluationPoint {
        let settings = point.sampler.settings
        var other = unusualSettings(of: point.sampler)
        if let segment = point.segment { other.append("segments of \(SettingValue.number(segment).compact) s") }
        return .init(
            steps: point.N, sampler: point.sampler.name, predictor: settings.optionalChoice("predictor")?.name,
            corrector: settings.optionalChoice("corrector")?.name,
            correctorSteps: settings.optionalInteger("corrector_steps"), snr: settings.optionalNumber("snr"),
            guidance: point.guidance, reference: point.reference?.name(inTraining: spec.conditioning?.refNumFrames),
            weights: point.weights, noiseSeed: UInt64(point.noiseSeed),
            other: other.isEmpty ? nil : other.joined(separator: ", "))
    }

    /// What a sampler is given that has no column of its own, as far as it is not the default.
    private func unusualSettings(of sampler: Choice) -> [String] {
        let vocabulary = workspace.catalog.vocabulary
        guard let usual = vocabulary[.sampler, sampler.name]?.defaults(vocabulary) else { return [] }
        return sampler.settings
            .filter { !["predictor", "corrector", "corrector_steps", "snr"].contains($0.name) && usual[$0.name] != $0.value }
            .map { "\($0.name)=\($0.value.compact)" }
    }
}

extension EvaluateSpec {
    /// How many of `count` files have their enhanced audio kept.
    func keptFiles(of count: Int) -> Int {
        switch keepAudio {
        case "all": count
        case "examples": min(4, count)
        default: 0
        }
    }

    /// Whether an evaluation that kept the audio of `kept` files kept less than this spec asks for.
    func lacksAudio(kept: Int, of count: Int) -> Bool {
        kept < min(keptFiles(of: count), StoreInventory.Scoring.mostCounted)
    }
}

extension SpeechMetric {
    /// The signature for audio at `rate`, lowered to what the metric accepts.
    func signature(ofAudioAt rate: Int) -> String {
        signature(at: rates.accepts(rate) ? rate : rates.target(for: rate) ?? rate)
    }
}
