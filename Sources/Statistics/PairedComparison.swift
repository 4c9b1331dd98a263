/// Two systems compared on the same files: mean difference, its uncertainty, and how much data would be needed.
public struct PairedComparison: Hashable, Sendable {
    /// The mean difference over files and seeds, in the metric's unit.
    public var mean: Double
    /// Number of files that both systems have.
    public var files: Int
    /// Number of clusters, usually speakers; each file is its own where none is known.
    public var clusters: Int
    /// Number of seeds with which both systems were trained.
    public var seeds: Int
    /// The 95 % interval of the mean; nil below ``Bootstrap/fewestUnits`` clusters.
    public var interval: ClosedRange<Double>?
    /// The two-sided p value of ``SignFlipTest``; nil where there is no interval.
    public var p: Double?
    /// Holm's p value over all comparisons of a table; the caller that has the table sets it.
    public var adjusted: Double?
    /// Cohen's d_z; nil where the differences do not vary.
    public var effectSize: Double?
    /// How many clusters would show the mean difference, if it is the true one, in 80 % of experiments; nil where it
    /// is 0, or cannot be said.
    public var neededClusters: Int?

    /// - Parameter seed: The resamples are a function of it.
    public init(_ sample: PairedSample, resamples: Int = 10_000, seed: UInt64 = 0) {
        (mean, files, clusters, seeds) = (sample.mean, sample.files, sample.clusters, sample.seeds)
        effectSize = sample.effectSize
        guard clusters >= Bootstrap.fewestUnits else { return }
        interval = Bootstrap.interval(of: sample, resamples: resamples, seed: seed)
        p = SignFlipTest(sample, resamples: resamples, seed: seed).p
        neededClusters = Power.units(
            forMean: mean, deviation: sample.standardError * Double(clusters).squareRoot())
    }

    /// Whether the difference is shown at 5 %, after Holm's correction where there was one; nil without a p value.
    public var isShown: Bool? { (adjusted ?? p).map { $0 <= 0.05 } }
}

/// The size of an experiment that shows a difference.
public enum Power {
    /// The fewest units for which a two-sided t test at the level `alpha` finds a true `mean` in 80 % of experiments.
    ///
    ///     n = ((z + z₀.₈) σ / mean)² + z² / 2,   z = Φ⁻¹(1 − alpha / 2)
    ///
    /// Guenther, *Sample Size Formulas for Normal Theory t Tests*, 1981. nil where the mean is 0 or needs more than
    /// 10⁹.
    public static func units(forMean mean: Double, deviation: Double, alpha: Double = 0.05) -> Int? {
        let (z, power) = (NormalDistribution.quantile(1 - alpha / 2), NormalDistribution.quantile(0.8))
        let ratio = (z + power) * deviation / mean
        let count = (ratio * ratio + z * z / 2).rounded(.up)
        return count < 1e9 ? max(2, Int(count)) : nil
    }
}
