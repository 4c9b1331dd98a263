import Audio
import Checkpoints
import Corpora
public import Failures
import Foundation
import Kernels
import Models
import Parallelism
import Progress
import Runs
import SpecLanguage
import Specs
import SpeechMetrics
import Training

extension Execution {
    /// Evaluates the files that lack a score, and records each as it is done.
    mutating func evaluate(_ task: EvaluationTask) throws {
        let scoring = try register(task)
        let step = try step(of: task, scoring)
        let log = log(of: task)
        emit(.planned(step), log)
        guard step.state != .cached else {
            if scoring.evaluation.status != .finished, task.share == nil {
                try store.end(scoring.evaluation.id, as: .finished)
            }
            summary.cached += 1
            return
        }
        try store.begin(scoring.evaluation.id, provenance: workspace.provenance)
        if let run = registered(task.training)?.run {
            let event = EventRecord(kind: "reason", message: "evaluate [\(task.detail)]: \(step.reason)")
            try store.record(TrainingBatch(events: [event]), of: run.id)
        }
        do {
            try task.precision.apply { try score(task, scoring, log) }
        } catch {
            let isFault = !FailureCategory(of: error).endsCommand
            try? store.end(scoring.evaluation.id, as: isFault ? .failed : .interrupted, reason: "\(error)")
            throw error
        }
        if task.share == nil {
            try store.end(scoring.evaluation.id, as: .finished)
        } else {
            try store.end(scoring.evaluation.id, as: .interrupted, reason: WorkUnit.FileShare.reason)
        }
        emit(.finished(step), log)
        summary.done += 1
    }

    /// An evaluation of the store, and the files that it lacks.
    private struct Scoring {
        var evaluation: Evaluation
        var checkpoint: CheckpointRecord?
        /// The row of each file of the set, by name.
        var files: [String: TestFile.ID]
        /// The column of each metric, by name.
        var columns: [String: ScoredMetric.ID]
        var metrics: [any SpeechMetric]
        var missing: [PairedFile]
        var isBegun: Bool
    }

    // MARK: The store's view

    private func register(_ task: EvaluationTask) throws -> Scoring {
        let rate = task.spec.data.sampleRate
        let checkpoint = try checkpoint(of: task)
        let set = try store.register(
            testSet: task.setName, fingerprint: "\(task.test.fingerprint)", folder: task.test.set.path,
            sampleRate: rate,
            files: task.test.set.files.map { file in
                TestFile(
                    path: file.name, speaker: file.speaker, noise: file.entry?.noise, snr: file.entry?.snr,
                    seconds: (try? SoundFile.header(of: file.noisyPath).duration) ?? 0)
            })
        let evaluation = try store.register(
            EvaluationDraft(
                identity: task.key.stored, subject: try subject(of: task, checkpoint), testSet: set.set.id,
                point: task.storedPoint(workspace.catalog), provenance: workspace.provenance))
        let metrics = task.spec.evaluate.metrics.compactMap { workspace.catalog.metrics[$0.name] }
        let columns = try metrics.map { metric in
            try store.register(
                metric: metric.name, signature: metric.signature(ofAudioAt: rate), unit: metric.unit,
                higherIsBetter: metric.direction == .higherIsBetter)
        }
        let files = Dictionary(
            set.files.compactMap { file in file.id.map { (file.path, $0) } }, uniquingKeysWith: { $1 })
        let scored = Dictionary(grouping: try store.scores(of: evaluation.id), by: \.file).mapValues {
            Set($0.map(\.metric))
        }
        let missing = task.files.filter { file in
            guard let id = files[file.name] else { return true }
            return !Set(columns.map(\.id)).isSubset(of: scored[id] ?? [])
        }
        return Scoring(
            evaluation: evaluation, checkpoint: checkpoint, files: files,
            columns: Dictionary(columns.map { ($0.name, $0.id) }, uniquingKeysWith: { $1 }), metrics: metrics,
            missing: missing,
            isBegun: !scored.isEmpty)
    }

