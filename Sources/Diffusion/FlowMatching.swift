/// A straight Gaussian path between clean speech and the start of sampling, whose velocity a model learns.
///
///     x_t = (1 − t) x₀ + t y + σ(t) z,    σ(t) = (1 − t) σ_min + t σ_max
///     dx_t/dt = y − x₀ + (σ_max − σ_min) z
///
/// Lee et al., *FlowSE: Flow Matching-based Speech Enhancement*, ICASSP 2025, in the direction of this family: t = 0 is
/// clean speech, t = 1 the start. With `origin` `.noise` the path is `(1 − t) x₀ + σ(t) z` and starts from noise alone;
/// `y` is then only given to the network, as in COSE (arXiv 2509.15952).
///
/// Sampling integrates the velocity; no diffusion is needed. The one with the same marginals makes the path an ``SDE``:
///
///     f = (y − x) / (1 − t),    g² = 2 σ_max σ(t) / (1 − t)
///
/// It is singular at 1, so its samplers would have to start before.
public struct FlowMatching: SDE, Hashable {
    /// What the path's start, `t` = 1, lies around.
    public enum Origin: String, Hashable, Sendable, CaseIterable { case noisy, noise }

    /// The standard deviation at the clean end.
    public var sigmaMin: Double
    /// The standard deviation at the noisy end.
    public var sigmaMax: Double
    /// What the path's start lies around.
    public var origin: Origin
    /// The last time of training, and where sampling starts; the path itself goes on to 1.
    public var endTime: Double

    public init(sigmaMin: Double = 0, sigmaMax: Double = 0.487, origin: Origin = .noisy, endTime: Double = 1) {
        (self.sigmaMin, self.sigmaMax, self.origin, self.endTime) = (sigmaMin, sigmaMax, origin, endTime)
    }

    private var pull: Double { origin == .noisy ? 1 : 0 }

    /// The point of the path; with `origin` `.noise` the weight of `y` is 0.
    public func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        (1 - t, pull * t, (1 - t) * sigmaMin + t * sigmaMax)
    }

    /// Constant in `t`, since the path is straight.
    public func velocity(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        (-1, pull, sigmaMax - sigmaMin)
    }

    /// `f = (y − x)/(1 − t)`, infinite at `t = 1`; without `y` if the path starts from noise.
    public func drift(at t: Double) -> (x: Double, y: Double) { (-1 / (1 - t), pull / (1 - t)) }

    /// `g = √(2 σ_max σ(t)/(1 − t))`, infinite at `t = 1`.
    public func diffusion(at t: Double) -> Double { (2 * sigmaMax * marginal(at: t).std / (1 - t)).squareRoot() }

    /// 1 if the path starts around `y`, 0 if it starts from noise.
    public var priorMean: Double { pull }
}

extension SDE where Self == FlowMatching {
    /// The path of FlowSE with the constants of its reference implementation.
    public static func flow(
        sigmaMin: Double = 0, sigmaMax: Double = 0.487, origin: FlowMatching.Origin = .noisy
    ) -> FlowMatching {
        FlowMatching(sigmaMin: sigmaMin, sigmaMax: sigmaMax, origin: origin)
    }
}
