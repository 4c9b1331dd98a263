import Foundation

/// The standard normal distribution.
public enum NormalDistribution {
    /// `Φ(z)`, the probability of a value of at most `z`.
    public static func cdf(_ z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }

    /// `Φ⁻¹(p)`: −∞ at 0, ∞ at 1.
    ///
    /// A rational start (Abramowitz and Stegun 26.2.23, error below 5e-4) and Halley steps on `Φ(z) − p`, each of which
    /// triples the correct digits.
    public static func quantile(_ p: Double) -> Double {
        precondition((0...1).contains(p), "quantile: \(p) is not a probability")
        guard p > 0, p < 1 else { return p == 0 ? -.infinity : .infinity }
        guard p <= 0.5 else { return -quantile(1 - p) }
        let t = (-2 * log(p)).squareRoot()
        let (above, below) = (
            2.515517 + t * (0.802853 + t * 0.010328), 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
        )
        var z = above / below - t
        for _ in 0..<3 {
            let step = (cdf(z) - p) / density(z)
            z -= step / (1 + z * step / 2)
        }
        return z
    }

    private static func density(_ z: Double) -> Double { exp(-z * z / 2) / (2 * Double.pi).squareRoot() }
}
