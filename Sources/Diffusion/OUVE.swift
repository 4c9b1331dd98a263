import Foundation

/// The Ornstein–Uhlenbeck process with exploding variance.
///
///     f = θ (y − x),    g = σ_min r^t √(2 ln r),    r = σ_max / σ_min
///     mean = e^{−θt} x₀ + (1 − e^{−θt}) y
///     std² = σ_min² (r^{2t} − e^{−2θt}) ln r / (θ + ln r)
///
/// Richter et al., *Speech Enhancement and Dereverberation with Diffusion-based Generative Models*, TASLP 2023,
/// Eq. (7)–(13).
public struct OUVE: SDE, Hashable {
    /// The stiffness `θ` of the pull towards `y`.
    public var theta: Double
    /// The smallest noise level, which scales the diffusion.
    public var sigmaMin: Double
    /// The noise level at `t` = 1 that the schedule runs to.
    public var sigmaMax: Double
    /// 1, where the schedule reaches ``sigmaMax``.
    public var endTime: Double { 1 }
    private var logRatio: Double { log(sigmaMax / sigmaMin) }

    public init(theta: Double = 1.5, sigmaMin: Double = 0.05, sigmaMax: Double = 0.5) {
        (self.theta, self.sigmaMin, self.sigmaMax) = (theta, sigmaMin, sigmaMax)
    }

    /// `f = θ (y − x)`.
    public func drift(at t: Double) -> (x: Double, y: Double) { (-theta, theta) }

    /// `g = σ_min (σ_max/σ_min)^t √(2 ln(σ_max/σ_min))`.
    public func diffusion(at t: Double) -> Double {
        sigmaMin * exp(t * logRatio) * (2 * logRatio).squareRoot()
    }

    /// Mean `e^{−θt} x₀ + (1 − e^{−θt}) y`, and the standard deviation above.
    public func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let rate = theta + logRatio
        // r^{2t} − e^{−2θt} = e^{−2θt} (e^{2(θ + ln r)t} − 1), which is exact near t = 0.
        let variance = sigmaMin * sigmaMin * exp(-2 * theta * t) * expm1(2 * rate * t) * logRatio / rate
        return (exp(-theta * t), -expm1(-theta * t), variance.squareRoot())
    }
}

extension SDE where Self == OUVE {
    /// The process with the defaults of the reference.
    public static func ouve(theta: Double = 1.5, sigmaMin: Double = 0.05, sigmaMax: Double = 0.5) -> OUVE {
        OUVE(theta: theta, sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    }
}
