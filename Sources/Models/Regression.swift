public import Backbones
import Kernels
public import Layers
package import Objectives
public import Specs
public import Tensors

/// A regression `D(y)` in front of a diffusion, which then runs between clean speech and `D(y)`, starts from `D(y)`,
/// and is conditioned on the noisy speech, on `D(y)`, or on both.
///
///     x_t = clean(t) x₀ + noisy(t) D(y) + σ(t) z,      loss = w L(D(y), x₀) + (1 − w) L_diffusion
///
/// `D` can be any network, and the diffusion any SDE. Lemercier et al., *StoRM: A Diffusion-based Stochastic
/// Regeneration Model for Speech Enhancement and Dereverberation*, TASLP 2023, Eq. (12)–(15).
public struct Regression: Sendable {
    /// What the diffusion's network reads beside its state: `y`, the estimate `D(y)`, or both.
    public typealias Condition = RegressionSpec.Condition
    /// Which of the two networks the training changes.
    public typealias Training = RegressionSpec.Training
    /// Which distance the regression's loss takes.
    public typealias Norm = RegressionSpec.Distance

    /// The network `D`, which reads one spectrogram.
    public let backbone: any Backbone
    /// Decides how many spectrograms the diffusion's network reads.
    public let condition: Condition
    /// `joint` trains both networks, `frozen` the diffusion's alone, `alone` the regression alone.
    public let training: Training
    /// The loss of the estimate, per sample: `½ Σ |D(y) − x|²` or `½ Σ |D(y) − x|`.
    public let norm: Norm
    /// `w`.
    public let weight: Double

    public init(
        backbone: any Backbone, condition: Condition = .both, training: Training = .joint, norm: Norm = .mse,
        weight: Double = 0.5
    ) {
        (self.backbone, self.condition, self.training, self.norm, self.weight) = (
            backbone, condition, training, norm, weight
        )
    }

    /// `D(y)` for noisy speech `[B, F, N, 2]`, without gradients where the regression is frozen.
    public func callAsFunction(_ y: Tensor, _ mode: ForwardMode = .evaluation) -> Tensor {
        func estimate(_ mode: ForwardMode) -> Tensor { backbone(y, y, [Float](repeating: 1, count: y.shape[0]), mode) }
        return training == .frozen ? Gradients.off { estimate(.evaluation) }.detached : estimate(mode)
    }

    /// The input of the diffusion's network beside the state.
    public func conditions(_ y: Tensor, _ estimate: Tensor) -> Tensor {
        switch condition {
        case .noisy: y
        case .estimate: estimate
        case .both: .concatenated([y, estimate])
        }
    }

    /// Spectrograms that the diffusion's network reads under a condition.
    static func inputs(_ condition: Condition) -> Int { condition == .both ? 3 : 2 }

    /// The loss of an estimate, a mean over samples; `nil` where it has none.
    package func loss(_ estimate: Tensor, _ clean: Tensor) -> Tensor? {
        let batch = clean.shape[0]
        let error = estimate - clean
        switch norm {
        case .none: return nil
        case .mse: return error.halfSquares(sampleWeights: [Double](repeating: 1 / Double(batch), count: batch))
        case .mae: return error.complexModuli().scaled(by: 0.5 / Double(batch))
        }
    }

    /// The weighted sum of both losses; the diffusion's alone where the estimate has none.
    ///
    /// In the reference both are sums over the batch: its gradient is larger by the batch size, to which Adam is
    /// invariant.
    package func joined(_ value: LossValue, _ estimate: Tensor, _ clean: Tensor) -> LossValue {
        guard let own = loss(estimate, clean) else { return value }
        var terms = value.terms
        (terms["regression"], terms["diffusion"]) = (Double(own.item), Double(value.total.item))
        return LossValue(total: .weighted(weight, own, 1 - weight, value.total), terms: terms)
    }

    var weights: [ModelWeight] {
        backbone.parameters.map {
            ModelWeight(
                name: ScoreModel.regressionPrefix + $0.name, parameter: $0,
                isTrained: training != .frozen && $0.isTrained)
        }
    }
}