    private func subject(of task: EvaluationTask, _ checkpoint: CheckpointRecord?) throws -> EvaluationSubject {
        switch task.subject {
        case .anchor(let choice): return .anchor(choice.name)
        case .model(let training, _):
            guard let run = registered(training)?.run else {
                throw StoreError(.missing, at: store.path, "the run '\(training.run.name)' was not registered")
            }
            return .run(run.id, checkpoint: checkpoint?.id)
        }
    }

    /// What is to be done of the evaluation now.
    private func step(of task: EvaluationTask, _ scoring: Scoring) throws -> PlanStep {
        let kept = try store.results(of: scoring.evaluation.id).count { $0.output != nil }
        let run = registered(task.training)?.run.id
        return try task.step(
            .init(missing: scoring.missing.count, isBegun: scoring.isBegun, kept: kept),
            knowsOtherAudio: {
                try run.map { try store.evaluations(of: $0) }?.contains {
                    $0.identity != task.key.stored && $0.identity.hasPrefix(task.key.stem)
                } ?? false
            },
            change: { try run.flatMap { try EvaluationChange.describe(task.spec, of: $0, in: store) } })
    }

    // MARK: Scores

    private func score(_ task: EvaluationTask, _ scoring: Scoring, _ log: RunLog?) throws {
        let evaluator = FileEvaluator(
            sampleRate: task.spec.data.sampleRate, rates: task.spec.ratePolicy, metrics: scoring.metrics,
            noiseSeed: task.noiseSeed)
        let output = try output(of: task)
        let kept = keptFiles(of: task)
        let label = registered(task.training).map { "\($0.run.name) \(task.detail)" } ?? "\(task.name) \(task.detail)"
        let start = ContinuousClock.now
        let (process, model) = try process(task, scoring, evaluator)
        func record(_ outcome: FileEvaluator.Outcome, _ done: Int) throws {
            guard let id = scoring.files[outcome.file.name] else { return }
            let path = kept.contains(outcome.file.name) ? try keep(outcome, of: task, in: output) : nil
            try store.record(
                scores: scores(outcome, id, scoring.columns), results: [try outcome.result(of: id, output: path)],
                of: scoring.evaluation.id)
            emit(
                .evaluated(
                    run: task.name, label: label, file: outcome.file.name, done: done, of: scoring.missing.count,
                    secondsLeft: start.secondsUntilNow / Double(done) * Double(scoring.missing.count - done)), log)
        }
        guard scoring.missing.count > 1, let team = workspace.team, let subject = task.inOrder else {
            try evaluator.evaluate(
                scoring.missing, interruption: executor.interruption, process: process, done: record)
            return
        }
        let order = ScoringOrder(task, subject, missing: scoring.missing, kept: kept)
        let counts = try TeamScoring(team: team, order: order, evaluator: evaluator, process: process)
            .lead(model, executor.interruption, done: record)
        if let run = registered(task.training)?.run {
            let shares = counts.map(String.init).joined(separator: ", ")
            let event = EventRecord(kind: "processes", message: "evaluate [\(task.detail)]: files by rank: \(shares)")
            try store.record(TrainingBatch(events: [event]), of: run.id)
        }
    }

    /// What makes the enhanced signal of a file, and the model that it takes.
    private func process(
        _ task: EvaluationTask, _ scoring: Scoring, _ evaluator: FileEvaluator
    ) throws -> (FileEvaluator.Process, ScoreModel?) {
        switch task.subject {
        case .anchor(let choice):
            return (try FileEvaluator.filtering(choice, at: task.spec.data.sampleRate, workspace.catalog), nil)
        case .model(let training, let evaluation):
            let point = evaluation.point
            let builder = ModelBuilder(spec: task.spec, catalog: workspace.catalog)
            guard let checkpoint = scoring.checkpoint else {
                throw MissingCheckpoint(run: task.name, checkpoint: SettingValue.choice(point.checkpoint).compact)
            }
            let path = try workspace.verified(checkpoint)
            let model = try builder.model(seed: training.key.seed)
            try model.load(TrainingCheckpoint.weights(at: path, averaged: point.weights == .ema, model: model))
            return (try evaluator.enhancing(model, builder, point, task.test.set.files), model)
        }
    }

