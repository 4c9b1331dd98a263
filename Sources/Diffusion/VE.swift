import Foundation

/// The variance-exploding process around clean speech, sampled from around noisy speech.
///
///     f = 0,    g = σ_min r^t √(2 ln r),    r = σ_max / σ_min
///     mean = x₀,    std² = σ_min² (r^{2t} − 1)
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Eq. (9) and App. B. The mean never moves to
/// `y`, so the prior mismatch is 1: the start `y + std(T) z` hides it under noise.
public struct VE: SDE, Hashable {
    /// The smallest noise level, which scales the diffusion.
    public var sigmaMin: Double
    /// The noise level that the schedule runs to.
    public var sigmaMax: Double
    /// 1, where the schedule reaches ``sigmaMax``.
    public var endTime: Double { 1 }
    private var logRatio: Double { log(sigmaMax / sigmaMin) }

    public init(sigmaMin: Double = 0.05, sigmaMax: Double = 0.5) {
        (self.sigmaMin, self.sigmaMax) = (sigmaMin, sigmaMax)
    }

    /// 0: the mean stays at `x₀`.
    public func drift(at t: Double) -> (x: Double, y: Double) { (0, 0) }

    /// `g = σ_min (σ_max/σ_min)^t √(2 ln(σ_max/σ_min))`.
    public func diffusion(at t: Double) -> Double {
        sigmaMin * exp(t * logRatio) * (2 * logRatio).squareRoot()
    }

    /// Mean `x₀`, and `std = σ_min √((σ_max/σ_min)^{2t} − 1)`.
    public func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        (1, 0, sigmaMin * expm1(2 * t * logRatio).squareRoot())
    }
}

extension SDE where Self == VE {
    /// The process with the noise levels of the reference's OUVE.
    public static func ve(sigmaMin: Double = 0.05, sigmaMax: Double = 0.5) -> VE {
        VE(sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    }
}
