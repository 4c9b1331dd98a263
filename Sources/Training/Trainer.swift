import Audio
import Checkpoints
import Corpora
import Foundation
import Kernels
import Models
import Objectives
import Parallelism
import Runs
import Specs
import SpeechMetrics
import Tensors

/// Trains one run from wherever it stands to its last step, and tells the store everything.
public struct Trainer {
    let workspace: Workspace
    let run: Run
    let builder: ModelBuilder
    let identity: String
    let seed: UInt64
    let training: [PairedFile]
    let validation: [PairedFile]
    let interruption: Interruption
    let observe: @Sendable (TrainingEvent) -> Void

    /// - Parameters:
    ///   - identity: The training's, which its checkpoints carry.
    ///   - training: The files to learn from.
    ///   - observe: Called on the training thread.
    public init(
        workspace: Workspace, run: Run, builder: ModelBuilder, identity: String, seed: UInt64, training: [PairedFile],
        validation: [PairedFile], interruption: Interruption, observe: @escaping @Sendable (TrainingEvent) -> Void
    ) {
        (self.workspace, self.run, self.builder, self.identity, self.seed) = (workspace, run, builder, identity, seed)
        (self.training, self.validation) = (training, validation)
        (self.interruption, self.observe) = (interruption, observe)
    }

    private var spec: TrainSpec { builder.spec.train }
    private var folder: String { workspace.folder + "/" + run.folder }

    /// The number of optimizer steps the spec asks for: those of `max_steps` or `max_epochs`, whichever come first.
    public static func totalSteps(_ spec: TrainSpec, files: Int) -> Int {
        let perEpoch = max(1, files / spec.effectiveBatch)
        return [spec.maxSteps, spec.maxEpochs.map { $0 * perEpoch }].compactMap(\.self).min() ?? 100 * perEpoch
    }

    public func train() throws {
        let model = try builder.model(seed: seed)
        let state = TrainingState(
            model: model, loss: try builder.loss(), rate: spec.lr, averageDecay: spec.emaDecay, clip: spec.gradClip)
        let total = Self.totalSteps(spec, files: training.count)
        guard total > 0 else { return try keepStart(state) }
        let data = TrainingData(
            files: training, spec: builder.spec, frontEnd: builder.frontEnd, seed: seed)
        var records = TrainingBatch()
        var best = try start(state, &records) ? bestSoFar() : [:]
        let history = try workspace.store.steps(of: run.id).filter { $0.step <= state.step }
        var watch = LossWatch(growth: spec.maxLossGrowth, history: history.map(\.loss))
        var secondsSpent = history.reduce(0) { $0 + $1.seconds }
        let validateEvery = spec.validateEvery ?? max(1, training.count / spec.effectiveBatch)
        // A validation that was interrupted is made before the next step.
        let isDue = state.step > 0 && (state.step % validateEvery == 0 || state.step == total) && !validation.isEmpty
        var isOwed = try isDue && !workspace.store.validations(of: run.id).contains { $0.step == state.step }
        observe(.started(folder: folder, step: state.step, of: total))
        var (lastFlush, lastCheckpoint) = (ContinuousClock.now, ContinuousClock.now)
        var pace = Pace(step: state.step)

        while state.step < total || isOwed {
            if interruption.isRequested {
                try save(state, [.last], &records, best)
                try flush(&records)
                throw Interrupted()
            }
            if isOwed {
                isOwed = false
            } else {
                secondsSpent += try step(state, of: total, data, &records, &watch, &pace)
            }

            let isBudgetSpent = spec.maxHours.map { secondsSpent >= $0 * 3600 } ?? false
            var kinds: Set<CheckpointRecord.Kind> = []
            let isValidated = state.step % validateEvery == 0 || state.step == total || isBudgetSpent
            if isValidated {
                let scores: [Validated]
                do {
                    scores = try validate(state, data)
                } catch let error as Interrupted {
                    try save(state, [.last], &records, best)
                    try flush(&records)
                    throw error
                }
                records.validations += scores.map {
                    ValidationRecord(step: state.step, metric: $0.metric, value: $0.value, n: $0.n)
                }
                observe(.validated(step: state.step, scores: scores.map { .init(metric: $0.metric, value: $0.value) }))
                for (kind, metric) in [(CheckpointRecord.Kind.bestPESQ, "pesq"), (.bestSISDR, "si_sdr")] {
                    guard let value = scores.first(where: { $0.metric == metric })?.value, value > best[kind] ?? -.infinity
                    else { continue }
                    best[kind] = value
                    kinds.insert(kind)
                }
                kinds.insert(.last)
                pace.forget(state.step)
            }
            if let every = spec.checkpointEvery, state.step % every == 0 { kinds.insert(.step) }
            if let every = spec.resumeSteps, state.step % every == 0 { kinds.insert(.last) }
            if lastCheckpoint.secondsUntilNow > 60 * spec.resumeMinutes { kinds.insert(.last) }
            if !kinds.isEmpty { try save(state, kinds, &records, best) }
            if kinds.contains(.last) { lastCheckpoint = .now }
            if !kinds.isEmpty || lastFlush.secondsUntilNow > 2 {
                try flush(&records)
                lastFlush = .now
            }
            if let stop = try isValidated ? stopsEarly() : nil {
                note("stopped early", stop, &records)
                break
            }
            if isBudgetSpent, let hours = spec.maxHours {
                note("budget spent", "the budget of \(hours) h is spent", &records)
                break
            }
        }
        if let conditioning = builder.spec.conditioning {
            records.events.append(EventRecord(kind: "conditioning", message: dropReport(conditioning, steps: state.step)))
        }
        try flush(&records)
    }

