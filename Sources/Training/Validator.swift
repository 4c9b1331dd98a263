import Audio
import Corpora
import Foundation
import Models
import Parallelism
import Specs
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

    /// A mean over files; `nil` where no file has a value.
    typealias Score = (metric: String, value: Double?, n: Int)

    private var spec: TrainSpec { builder.spec.train }

    /// Validation files whose enhanced audio is kept.
    private static let keptFiles = 2

    /// The scores of the averaged weights; none without validation files.
    func validate(_ state: TrainingState) throws -> [Score] {
        guard !files.isEmpty else { return [] }
        let data = TrainingData(files: files, spec: builder.spec, frontEnd: builder.frontEnd, seed: seed)
        return try state.withAverages { [try loss(state, data)] + (try scores(state)) }
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
            return ("valid_loss", total / Double(count), count)
        }
    }

    /// Scores of the first files, enhanced by the validation sampler.
    private func scores(_ state: TrainingState) throws -> [Score] {
        let chosen = Array(files.prefix(spec.numEvalFiles))
        guard !chosen.isEmpty else { return [] }
        let evaluator = FileEvaluator(
            sampleRate: builder.spec.data.sampleRate, rates: builder.spec.ratePolicy,
            metrics: ["pesq", "estoi", "si_sdr"].compactMap { builder.catalog.metrics[$0] }, noiseSeed: 0)
        let enhancer = try builder.validationEnhancer(state.model)
        let outcomes = try evaluator.evaluate(
            chosen, interruption: interruption,
            process: evaluator.enhancing(enhancer, references: builder.validationReferences(chosen))
        ) { _, _ in }
        try keep(outcomes.prefix(Self.keptFiles), step: state.step, evaluator)
        return evaluator.metrics.map { metric in
            let values = outcomes.compactMap { $0.score(of: metric.name) }.filter(\.isFinite)
            return (metric.name, values.isEmpty ? nil : values.reduce(0, +) / Double(values.count), values.count)
        }
    }

    /// Writes a few enhanced validation files, and once what they were made from.
    private func keep(_ outcomes: ArraySlice<FileEvaluator.Outcome>, step: Int, _ evaluator: FileEvaluator) throws {
        guard builder.spec.evaluate.keepAudio != "none" else { return }
        func write(_ samples: [Float], _ part: String, _ name: String) throws {
            let path = try workspace.makeRoom(for: "\(folder)/validation/\(part)/\(name)")
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
