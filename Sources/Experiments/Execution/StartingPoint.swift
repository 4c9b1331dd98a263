import Corpora
import Foundation
import Runs
import Specs
import Tensors

/// The weights that a training begins from: a checkpoint file, or the last checkpoint of a run.
struct StartingPoint {
    let path: String
    let spec: TrainSpec.Start

    /// - Throws: `IncompatibleParts` where neither a file nor a run of that name has weights.
    init?(_ start: TrainSpec.Start?, store: RunStore?, folder: String) throws {
        guard let start else { return nil }
        spec = start
        if FileManager.default.fileExists(atPath: start.checkpoint) {
            path = start.checkpoint
            return
        }
        let run = try? store?.run(named: start.checkpoint)
        guard let store, let run, let last = try store.checkpoint(of: run.id, kind: .last) else {
            throw IncompatibleParts(
                reason: "train.init_from: '\(start.checkpoint)' is neither a file nor a run with a checkpoint; train it first, or give a path")
        }
        path = folder + "/" + last.path
    }

    /// The content that it adds to what a run reads.
    func fingerprint() throws -> ContentHash {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw IncompatibleParts(reason: "train.init_from: \(path) cannot be read")
        }
        return ContentHash(ofBytes: data)
    }

    /// Gives a training that has made no step yet the weights, and the optimizer's moments where the spec wants them.
    func apply(to state: TrainingState) throws {
        let checkpoint = try TrainingCheckpoint(path: path, model: state.model)
        let weights = spec.weights == "ema" ? checkpoint.averages : checkpoint.weights
        state.begin(
            weights: weights, buffers: checkpoint.buffers,
            optimizer: spec.optimizer ? (checkpoint.moments, checkpoint.step + checkpoint.warmSteps) : nil)
    }
}
