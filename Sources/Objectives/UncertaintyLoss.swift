import Foundation
package import Tensors

/// The loss of EDM2 for speech: data prediction, weighed by an uncertainty that the network learns.
///
///     L_b  = mean |x̂ − x|² + λ₁ mean |x̂(τ) − x(τ)|        over real numbers, and over samples in time
///     loss = mean_b [ w_b L_b / (e^{u_b} + ε) + u_b ]
///
/// with the network's weight `w(t)` and uncertainty `u(t)`. Karras et al., CVPR 2024, Eq. (14)–(22); EDM2SE, ICASSP
/// 2026, Eq. (21)–(25). In that implementation every sample of a batch is multiplied by every sample's weight, and each
/// `u` is added once per sample (``meetsAcrossBatch``); for a batch of one both forms are equal.
public struct UncertaintyLoss: TrainingLoss {
    /// STFT and compression, to compute samples from spectrograms.
    public var frontEnd: FrontEnd
    /// The weight `λ₁` of the absolute error of the samples.
    public var l1Weight: Double
    /// `ε`, which keeps the weight finite for a very negative uncertainty.
    public var epsilon = 1e-8
    /// Whether every sample is multiplied by every sample's weight, as in the reference: `Σ_a Σ_b [w_a L_b/(e^{u_a} +
    /// ε) + u_a] / B`.
    public var meetsAcrossBatch: Bool

    public init(frontEnd: FrontEnd, l1Weight: Double = 0.001, meetsAcrossBatch: Bool = false) {
        (self.frontEnd, self.l1Weight, self.meetsAcrossBatch) = (frontEnd, l1Weight, meetsAcrossBatch)
    }

    /// Clean speech.
    public var output: ModelOutput { .clean }

    /// `terms` holds the batch means of the spectral term, of `u` (`logvar`), and of the term in time.
    public func callAsFunction(_ input: LossInput) -> LossValue {
        let batch = input.batch
        guard let uncertainty = input.uncertainty else {
            preconditionFailure("a loss by uncertainty of a network without one")
        }
        let distance = distances(input)
        var terms = ["spectral": Self.mean(distance.spectral), "logvar": Self.mean(uncertainty)]
        terms["l1"] = distance.inTime.map(Self.mean)
        let total = Self.weighed(distance.sum, uncertainty.reshaped([batch]), input.weights, epsilon, meetsAcrossBatch)
        return LossValue(total: total, terms: terms)
    }

    /// `L_b` and its parts, `[B]` each; the part in time is `nil` where it has no weight.
    package func distances(_ input: LossInput) -> (spectral: Tensor, inTime: Tensor?, sum: Tensor) {
        let spectral = (input.output - input.clean).sampleMeanSquares()
        guard l1Weight > 0 else { return (spectral, nil, spectral) }
        let difference = frontEnd.audio(input.output) - frontEnd.audio(input.clean)
        let inTime = difference.sampleMeanMagnitudes()
        return (spectral, inTime, .weighted(1, spectral, l1Weight, inTime))
    }

    private static func mean(_ x: Tensor) -> Double { x.scalars.reduce(0, +) / Double(max(1, x.count)) }

    /// `Σ_b [w_b L_b/(e^{u_b} + ε) + u_b] / B`, or the sum over all pairs.
    private static func weighed(
        _ distance: Tensor, _ uncertainty: Tensor, _ weights: [Double], _ epsilon: Double, _ crosses: Bool
    ) -> Tensor {
        let (L, u) = (distance.scalars, uncertainty.scalars)
        let count = Double(L.count)
        let sum = L.reduce(0, +)
        // The loss that each weight multiplies, and how often each uncertainty is added.
        let met = crosses ? L.map { _ in sum } : L
        let times = crosses ? count : 1
        let scales = zip(weights, u).map { $0 / (exp($1) + epsilon) }
        let total = zip(scales, met).reduce(0) { $0 + $1.0 * $1.1 } + times * u.reduce(0, +)
        let toDistance = crosses ? L.map { _ in scales.reduce(0, +) } : scales
        let toUncertainty = u.indices.map { times - scales[$0] * met[$0] * exp(u[$0]) / (exp(u[$0]) + epsilon) }
        return Tensor([Float(total / count)], shape: [], from: [distance, uncertainty]) { dy in
            let g = Double(dy.item) / count
            return [toDistance, toUncertainty].map { gradients in
                Tensor(gradients.map { Float(g * $0) }, shape: [gradients.count])
            }
        }
    }
}