    /// Makes one step, records it, and tells of it.
    ///
    /// - Returns: s it took.
    private func step(
        _ state: TrainingState, of total: Int, _ data: TrainingData, _ records: inout TrainingBatch, _ watch: inout LossWatch,
        _ pace: inout Pace
    ) throws -> Double {
        let start = ContinuousClock.now
        do {
            let result = try state.update(try batches(for: state.step, data))
            records.steps.append(
                StepRecord(
                    step: state.step, loss: result.loss, terms: result.terms, gradientNorm: result.gradientNorm,
                    learningRate: spec.lr, seconds: start.secondsUntilNow))
            if let growth = watch.sees(result.loss) {
                throw TrainingFailure(step: state.step, reason: .growth(growth.mean, least: growth.least))
            }
        } catch let failure as TrainingFailure {
            try flush(&records)
            throw failure
        }
        pace.tick(state.step)
        observe(
            .trained(
                TrainingProgress(
                    step: state.step, of: total, loss: records.steps.last?.loss ?? .nan, stepsPerSecond: pace.stepsPerSecond,
                    secondsLeft: Double(total - state.step) / max(pace.stepsPerSecond, 1e-9))))
        return start.secondsUntilNow
    }

    /// Why a training ends before its last step.
    private func note(_ kind: String, _ reason: String, _ records: inout TrainingBatch) {
        records.events.append(EventRecord(kind: kind, message: reason))
        observe(.noted(reason))
    }

    // MARK: Beginning

    /// A run without steps: the weights it begins with are what is evaluated.
    private func keepStart(_ state: TrainingState) throws {
        var records = TrainingBatch()
        if try !start(state, &records) { try save(state, [.last], &records, [:]) }
        try flush(&records)
    }

    /// Goes on from the newest checkpoint, if its content is what was recorded, or begins from the weights that the spec
    /// names.
    ///
    /// - Returns: Whether it goes on.
    private func start(_ state: TrainingState, _ records: inout TrainingBatch) throws -> Bool {
        if let last = try workspace.store.checkpoint(of: run.id, kind: .last),
            FileManager.default.fileExists(atPath: workspace.folder + "/" + last.path)
        {
            let path = try workspace.verified(last)
            let checkpoint = try TrainingCheckpoint(path: path, model: state.model)
            guard checkpoint.identity == identity else {
                throw WeightsError(parameter: path, reason: "belongs to another training; restore it or remove the run")
            }
            state.restore(checkpoint)
            return true
        }
        if let start = try StartingPoint(builder.spec, store: workspace.store, folder: workspace.folder) {
            note("initialised", try start.apply(to: state), &records)
        }
        return false
    }

    private func bestSoFar() throws -> [CheckpointRecord.Kind: Double] {
        var best: [CheckpointRecord.Kind: Double] = [:]
        for checkpoint in try workspace.store.checkpoints(of: run.id, includingSuperseded: true) {
            if let value = checkpoint.value { best[checkpoint.kind] = max(best[checkpoint.kind] ?? -.infinity, value) }
        }
        return best
    }

