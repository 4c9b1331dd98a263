/// The mean and spread of scores, and what was left out of them.
public struct Statistic: Hashable, Sendable {
    /// Over the finite scores; NaN where there is none.
    public var mean: Double
    /// The population's standard deviation (divided by n); NaN below two scores, which show no spread.
    public var std: Double
    /// How many finite scores there are.
    public var n: Int
    /// Scores of +∞, which are left out of the mean.
    public var positiveInfinities: Int
    /// Scores of −∞, which are left out of the mean.
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
