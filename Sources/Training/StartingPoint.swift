import Checkpoints
package import Corpora
import Foundation
import Models
package import Runs
import SpecLanguage
package import Specs
import SystemCalls
import Tensors
import WeightFiles

/// The weights that a run has before its first step: those of a file or of another run.
///
/// A training begins from them (`train.init_from`). A run without steps whose `evaluate.checkpoint` is a file takes
/// them over whole, raw and averaged, and evaluates them as its own: so a published checkpoint becomes a run like any
/// other.
package struct StartingPoint {
    private enum Purpose: Hashable {
        case training(TrainSpec.Start)
        case evaluation
    }

    package let path: String
    private let purpose: Purpose
    private let setting: String

    /// - Throws: `IncompatibleParts` where neither a file nor a run of that name has weights, or where a file is to be
    ///   evaluated by a run with weights of its own.
    package init?(_ spec: ExperimentSpec, store: RunStore?, folder: String) throws {
        if let file = try Self.evaluatedFile(spec) {
            guard FileManager.default.fileExists(atPath: file) else {
                throw IncompatibleParts(reason: "evaluate.checkpoint: there is no file '\(file)'")
            }
            (path, purpose, setting) = (Self.weights(in: file), .evaluation, "evaluate.checkpoint")
            if spec.evaluate.weights.contains(.raw), try !WeightSource(at: path).holdsRawWeights {
                throw IncompatibleParts(reason: "evaluate.weights: raw: \(path) holds the moving average alone")
            }
            return
        }
        guard let start = spec.train.initFrom else { return nil }
        (purpose, setting) = (.training(start), "train.init_from")
        if FileManager.default.fileExists(atPath: start.checkpoint) {
            path = Self.weights(in: start.checkpoint)
            return
        }
        let run: Run?
        do {
            run = try store?.run(named: start.checkpoint)
        } catch {
            throw IncompatibleParts(
                reason:
                    """
                    train.init_from: there is no file '\(start.checkpoint)', and \(error); train it first, or give a \
                    path
                    """
            )
        }
        guard let store, let run, let last = try store.checkpoint(of: run.id, kind: .last) else {
            throw IncompatibleParts(
                reason:
                    """
                    train.init_from: '\(start.checkpoint)' is neither a file nor a run with a checkpoint; train it \
                    first, or give a path
                    """
            )
        }
        path = folder + "/" + last.path
    }

    /// The file whose weights a run evaluates instead of training its own.
    private static func evaluatedFile(_ spec: ExperimentSpec) throws(IncompatibleParts) -> String? {
        let choices = spec.evaluate.checkpoints
        guard let file = choices.first(where: { $0.checkpointForm == .file }) else { return nil }
        guard choices.count == 1, spec.train.maxSteps == 0, spec.train.initFrom == nil else {
            throw IncompatibleParts(
                reason:
                    "evaluate.checkpoint: a file is evaluated by a run of its own: name it alone, "
                    + "with train.max_steps: 0 and without train.init_from; "
                    + "several files are a sweep over evaluate.checkpoint")
        }
        return file.settings.optionalText("path") ?? ""
    }

    private static func weights(in path: String) -> String {
        POSIX.isFolder(path) ? path + "/" + ImportedFiles.weights : path
    }

    /// The content that it adds to what a run reads.
    package func fingerprint() throws -> ContentHash {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else {
            throw IncompatibleParts(reason: "\(setting): \(path) cannot be read")
        }
        return ContentHash(ofBytes: data)
    }

    /// Gives a training that has made no step yet the weights, and the optimizer's moments where they are wanted.
    ///
    /// - Returns: What was taken, in words.
    /// - Throws: `IncompatibleParts` for weights that the file does not hold; `WeightsError`, `WeightFileError`.
    package func apply(to state: TrainingState) throws -> String {
        let source = try WeightSource(at: path)
        let layout = ModelLayout(of: state.model)
        switch purpose {
        case .training(let start):
            let found = try source.weights(start.weights, layout)
            try state.model.loadModel(found.arrays)
            guard start.optimizer else {
                state.begin()
                return "begins with the \(found.description) of \(path)"
            }
            guard let adam = try source.adam(layout) else {
                throw IncompatibleParts(
                    reason: "train.init_from: \(path) holds no state of Adam; set train.init_from.optimizer: false")
            }
            state.begin(optimizer: (moments(adam, state.model), adam.updates))
            return "begins with the \(found.description) and Adam's moments of \(path)"
        case .evaluation:
            let averaged = try source.weights(.ema, layout)
            let raw = averaged.areAveraged ? try? source.weights(.raw, layout) : averaged
            try state.model.loadModel(averaged.arrays)
            let averages = state.model.weights.map { $0.parameter.tensor.copied() }
            if let raw { try state.model.loadModel(raw.arrays) }
            let adam = try source.adam(layout)
            state.begin(
                step: source.progress.step ?? 0, averages: averages,
                optimizer: adam.map { (moments($0, state.model), $0.updates) })
            let taken = [averaged] + (averaged.areAveraged ? [raw].compactMap(\.self) : [])
            return "takes over the \(taken.map(\.description).joined(separator: ", and the ")) of \(path)"
                + (averaged.areAveraged ? "" : "; without a moving average, both are the same")
        }
    }

    private func moments(_ adam: LightningCheckpoint.Adam, _ model: ScoreModel) -> [(first: Tensor, second: Tensor)?] {
        zip(model.weights, ModelLayout(of: model).names).map { weight, name in
            guard weight.isTrained else { return nil }
            guard let (first, second) = adam.moments[name] else {
                return (.zeros(weight.parameter.shape), .zeros(weight.parameter.shape))
            }
            return (Tensor(first.values, shape: first.shape), Tensor(second.values, shape: second.shape))
        }
    }
}
