public import Checkpoints
import Models
import Tensors

extension TrainingCheckpoint {
    /// The state of a training as it is now.
    ///
    /// - Parameter identity: The training's.
    public init(of state: TrainingState, identity: String) {
        self.init(
            step: state.step, warmSteps: state.warmSteps, identity: identity,
            weights: state.model.weights.map(\.parameter.tensor), averages: state.averages, moments: state.moments,
            buffers: state.model.buffers.map { ($0.name, $0.parameter.tensor) }, furtherAverages: state.furtherAverages)
    }
}

extension TrainingState {
    /// Goes on from a checkpoint.
    public func restore(_ checkpoint: TrainingCheckpoint) {
        restore(
            step: checkpoint.step, weights: checkpoint.weights, averages: checkpoint.averages,
            moments: checkpoint.moments,
            warmSteps: checkpoint.warmSteps, furtherAverages: checkpoint.furtherAverages)
        for (buffer, stored) in zip(model.buffers, checkpoint.buffers) { buffer.parameter.assign(stored.value) }
    }
}
