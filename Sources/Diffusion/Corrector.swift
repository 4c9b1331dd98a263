public import Tensors

/// Steps of Langevin dynamics that leave `p_t` invariant and reduce the error of a predictor.
public protocol Corrector: Sendable {
    /// Calls of the model per step: 1, or 0 without correction.
    var evaluationsPerStep: Int { get }
    /// Whether a sample's step is the same in any batch.
    var samplesAreIndependent: Bool { get }
    /// Step `substep` of the correction before grid step `step`, at time `t`.
    func step(
        _ x: Tensor, given y: Tensor, at t: Double, step: Int, substep: Int, of sde: any SDE,
        score: inout CountedScore, noise: inout NoiseSource
    ) -> Tensor
}

extension Corrector {
    /// Step sizes do not depend on the batch.
    public var samplesAreIndependent: Bool { true }
}

/// Annealed Langevin dynamics, with steps in proportion to the marginal's variance.
///
///     x ← x + δ score(x, y, t) + √(2δ) z,    δ = 2 (r std(t))²
///
/// Song and Ermon, *Generative Modeling by Estimating Gradients of the Data Distribution*, NeurIPS 2019, Alg. 1; the
/// step as in Song et al., ICLR 2021, with `r` the signal-to-noise ratio of the step.
public struct AnnealedLangevin: Corrector, Hashable {
    /// The ratio `r`, which decides the step size.
    public var snr: Double
    /// One call of the model in every step.
    public var evaluationsPerStep: Int { 1 }

    public init(snr: Double = 0.5) { self.snr = snr }

    /// One Langevin step; the same step size for every sample of the batch, since it depends on `t` alone.
    public func step(
        _ x: Tensor, given y: Tensor, at t: Double, step: Int, substep: Int, of sde: any SDE,
        score: inout CountedScore, noise: inout NoiseSource
    ) -> Tensor {
        let ratio = snr * sde.marginal(at: t).std
        let delta = 2 * ratio * ratio
        let mean = Tensor.weighted(1, x, delta, score(x, given: y, at: t))
        let z = noise.correction(step: step, substep: substep, like: x)
        return .weighted(1, mean, (2 * delta).squareRoot(), z)
    }
}

/// Langevin dynamics whose step follows from the sizes of score and noise.
///
///     x ← x + δ score(x, y, t) + √(2δ) z,    δ = 2 (r ‖z‖ / ‖score‖)²
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Alg. 4. The reference implementation takes
/// both norms as means over the batch, so that a sample's result depends on its neighbours; here that is an option.
public struct Langevin: Corrector, Hashable {
    /// The ratio `r`, which decides the step size.
    public var snr: Double
    /// Whether the batch has one step size, as in the reference implementation.
    public var sharesStepAcrossBatch: Bool
    /// Not where the batch has one step size.
    public var samplesAreIndependent: Bool { !sharesStepAcrossBatch }
    /// One call of the model in every step.
    public var evaluationsPerStep: Int { 1 }

    public init(snr: Double = 0.5, sharesStepAcrossBatch: Bool = false) {
        (self.snr, self.sharesStepAcrossBatch) = (snr, sharesStepAcrossBatch)
    }

    /// One Langevin step; a sample whose score is 0 is left unchanged.
    public func step(
        _ x: Tensor, given y: Tensor, at t: Double, step: Int, substep: Int, of sde: any SDE,
        score: inout CountedScore, noise: inout NoiseSource
    ) -> Tensor {
        let gradient = score(x, given: y, at: t)
        let z = noise.correction(step: step, substep: substep, like: x)
        var (gradientNorms, noiseNorms) = (gradient.sampleNorms, z.sampleNorms)
        if sharesStepAcrossBatch {
            let count = Double(max(1, gradientNorms.count))
            gradientNorms = gradientNorms.map { _ in gradientNorms.reduce(0, +) / count }
            noiseNorms = noiseNorms.map { _ in noiseNorms.reduce(0, +) / count }
        }
        let deltas = zip(noiseNorms, gradientNorms).map { noise, gradient -> Double in
            guard gradient > 0 else { return 0 }  // no direction to go
            let ratio = snr * noise / gradient
            return 2 * ratio * ratio
        }
        return x + gradient.scaledSamples(by: deltas) + z.scaledSamples(by: deltas.map { (2 * $0).squareRoot() })
    }
}

/// No correction.
public struct NoCorrector: Corrector, Hashable {
    /// No call of the model.
    public var evaluationsPerStep: Int { 0 }
    public init() {}

    /// The state unchanged.
    public func step(
        _ x: Tensor, given y: Tensor, at t: Double, step: Int, substep: Int, of sde: any SDE,
        score: inout CountedScore, noise: inout NoiseSource
    ) -> Tensor { x }
}

extension Corrector where Self == AnnealedLangevin {
    /// Annealed Langevin dynamics with a ratio.
    public static func ald(snr: Double = 0.5) -> AnnealedLangevin { AnnealedLangevin(snr: snr) }
}

extension Corrector where Self == Langevin {
    /// Langevin dynamics with a ratio.
    public static func langevin(snr: Double = 0.5) -> Langevin { Langevin(snr: snr) }
}

extension Corrector where Self == NoCorrector {
    /// No correction.
    public static var none: NoCorrector { NoCorrector() }
}
