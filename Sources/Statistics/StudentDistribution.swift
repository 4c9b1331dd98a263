import Foundation

/// Student's t distribution with `freedom` degrees of freedom.
public struct StudentDistribution: Hashable, Sendable {
    /// Degrees of freedom; a fraction is allowed.
    public var freedom: Double

    /// - Precondition: `freedom > 0`.
    public init(freedom: Double) {
        precondition(freedom > 0, "Student's t needs more than \(freedom) degrees of freedom")
        self.freedom = freedom
    }

    /// The probability of a value of at most `t`.
    public func cdf(_ t: Double) -> Double {
        let tail = twoSided(t) / 2
        return t > 0 ? 1 - tail : tail
    }

    /// The probability of a value at least as far from 0 as `t`: `I_x(ν/2, ½)` with `x = ν / (ν + t²)`.
    public func twoSided(_ t: Double) -> Double {
        guard !t.isInfinite else { return 0 }
        return Self.incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
    }

    /// The value below which a draw lies with probability `p`, found by halving an interval.
    public func quantile(_ p: Double) -> Double {
        precondition(p > 0 && p < 1, "quantile: \(p) is not between 0 and 1")
        guard p >= 0.5 else { return -quantile(1 - p) }
        var (low, high) = (0.0, 1.0)
        while cdf(high) < p { (low, high) = (high, 2 * high) }
        for _ in 0..<80 {
            let middle = (low + high) / 2
            if cdf(middle) < p { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The regularised incomplete beta function `I_x(a, b)`, by its continued fraction (Abramowitz and Stegun 26.5.8)
    /// evaluated as Lentz does.
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        guard x <= (a + 1) / (a + b + 2) else { return 1 - incompleteBeta(1 - x, b, a) }
        let scale = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
        var (c, d) = (1.0, 1 / (1 - (a + b) * x / (a + 1)))
        var fraction = d
        for m in 1...300 {
            let m = Double(m)
            let a2m = a + 2 * m
            let even: Double = m * (b - m) * x / ((a2m - 1) * a2m)
            let odd: Double = -(a + m) * (a + b + m) * x / (a2m * (a2m + 1))
            for numerator in [even, odd] {
                d = 1 / (1 + numerator * d)
                c = 1 + numerator / c
                fraction *= c * d
            }
            if abs(c * d - 1) < 1e-15 { break }
        }
        return scale * fraction
    }
}
