import Backbones
import Diffusion
public import Kernels
import Layers
import Models
public import Objectives
import Specs
public import Tensors

/// One batch of pairs with the draws that perturb it. Spectrograms are `[B, F, N, 2]`.
public struct TrainingBatchInput: Sendable {
    /// Compressed spectrograms of clean speech `x₀`.
    public var clean: Tensor
    /// Compressed spectrograms of noisy speech `y`, of the same shape.
    public var noisy: Tensor
    /// The diffusion time `t` of each pair.
    public var times: [Double]
    /// The standard complex Gaussian `z`, E|z|² = 1, of the shape of ``clean``.
    public var noise: Tensor
    /// Random streams of dropout, one per pair; if empty, the network runs without dropout.
    public var dropout: [RandomStream]
    /// Random numbers for objectives over two times, one per pair; if empty, the medians.
    public var draws: [IntervalDraw] = []
    /// The number of the step, from 0.
    public var step = 0
    /// The share of training that is done, from 0 to 1.
    public var progress = 1.0
    /// The noise references of a conditioned model, `[B, F, R, 2]`.
    public var reference: Tensor?
    /// Which pairs keep their reference; all of them if empty.
    public var keepsReference: [Bool]

    public init(
        clean: Tensor, noisy: Tensor, times: [Double], noise: Tensor, dropout: [RandomStream] = [],
        reference: Tensor? = nil, keepsReference: [Bool] = []
    ) {
        self.clean = clean
        self.noisy = noisy
        self.times = times
        self.noise = noise
        self.dropout = dropout
        self.reference = reference
        self.keepsReference = keepsReference
    }

    /// The share of pairs whose reference is dropped.
    var dropRate: Double {
        keepsReference.isEmpty ? 0 : Double(keepsReference.count { !$0 }) / Double(keepsReference.count)
    }
}

/// The loss of a model over batches, and its gradient.
struct TrainingObjective: Sendable {
    let model: ScoreModel
    let loss: any TrainingLoss
    let weights: [ModelWeight]

    init(model: ScoreModel, loss: any TrainingLoss) {
        self.model = model
        self.loss = loss
        weights = model.weights
    }

    func loss(of batch: TrainingBatchInput) -> LossValue {
        if let loss = loss as? any IntervalLoss { return loss(path(of: batch), network(of: batch)) }
        let mode: ForwardMode = batch.dropout.isEmpty ? .evaluation : .training(batch.dropout)
        let estimate = model.regression.map { $0(batch.noisy, mode) }
        if let estimate, let regression = model.regression, regression.training == .alone {
            let own = regression.loss(estimate, batch.clean) ?? .scalar(0)
            return LossValue(total: own, terms: ["regression": Double(own.item)])
        }
        // With a regression, the process ends at the estimate instead of the noisy speech.
        var batch = batch
        let noisy = batch.noisy
        if let estimate { batch.noisy = estimate }
        let marginals = batch.times.map { model.sde.marginal(at: $0) }
        let mean =
            batch.clean.scaledSamples(by: marginals.map(\.clean))
            + batch.noisy.scaledSamples(by: marginals.map(\.noisy))
        let sigma = marginals.map(\.std)
        let state = mean + batch.noise.scaledSamples(by: sigma)
        let condition = model.condition(noisy, estimate)
        let output = model(
            state, condition, batch.times, mode,
            noise: batch.reference.flatMap { model.embedding(of: $0, kept: batch.keepsReference) })
        var input = LossInput(
            output: output, state: state, noise: batch.noise, mean: mean, clean: batch.clean, sigma: sigma,
            velocity: loss.output == .velocity ? velocity(of: batch) : nil)
        if let network = model.backbone as? any UncertainBackbone {
            input.weights = batch.times.map { network.lossWeight(at: $0) }
            input.uncertainty = network.uncertainty(at: batch.times, mode)
        }
        let value = loss(input)
        return estimate.flatMap { model.regression?.joined(value, $0, batch.clean) } ?? value
    }

    private func path(of batch: TrainingBatchInput) -> PathBatch {
        let draws = batch.draws.isEmpty ? batch.times.map { _ in IntervalDraw() } : batch.draws
        return PathBatch(
            process: model.sde, clean: batch.clean, noisy: batch.noisy, noise: batch.noise, times: batch.times,
            draws: draws,
            step: batch.step, progress: batch.progress)
    }

    /// The network of two times under a batch's noisy speech.
    private func network(of batch: TrainingBatchInput) -> IntervalNetwork {
        let (model, y) = (model, batch.noisy)
        let mode: ForwardMode = batch.dropout.isEmpty ? .evaluation : .training(batch.dropout)
        return IntervalNetwork(
            average: { x, t, r in model.average(x, y, from: t, until: r, mode) },
            derivative: { x, t, r, direction in
                Gradients.off {
                    pushforward([(x, direction)]) {
                        model.average($0[0], y, from: t, until: r, rates: t.map { _ in 1 }, mode)
                    }.derivative
                }
            })
    }

    /// `dx_t/dt` of each pair's path.
    private func velocity(of batch: TrainingBatchInput) -> Tensor {
        let weights = batch.times.map { model.sde.velocity(at: $0) }
        return batch.clean.scaledSamples(by: weights.map(\.clean)) + batch.noisy.scaledSamples(by: weights.map(\.noisy))
            + batch.noise.scaledSamples(by: weights.map(\.std))
    }

    struct Gradient: Sendable {
        var loss: Double
        var terms: [String: Double]
        /// In the order of the weights; `nil` for those that stay or have no part in the loss.
        var gradients: [Tensor?]
    }

    func gradient(of batch: TrainingBatchInput) -> Gradient { gradient(of: batch) { $0.gradients() } }

    /// - Parameter whenFinal: Called during the backward pass with the place of a trained weight and its gradient, as
    ///   soon as nothing is added to it any more; not for all weights under recomputation.
    func gradient(of batch: TrainingBatchInput, whenFinal: (Int, Tensor) -> Void) -> Gradient {
        let trained = weights.indices.filter { weights[$0].isTrained }
        return gradient(of: batch) { loss in
            loss.gradients(of: trained.map { weights[$0].parameter.tensor }) { whenFinal(trained[$0], $1) }
        }
    }

    private func gradient(of batch: TrainingBatchInput, _ back: (Tensor) -> GradientTable) -> Gradient {
        let value = loss(of: batch)
        var terms = value.terms
        if batch.reference != nil { terms["cond_dropped"] = batch.dropRate }
        let gradients = back(value.total)
        return Gradient(
            loss: Double(value.total.item), terms: terms,
            gradients: weights.map { $0.isTrained ? gradients[$0.parameter] : nil })
    }
}
