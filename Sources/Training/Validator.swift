import Audio
import Corpora
import Foundation
import Models
import Objectives
import Parallelism
import Specs
import SpeechMetrics
import Tensors

/// Validates a model in training: its loss on centre crops, and the scores of a few files enhanced whole.
struct Validator {
    let builder: ModelBuilder
    let files: [PairedFile]
    let draws: TrainingDraws
    let seed: UInt64
    let workspace: Workspace
    /// The run's folder, relative to the store's.
    let folder: String
    let interruption: Interruption

    /// A mean over files; `nil` where no file has a value. `noisy` is that of the unprocessed input.
    typealias Score = (metric: String, value: Double?, n: Int, noisy: Double?)

    /// The means of the noisy input, computed once.
    private var noisy: [String: Double]?

    init(
        builder: ModelBuilder, files: [PairedFile], draws: TrainingDraws, seed: UInt64, workspace: Workspace,
        folder: String,
        interruption: Interruption
    ) {
        (self.builder, self.files, self.draws, self.seed) = (builder, files, draws, seed)
        (self.workspace, self.folder, self.interruption) = (workspace, folder, interruption)
    }

    private var spec: TrainSpec { builder.spec.train }

    /// Validation files whose enhanced audio is kept.
    private static let keptFiles = 2

    /// The scores of the averaged weights; none without validation files.
    mutating func validate(_ state: TrainingState) throws -> [Score] {
        guard !files.isEmpty else { return [] }
        let data = TrainingData(files: files, spec: builder.spec, frontEnd: builder.frontEnd, seed: seed)
        let measured: [Score] = try state.withAverages { [try loss(state, data)] + (try scores(state)) }
        let noisy = try noisy ?? anchor()
        self.noisy = noisy
        return measured.map { ($0.metric, $0.value, $0.n, noisy[$0.metric]) }
    }

    private func loss(_ state: TrainingState, _ data: TrainingData) throws -> Score {
        try Gradients.off {
            var (total, count) = (0.0, 0)
            let files = min(data.fileCount, 4 * spec.batchSize)
            for first in stride(from: 0, to: files, by: spec.batchSize) {
                try interruption.check()
                let range = first..<min(files, first + spec.batchSize)
                let value = state.evaluate(draws.perturbation(try data.centred(range), range, purpose: "validation"))
                total += Double(value.total.item) * Double(range.count)
                count += range.count
            }
            return (TrainSpec.EarlyStopping.Monitor.validationLoss.rawValue, total / Double(count), count, nil)
        }
    }

    /// Scores of the first files, enhanced by the validation sampler.
    private func scores(_ state: TrainingState) throws -> [Score] {
        let chosen = chosen
        guard !chosen.isEmpty else { return [] }
        let evaluator = evaluator
        let enhancer = try builder.validationEnhancer(state.model)
        let outcomes = try evaluator.evaluate(
            chosen, interruption: interruption,
            process: evaluator.enhancing(enhancer, references: builder.validationReferences(chosen))
        ) { _, _ in }
        try keep(outcomes.prefix(Self.keptFiles), step: state.step, evaluator)
        return evaluator.metrics.map { metric in
            let mean = Self.mean(of: metric.name, outcomes)
            return (metric.name, mean.value, mean.n, nil)
        }
    }

    /// The scores of the unprocessed files; a model that scores below them makes speech worse.
    private func anchor() throws -> [String: Double] {
        let evaluator = evaluator
        let outcomes = try evaluator.evaluate(
            chosen, interruption: interruption, process: FileEvaluator.each { .init(audio: $0.noisy) }
        ) { _, _ in }
        return evaluator.metrics.reduce(into: [:]) { $0[$1.name] = Self.mean(of: $1.name, outcomes).value }
    }

    private var chosen: [PairedFile] { Array(files.prefix(spec.numEvalFiles)) }

    private var evaluator: FileEvaluator {
        FileEvaluator(
            sampleRate: builder.spec.data.sampleRate, rates: builder.spec.ratePolicy,
            metrics: ["pesq", "estoi", "si_sdr"].compactMap { builder.catalog.metrics[$0] }, noiseSeed: 0)
    }

    private static func mean(of metric: String, _ outcomes: [FileEvaluator.Outcome]) -> (value: Double?, n: Int) {
        let values = outcomes.compactMap { $0.score(of: metric) }.filter(\.isFinite)
        return (values.isEmpty ? nil : values.reduce(0, +) / Double(values.count), values.count)
    }

    /// Writes a few enhanced validation files, and once what they were made from.
    private func keep(_ outcomes: ArraySlice<FileEvaluator.Outcome>, step: Int, _ evaluator: FileEvaluator) throws {
        guard builder.spec.evaluate.keepAudio != .none else { return }
        func write(_ samples: [Float], _ part: String, _ name: String) throws {
            let path = try workspace.makeFolder(for: "\(folder)/validation/\(part)/\(name)")
            try SoundFile.write(samples, sampleRate: builder.spec.data.sampleRate, to: path, durable: false)
        }
        for outcome in outcomes {
            try write(outcome.processed.audio, "step-\(step)", outcome.file.name)
            for (part, source) in [("clean", outcome.file.cleanPath), ("noisy", outcome.file.noisyPath)] {
                let path = "\(workspace.folder)/\(folder)/validation/\(part)/\(outcome.file.name)"
                guard !FileManager.default.fileExists(atPath: path) else { continue }
                try write(try evaluator.read(source), part, outcome.file.name)
            }
        }
    }
}
