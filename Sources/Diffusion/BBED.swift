import Foundation

/// The Brownian bridge with exponential diffusion coefficient.
///
///     f = (y − x) / (1 − t),    g = √θ k^t
///     mean = (1 − t) x₀ + t y
///     std² = θ (1 − t) [k^{2t} − 1 + t + 2 k² ln k (1 − t) (Ei(2(t − 1) ln k) − Ei(−2 ln k))]
///
/// Lay et al., *Reducing the Prior Mismatch of Stochastic Differential Equations for Diffusion-based Speech
/// Enhancement*, Interspeech 2023. The drift is singular at 1, so time ends a little before.
public struct BBED: SDE, Hashable {
    /// The base `k` of the diffusion.
    public var k: Double
    /// `θ`, which scales the diffusion `g² = θ k^{2t}`.
    public var theta: Double
    /// The time at which sampling starts, below 1, where the drift is infinite.
    public var endTime: Double

    public init(k: Double = 2.6, theta: Double = 0.52, endTime: Double = 0.999) {
        precondition(endTime < 1, "the bridge's drift is singular at 1, and it is to end at \(endTime)")
        (self.k, self.theta, self.endTime) = (k, theta, endTime)
    }

    /// `f = (y − x)/(1 − t)`, infinite at `t = 1`.
    public func drift(at t: Double) -> (x: Double, y: Double) { (-1 / (1 - t), 1 / (1 - t)) }

    /// `g = √θ k^t`.
    public func diffusion(at t: Double) -> Double { theta.squareRoot() * pow(k, t) }

    /// Mean `(1 − t) x₀ + t y` and the standard deviation above; 0 at both ends.
    public func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let rate = 2 * log(k)
        let integral = rate == 0 ? 0 : exponentialIntegral((t - 1) * rate) - exponentialIntegral(-rate)
        let bracket = expm1(rate * t) + t + k * k * rate * (1 - t) * integral
        // The bracket vanishes at 0, where rounding may leave it negative.
        return (1 - t, t, (theta * (1 - t) * max(0, bracket)).squareRoot())
    }
}

extension SDE where Self == BBED {
    /// The process with the defaults of the reference.
    public static func bbed(k: Double = 2.6, theta: Double = 0.52, endTime: Double = 0.999) -> BBED {
        BBED(k: k, theta: theta, endTime: endTime)
    }
}

/// The exponential integral `Ei(x) = −∫_{−x}^∞ e^{−u}/u du` (principal value) for `x ≠ 0`.
///
/// The power series γ + ln|x| + Σ xⁿ/(n·n!), and for `x < −2`, where it cancels, the continued fraction of E₁.
/// Abramowitz and Stegun, 5.1.10 and 5.1.22.
package func exponentialIntegral(_ x: Double) -> Double {
    guard x < -2 else {
        var (sum, term) = (0.5772156649015328606 + log(abs(x)), 1.0)
        for n in 1...500 {
            term *= x / Double(n)
            sum += term / Double(n)
            if abs(term) < 1e-18 * abs(sum) { break }
        }
        return sum
    }
    // E₁(z) = e^{−z} / (z + 1 − 1²/(z + 3 − 2²/(z + 5 − …))), from the inside out.
    let z = -x
    var tail = 0.0
    for n in stride(from: 120.0, to: 0, by: -1) { tail = n * n / (z + 2 * n + 1 - tail) }
    return -exp(-z) / (z + 1 - tail)
}
