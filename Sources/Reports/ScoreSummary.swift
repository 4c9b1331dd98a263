/// The scores of one system in one column of a comparison, in short.
public struct ScoreSummary: Hashable, Sendable {
    /// Of the files, with all seeds together.
    public var statistic: Statistic
    /// Of the seeds' means, where several seeds are taken together: their number is `n`.
    public var seeds: Statistic?
    /// The mean's 95 % interval; nil where the options do not request it or there are too few values.
    public var interval: ClosedRange<Double>?
    /// Decimals of the printed numbers.
    public var digits: Int
    /// What is shown beside the number.
    public var marks: Table.Marks

    public init(
        _ statistic: Statistic, seeds: Statistic? = nil, interval: ClosedRange<Double>? = nil, digits: Int,
        marks: Table.Marks = []
    ) {
        (self.statistic, self.seeds, self.interval, self.digits, self.marks) = (
            statistic, seeds, interval, digits, marks
        )
    }

    /// Over the files, or over the seeds' means.
    public var mean: Double { seeds?.mean ?? statistic.mean }

    /// Over the files (divided by n), or between the seeds' means (divided by their number less one).
    public var spread: Double {
        guard let seeds else { return statistic.std }
        return seeds.std * (Double(seeds.n) / Double(seeds.n - 1)).squareRoot()
    }

    /// `2.93 ± 0.62 (824)`; `2.93 ± 0.02 (824 × 3 seeds)` over seeds, `2.93 [2.89, 2.97] (824)` with an interval.
    func text(_ style: Table.Style = .init()) -> String {
        let sign = style.isDense ? "±" : " ± "
        let spread = spread.isNaN ? "" : sign + spread.fixed(digits)
        let number = mean.fixed(digits) + (intervalText ?? spread)
        return number + (style.showsCounts ? (style.isDense ? "" : " ") + "(\(countText))" : "") + marks.text
    }

    var intervalText: String? {
        interval.map { " [\($0.lowerBound.fixed(digits)), \($0.upperBound.fixed(digits))]" }
    }

    var countText: String {
        guard let seeds else { return statistic.countText }
        let all = statistic.n + statistic.missing + statistic.positiveInfinities + statistic.negativeInfinities
        let files = seeds.n > 0 && all % seeds.n == 0 ? "\(all / seeds.n)" : "\(all) scores"
        let out = statistic.countText.split(separator: ",").dropFirst().map { "," + $0 }.joined()
        return "\(files) × \(seeds.n) seeds\(out)"
    }

    static let partNames = [
        "mean", "std", "n", "seeds", "lower", "upper", "plus_infinite", "minus_infinite", "missing",
    ]

    /// The values by name, at full precision; absent where there is none.
    var parts: [(name: String, value: Double?, isCount: Bool)] {
        let counts = [statistic.positiveInfinities, statistic.negativeInfinities, statistic.missing].map { Double($0) }
        let values =
            [mean, spread, Double(statistic.n), Double(seeds?.n ?? 1), interval?.lowerBound, interval?.upperBound]
            + counts
        return zip(Self.partNames, values).map { name, value in
            (name, value.flatMap { $0.isNaN ? nil : $0 }, !["mean", "std", "lower", "upper"].contains(name))
        }
    }
}