    /// The score of each metric, with the row number of the metric of that name.
    private func scores(_ outcome: FileEvaluator.Outcome, _ file: TestFile.ID, _ columns: [String: ScoredMetric.ID])
        -> [Score]
    {
        outcome.metrics.compactMap { metric in
            columns[metric.name].map { column in
                Score(
                    file: file, metric: column,
                    outcome: metric.value.map { .value($0) } ?? .failed(metric.failure.map { "\($0)" } ?? ""))
            }
        }
    }

    // MARK: Files

    /// Where the enhanced audio goes, relative to the store's folder; `nil` where there is none to keep.
    private func output(of task: EvaluationTask) throws -> String? {
        guard task.makesAudio else { return nil }
        switch task.subject {
        case .anchor(let choice):
            return "anchors/\(choice.name)/\(task.setName)-\(task.test.fingerprint.digest.hex.prefix(8))"
        case .model(let training, let evaluation):
            // The identity keeps two evaluations apart that differ in what the name does not say.
            let steps = evaluation.point.N.map { "-N\($0)" } ?? ""
            let name = "\(evaluation.point.sampler.name)\(steps)-\(evaluation.identity.short)"
            return registered(training).map { "\($0.run.folder)/audio/\(task.setName)/\(name)" }
        }
    }

    /// The files of the set whose enhanced audio the spec keeps.
    private func keptFiles(of task: EvaluationTask) -> Set<String> {
        guard task.makesAudio else { return [] }
        let files = task.test.set.files
        return Set(files.prefix(task.spec.evaluate.keptFiles(of: files.count)).map(\.name))
    }

    /// Writes the enhanced file; the path is relative to the store's folder.
    private func keep(_ outcome: FileEvaluator.Outcome, of task: EvaluationTask, in folder: String?) throws -> String? {
        guard let folder else { return nil }
        let relative = folder + "/" + outcome.file.name
        let path = try workspace.makeFolder(for: relative)
        try SoundFile.write(outcome.processed.audio, sampleRate: task.spec.data.sampleRate, to: path)
        return relative
    }

    /// The checkpoint that an evaluation of a run names; `nil` for an anchor.
    private func checkpoint(of task: EvaluationTask) throws -> CheckpointRecord? {
        guard case .model(let training, let evaluation) = task.subject, let run = registered(training)?.run else {
            return nil
        }
        let choice = evaluation.point.checkpoint
        let kind: CheckpointRecord.Kind =
            switch choice.checkpointForm {
            case .bestPESQ: .bestPESQ
            case .bestSISDR: .bestSISDR
            case .step: .step
            // A file is what its run keeps as its last step.
            case .last, .file, nil: .last
            }
        guard let found = try store.checkpoint(of: run.id, kind: kind, step: choice.settings.optionalInteger("step"))
        else {
            throw MissingCheckpoint(run: run.name, checkpoint: SettingValue.choice(choice).compact)
        }
        return found
    }
}

extension FileEvaluator.Outcome {
    /// What it took to make the enhanced file.
    fileprivate func result(of file: TestFile.ID, output: String?) throws -> FileResult {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return FileResult(
            file: file, nfe: processed.nfe, seconds: processed.seconds, realTimeFactor: processed.seconds / duration,
            output: output,
            reference: try processed.reference.map { String(decoding: try encoder.encode($0), as: UTF8.self) })
    }
}

/// A run that never kept the checkpoint that an evaluation names, such as the best one without validation files.
public struct MissingCheckpoint: Diagnostic, Hashable, Sendable {
    /// The name of the run.
    public var run: String
    /// The checkpoint as the spec names it, such as `best_pesq`.
    public var checkpoint: String

    public var summary: String {
        let why =
            checkpoint.hasPrefix("best_")
            ? "nothing was validated, or no file had a value of that metric"
            : "train.checkpoint_every keeps single steps"
        return "run \(run) has no checkpoint '\(checkpoint)': \(why)"
    }
    public var hint: String? { "evaluate.checkpoint: last is always there" }
    public var category: FailureCategory { .work }
    public var description: String { line }
}
