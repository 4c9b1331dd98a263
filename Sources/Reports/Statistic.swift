/// The mean and spread of scores, and what was left out of them.
public struct Statistic: Hashable, Sendable {
    /// Over the finite scores; NaN where there is none.
    public var mean: Double
    /// The population's standard deviation (divided by n); NaN below two scores, which show no spread.
    public var std: Double
    /// How many finite scores there are.
    public var n: Int
    public var positiveInfinities: Int
    public var negativeInfinities: Int
    /// Scores that could not be computed.
    public var missing: Int

    /// The statistic of `values`, in which NaN stands for a score that could not be computed.
    public init(_ values: some Sequence<Double>) {
        (n, positiveInfinities, negativeInfinities, missing) = (0, 0, 0, 0)
        var (mean, squares) = (0.0, 0.0)  // Welford's recurrence
        for value in values {
            if value.isNaN {
                missing += 1
            } else if value == .infinity {
                positiveInfinities += 1
            } else if value == -.infinity {
                negativeInfinities += 1
            } else {
                n += 1
                let distance = value - mean
                mean += distance / Double(n)
                squares += distance * (value - mean)
            }
        }
        self.mean = n > 0 ? mean : .nan
        std = n > 1 ? (squares / Double(n)).squareRoot() : .nan
    }
}

/// The mean of paired differences with its 95 % interval.
public struct PairedDifference: Hashable, Sendable {
    public var mean: Double
    public var lower: Double
    public var upper: Double
    /// How many pairs have two finite scores.
    public var n: Int

    /// Whether zero lies outside the interval.
    public var isClear: Bool { lower > 0 || upper < 0 }

    /// The percentile bootstrap over the pairs (Efron, *Bootstrap Methods: Another Look at the Jackknife*, 1979).
    ///
    /// Equal differences give equal intervals: the resamples come from a fixed seed.
    public init?(_ differences: [Double], resamples: Int = 2000) {
        guard !differences.isEmpty else { return nil }
        n = differences.count
        mean = differences.reduce(0, +) / Double(n)
        guard n > 1 else {
            (lower, upper) = (-.infinity, .infinity)
            return
        }
        var generator = SplitMix64(state: 0x5EED)
        var means = [Double](repeating: 0, count: resamples)
        for resample in means.indices {
            var sum = 0.0
            for _ in 0..<n { sum += differences[generator.index(below: n)] }
            means[resample] = sum / Double(n)
        }
        means.sort()
        lower = Self.quantile(0.025, of: means)
        upper = Self.quantile(0.975, of: means)
    }

    /// Linear interpolation between the order statistics around `(count − 1) p`.
    private static func quantile(_ p: Double, of sorted: [Double]) -> Double {
        let place = p * Double(sorted.count - 1)
        let below = Int(place)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
}

/// Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014.
private struct SplitMix64 {
    var state: UInt64

    mutating func index(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Int(z.multipliedFullWidth(by: UInt64(bound)).high)
    }
}