    // MARK: Data

    /// The batches of one optimizer step: as many as the spec has devices and accumulated batches.
    private func batches(for step: Int, _ data: TrainingData) throws -> [TrainingBatchInput] {
        let parts = spec.devices * spec.accumulateGradBatches
        return try (0..<parts).map { part in
            let first = step * spec.effectiveBatch + part * spec.batchSize
            let pairs = first..<first + spec.batchSize
            var batch = perturbation(try data.batch(pairs), pairs, purpose: "train")
            batch.dropout = pairs.map { RandomStream(seed: seed, purpose: "dropout", $0) }
            if let conditioning = builder.spec.conditioning { batch.keepsReference = pairs.map { keeps($0, conditioning) } }
            return batch
        }
    }

    /// Whether a pair keeps its noise reference: one draw for each pair, whoever computes it.
    private func keeps(_ pair: Int, _ conditioning: ConditioningSpec) -> Bool {
        RandomStream(seed: seed, purpose: "conditioning", pair).uniform(0) >= conditioning.condDropProb
    }

    /// How often references were dropped in all steps so far, beside the rate that was asked for.
    private func dropReport(_ conditioning: ConditioningSpec, steps: Int) -> String {
        let pairs = steps * spec.effectiveBatch
        let dropped = (0..<pairs).count { !keeps($0, conditioning) }
        return String(
            format: "%d of %d references dropped: %.4f, asked for %.4f", dropped, pairs,
            Double(dropped) / Double(max(1, pairs)), conditioning.condDropProb)
    }

    /// Times uniform in `[t_eps, T]` and complex noise of unit variance, one stream per pair.
    private func perturbation(_ data: TrainingData.Pairs, _ pairs: Range<Int>, purpose: String) -> TrainingBatchInput {
        let (low, high) = (spec.tEps, (try? builder.catalog.sdes.make(builder.spec.sde).endTime) ?? 1)
        let each = data.clean.count / data.clean.shape[0]
        var noise: [Float] = []
        noise.reserveCapacity(data.clean.count)
        for pair in pairs {
            noise += RandomStream(seed: seed, purpose: purpose + " noise", pair)
                .normals(each, standardDeviation: 0.5.squareRoot())
        }
        return TrainingBatchInput(
            clean: data.clean, noisy: data.noisy,
            times: pairs.map { RandomStream(seed: seed, purpose: purpose + " time", $0).uniform(0, in: low...high) },
            noise: Tensor(noise, shape: data.clean.shape), reference: data.reference)
    }

    // MARK: Validation

    private typealias Validated = (metric: String, value: Double?, n: Int)

    /// The loss on centre crops, and the scores of the first files enhanced with the averaged weights.
    private func validate(_ state: TrainingState, _ trainingData: TrainingData) throws -> [Validated] {
        guard !validation.isEmpty else { return [] }
        let data = TrainingData(
            files: validation, spec: builder.spec, frontEnd: builder.frontEnd, seed: seed)
        return try state.withAverages {
            var scores: [Validated] = [try validationLoss(state, data)]
            let files = Array(validation.prefix(spec.numEvalFiles))
            guard !files.isEmpty else { return scores }
            let evaluator = FileEvaluator(
                sampleRate: builder.spec.data.sampleRate, rates: builder.spec.ratePolicy,
                metrics: ["pesq", "estoi", "si_sdr"].compactMap { builder.catalog.metrics[$0] }, noiseSeed: 0)
            let enhancer = try builder.validationEnhancer(state.model)
            let outcomes = try evaluator.evaluate(
                files, interruption: interruption,
                process: evaluator.enhancing(enhancer, references: builder.validationReferences(files))
            ) { _, _ in }
            try keep(outcomes.prefix(Self.heardFiles), step: state.step, evaluator)
            for metric in evaluator.metrics {
                let values = outcomes.compactMap { $0.score(of: metric.name) }.filter(\.isFinite)
                let mean = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
                scores.append((metric.name, mean, values.count))
            }
            return scores
        }
    }

