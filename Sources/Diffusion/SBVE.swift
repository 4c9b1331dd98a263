import Foundation

/// The Schrödinger bridge between clean and noisy speech with exploding variance.
///
///     g = √c k^t,    σ_t² = c (k^{2t} − 1) / (2 ln k),    σ̄_t² = σ_T² − σ_t² + ε
///     mean = (σ̄_t² x₀ + σ_t² y / (1 + ε)) / (σ_T² + ε),    std = σ_t σ̄_t / (σ_T + ε)
///
/// Jukić et al., *Schrödinger Bridge for Generative Speech Enhancement*, Interspeech 2024, Table 1 and Eq. (9)–(11),
/// with ε where the reference implementation has it. The drift is that of the bridge pinned to `y` at the end,
///
///     f = g² (y − x) / σ̄_t²
///
/// which carries the marginals above. The reference states `f = 0`, the process that is not pinned; it never
/// uses that drift.
public struct SBVE: SDE, Hashable {
    /// The base `k` of the diffusion.
    public var k: Double
    /// The factor `c` of the diffusion.
    public var c: Double
    /// What keeps the weights of the bridge defined where its variance is 0.
    public var epsilon: Double
    /// The time of the noisy end.
    public var endTime: Double
    /// What the noise is multiplied by: 1 for complex noise of unit variance, √2 for such noise in each of its parts.
    public var noiseScale: Double

    public init(k: Double = 2.6, c: Double = 0.4, epsilon: Double = 1e-8, endTime: Double = 1, noiseScale: Double = 1) {
        (self.k, self.c, self.epsilon, self.endTime, self.noiseScale) = (k, c, epsilon, endTime, noiseScale)
    }

    /// `σ_t²`, the variance of the process that is not pinned.
    public func variance(at t: Double) -> Double {
        let rate = 2 * log(k)
        return rate == 0 ? c * t : c * expm1(rate * t) / rate
    }

    /// `σ̄_t²`, the variance still to come, plus ε: exactly ε at the end.
    ///
    /// Both variances are one expression in one precision, so the difference is exact there and never
    /// negative; the samplers divide by its root.
    public func remainingVariance(at t: Double) -> Double {
        max(0, variance(at: endTime) - variance(at: t)) + epsilon
    }

    /// `f = g² (y − x)/σ̄_t²` with `g = √c k^t`, without ``noiseScale``.
    public func drift(at t: Double) -> (x: Double, y: Double) {
        let g = c.squareRoot() * pow(k, t)
        let pull = g * g / remainingVariance(at: t)
        return (-pull, pull)
    }

    /// `g = noiseScale · √c k^t`.
    public func diffusion(at t: Double) -> Double { noiseScale * c.squareRoot() * pow(k, t) }

    /// The bridge's mean and standard deviation; `std` is 0 at `t = 0`, and nearly 0 at the end.
    public func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let (past, future, whole) = (variance(at: t), remainingVariance(at: t), variance(at: endTime))
        return (
            future / (whole + epsilon), past / ((1 + epsilon) * (whole + epsilon)),
            noiseScale * (past * future).squareRoot() / (whole.squareRoot() + epsilon)
        )
    }

    /// Sampling starts at `y` itself; from an earlier time, at the marginal's spread about it.
    public func priorStd(at t: Double) -> Double { t >= endTime ? 0 : marginal(at: t).std }
}

extension SDE where Self == SBVE {
    /// The bridge with the constants of the reference.
    public static func sbve(k: Double = 2.6, c: Double = 0.4, epsilon: Double = 1e-8) -> SBVE {
        SBVE(k: k, c: c, epsilon: epsilon)
    }
}
