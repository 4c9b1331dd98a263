import Statistics

/// The error of a mean or of a difference: a sum of independent parts, such as that of files and that of trainings.
///
///     s² = Σ sᵢ²,   ν = s⁴ / Σ (sᵢ⁴ / νᵢ)
///
/// Satterthwaite, *An Approximate Distribution of Estimates of Variance Components*, Biometrics Bulletin 2, 1946.
struct ErrorOfMean: Hashable {
    var variance: Double
    /// Degrees of freedom; infinite where every part is 0 or known exactly.
    var freedom: Double

    init(variance: Double, freedom: Double) { (self.variance, self.freedom) = (variance, freedom) }

    init(sumOf parts: [ErrorOfMean]) {
        variance = parts.reduce(0) { $0 + $1.variance }
        let weighted = parts.reduce(0) { $0 + $1.variance * $1.variance / $1.freedom }
        freedom = weighted > 0 ? variance * variance / weighted : .infinity
    }

    var deviation: Double { variance.squareRoot() }

    /// Where the true value lies in a share `1 − alpha` of experiments.
    func interval(around value: Double, alpha: Double) -> ClosedRange<Double> {
        guard variance > 0 else { return value...value }
        let level = 1 - alpha / 2
        let t =
            freedom.isFinite
            ? StudentDistribution(freedom: freedom).quantile(level) : NormalDistribution.quantile(level)
        return (value - t * deviation)...(value + t * deviation)
    }

    /// The two-sided p value of "the true value is 0".
    func p(of value: Double) -> Double {
        guard variance > 0 else { return value == 0 ? 1 : 0 }
        let t = value / deviation
        return freedom.isFinite
            ? StudentDistribution(freedom: freedom).twoSided(t) : 2 * NormalDistribution.cdf(-abs(t))
    }
}