    private func validationLoss(_ state: TrainingState, _ data: TrainingData) throws -> Validated {
        try Gradients.off {
            var (total, count) = (0.0, 0)
            let files = min(data.fileCount, 4 * spec.batchSize)
            for first in stride(from: 0, to: files, by: spec.batchSize) {
                let range = first..<min(files, first + spec.batchSize)
                let value = state.evaluate(perturbation(try data.centred(range), range, purpose: "validation"))
                total += Double(value.total.item) * Double(range.count)
                count += range.count
            }
            return ("valid_loss", total / Double(count), count)
        }
    }

    /// Why training should stop now, if the spec's patience is at its end.
    private func stopsEarly() throws -> String? {
        guard let rule = spec.earlyStopping else { return nil }
        let values = try workspace.store.validations(of: run.id).filter { $0.metric == rule.monitor }.compactMap(\.value)
        let signed = rule.monitor == "valid_loss" ? values.map { -$0 } : values
        guard let top = signed.indices.max(by: { signed[$0] < signed[$1] }), signed.count - 1 - top >= rule.patience else {
            return nil
        }
        return "\(rule.monitor) has not improved for \(rule.patience) validations"
    }

    // MARK: Keeping

    /// Validation files that are kept as audio.
    private static let heardFiles = 2

    /// Writes a few enhanced validation files, and once what they were made from, to be listened to later.
    private func keep(_ outcomes: ArraySlice<FileEvaluator.Outcome>, step: Int, _ evaluator: FileEvaluator) throws {
        guard builder.spec.evaluate.keepAudio != "none" else { return }
        func write(_ samples: [Float], _ part: String, _ name: String) throws {
            let path = try workspace.makeRoom(for: "\(run.folder)/validation/\(part)/\(name)")
            try SoundFile.write(samples, sampleRate: builder.spec.data.sampleRate, to: path, durable: false)
        }
        for outcome in outcomes {
            try write(outcome.processed.audio, "step-\(step)", outcome.file.name)
            for (part, source) in [("clean", outcome.file.cleanPath), ("noisy", outcome.file.noisyPath)] {
                let isKept = FileManager.default.fileExists(atPath: "\(folder)/validation/\(part)/\(outcome.file.name)")
                if !isKept { try write(try evaluator.read(source), part, outcome.file.name) }
            }
        }
    }

    /// Writes one file for all kinds it stands for, and records it once it is safe on disk.
    private func save(
        _ state: TrainingState, _ kinds: Set<CheckpointRecord.Kind>, _ records: inout TrainingBatch,
        _ best: [CheckpointRecord.Kind: Double]
    ) throws {
        let relative = "\(run.folder)/checkpoints/step-\(state.step).safetensors"
        let path = try workspace.makeRoom(for: relative)
        try TrainingCheckpoint(of: state, identity: identity)
            .write(to: path, model: state.model)
        let digest = try SHA256.hex(ofFile: path)
        let bytes = ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
        for kind in kinds {
            records.checkpoints.append(
                CheckpointRecord(
                    step: state.step, kind: kind, path: relative, sha256: digest, bytes: bytes, emaUpdates: state.step,
                    value: best[kind]))
        }
        observe(.checkpoint(step: state.step, path: path))
    }

    /// Records what happened since the last time; files that nothing refers to any more are removed.
    private func flush(_ records: inout TrainingBatch) throws {
        let abandoned = try workspace.store.record(records, of: run.id)
        for path in abandoned { try? FileManager.default.removeItem(atPath: workspace.folder + "/" + path) }
        records = TrainingBatch()
    }
}

/// Steps per second over the recent past, validations left out.
private struct Pace {
    private var recent: [(step: Int, time: ContinuousClock.Instant)]

    init(step: Int) { recent = [(step, .now)] }

    mutating func tick(_ step: Int) {
        recent.append((step, .now))
        if recent.count > 50 { recent.removeFirst() }
    }

    mutating func forget(_ step: Int) {
        let speed = stepsPerSecond
        recent = speed > 0 ? [(step - 1, .now - .seconds(1 / speed)), (step, .now)] : [(step, .now)]
    }

    var stepsPerSecond: Double {
        guard let first = recent.first, let last = recent.last, last.step > first.step else { return 0 }
        let passed = (last.time - first.time).components
        let seconds = Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
        return Double(last.step - first.step) / max(seconds, 1e-9)
    }
}
