/// The clustered bootstrap of a paired sample's mean, and its BCa interval.
///
/// A resample draws as many clusters as there are, with replacement, and takes the mean over all their files. Where
/// there are enough seeds (``fewestUnits``), seeds are drawn as well, crossed with the clusters (Owen, *The Pigeonhole
/// Bootstrap*, 2007); fewer are kept as they are, and the interval then holds for these seeds.
public enum Bootstrap {
    /// Below so many clusters there is no interval: with 5, even the best sign-flip p value is 2/2⁵ = 0.0625.
    public static let fewestUnits = 6

    /// The means of `resamples` resamples, in the order of their numbers.
    public static func means(of sample: PairedSample, resamples: Int = 10_000, seed: UInt64 = 0) -> [Double] {
        let (clusters, seeds) = (sample.clusters, sample.seeds)
        let drawsSeeds = seeds >= fewestUnits
        var totals = sample.totals
        return (0..<resamples).map { resample in
            let stream = CounterStream(seed: seed, stream: resample)
            if drawsSeeds { totals = drawnTotals(sample, CounterStream(seed: ~seed, stream: resample)) }
            var (sum, size) = (0.0, 0.0)
            stream.forEachIndex(count: clusters, below: clusters) { cluster in
                sum += totals[cluster]
                size += sample.sizes[cluster]
            }
            return sum / size
        }
    }

    /// The clusters' sums, averaged over as many seeds as there are, drawn with replacement.
    private static func drawnTotals(_ sample: PairedSample, _ stream: CounterStream) -> [Double] {
        var weights = [Double](repeating: 0, count: sample.seeds)
        stream.forEachIndex(count: sample.seeds, below: sample.seeds) { weights[$0] += 1 / Double(sample.seeds) }
        return (0..<sample.clusters).map { cluster in
            weights.indices.reduce(0) { $0 + weights[$1] * sample.sums[cluster * sample.seeds + $1] }
        }
    }

    /// The BCa interval of the mean, widened for few clusters as ``widened(_:for:)`` says.
    ///
    /// - Precondition: there are at least ``fewestUnits`` clusters.
    public static func interval(
        of sample: PairedSample, level: Double = 0.95, resamples: Int = 10_000, seed: UInt64 = 0
    ) -> ClosedRange<Double> {
        precondition(
            sample.clusters >= fewestUnits, "an interval needs \(fewestUnits) clusters, not \(sample.clusters)")
        let units = sample.seeds >= fewestUnits ? min(sample.clusters, sample.seeds) : sample.clusters
        return interval(
            means: means(of: sample, resamples: resamples, seed: seed), estimate: sample.mean,
            jackknife: jackknife(of: sample), quantile: widened(level, for: units))
    }

    /// The interval from bootstrap means, bias-corrected and accelerated.
    ///
    ///     α± = Φ(z₀ + (z₀ ± z) / (1 − a (z₀ ± z))),   z₀ = Φ⁻¹(share of means below the estimate)
    ///
    /// Efron, *Better Bootstrap Confidence Intervals*, 1987; ties count half, and quantiles are linear between order
    /// statistics.
    /// - Parameters:
    ///   - jackknife: The mean without each unit, for each factor that is drawn; the acceleration `a` is theirs.
    ///   - quantile: `z`, such as 1.96.
    public static func interval(
        means: [Double], estimate: Double, jackknife: [[Double]], quantile z: Double
    ) -> ClosedRange<Double> {
        let sorted = means.sorted()
        let (below, upTo) = (sorted.count { $0 < estimate }, sorted.count { $0 <= estimate })
        let edge = 1 / Double(2 * sorted.count)
        let share = min(max(Double(below + upTo) / Double(2 * sorted.count), edge), 1 - edge)
        let (bias, a) = (NormalDistribution.quantile(share), acceleration(jackknife))
        func level(_ z: Double) -> Double { NormalDistribution.cdf(bias + (bias + z) / (1 - a * (bias + z))) }
        let (low, high) = (Self.quantile(level(-z), of: sorted), Self.quantile(level(z), of: sorted))
        return min(low, high)...max(low, high)
    }

    /// `z` for a level, with more than the normal distribution's for few units: `√(n / (n − 1)) t₍ₙ₋₁₎`.
    ///
    /// A bootstrap distribution of n units is narrower by √((n − 1) / n) and has normal tails where Student's are due
    /// (Hesterberg, *What Teachers Should Know About the Bootstrap*, 2015, §5.3).
    public static func widened(_ level: Double, for units: Int) -> Double {
        let count = Double(units)
        return (count / (count - 1)).squareRoot() * StudentDistribution(freedom: count - 1).quantile((1 + level) / 2)
    }

    /// The mean without each cluster, and, where seeds are drawn, without each seed.
    public static func jackknife(of sample: PairedSample) -> [[Double]] {
        let (totals, files) = (sample.totals, Double(sample.files))
        let whole = totals.reduce(0, +)
        let withoutCluster = zip(totals, sample.sizes).map { (whole - $0) / (files - $1) }
        guard sample.seeds >= fewestUnits else { return [withoutCluster] }
        let means = sample.seedMeans
        let sum = means.reduce(0, +)
        return [withoutCluster, means.map { (sum - $0) / Double(means.count - 1) }]
    }

    /// `a = Σ u³ / n³ / (6 (Σ u² / n²)^1.5)` over the factors, with `u = (n − 1)(mean − value)`.
    private static func acceleration(_ jackknife: [[Double]]) -> Double {
        var (cubes, squares) = (0.0, 0.0)
        for values in jackknife {
            let count = Double(values.count)
            let mean = values.reduce(0, +) / count
            for value in values {
                let u = (count - 1) * (mean - value) / count
                (cubes, squares) = (cubes + u * u * u, squares + u * u)
            }
        }
        return squares > 0 ? cubes / (6 * squares * squares.squareRoot()) : 0
    }

    /// Linear interpolation between the order statistics around `(count − 1) p`.
    private static func quantile(_ p: Double, of sorted: [Double]) -> Double {
        let place = p * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
}
