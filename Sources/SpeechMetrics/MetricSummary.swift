import Foundation
import Kernels

/// Statistics of a metric over many pairs: mean, spread and number of pairs.
///
/// Failures and infinite values are counted and left out of mean, deviation and interval.
public struct MetricSummary: Sendable, Hashable {
    /// The metric's name.
    public var name: String
    /// Pairs with a finite value: the `n` of the mean.
    public var count: Int
    /// Files of which the metric could not be computed.
    public var failures: Int
    /// Files whose value is infinite, which no mean includes.
    public var infinite: Int
    /// Over the finite values; `+∞` where every value is infinite, nil where there is none.
    public var mean: Double?
    /// The population's: divided by `n`, as the reference's tables have it. One value has no spread: nil below two.
    public var standardDeviation: Double?
    /// The 95 % confidence interval of the mean; nil for fewer than two values.
    public var interval: ClosedRange<Double>?

    /// - Parameters:
    ///   - seed: Of the bootstrap; the same seed and values give the same interval.
    ///   - resamples: The number of resampled means.
    public init(
        _ name: String, of results: [Result<Double, MetricFailure>], seed: UInt64 = 0, resamples: Int = 2000
    ) {
        let values = results.compactMap { try? $0.get() }
        let finite = values.filter(\.isFinite)
        self.name = name
        count = finite.count
        failures = results.count - values.count
        infinite = values.count - finite.count
        guard !finite.isEmpty else {
            mean = infinite > 0 ? .infinity : nil
            return
        }
        let mean = finite.reduce(0, +) / Double(finite.count)
        let squares = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.mean = mean
        if finite.count > 1 { standardDeviation = (squares / Double(finite.count)).squareRoot() }
        interval = Self.bootstrapInterval(finite, seed: seed, resamples: resamples)
    }

    /// The percentile interval of the mean: the middle 95 % of the means of samples drawn with replacement.
    ///
    /// Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, ch. 13.
    public static func bootstrapInterval(
        _ values: [Double], seed: UInt64, resamples: Int = 2000
    ) -> ClosedRange<Double>? {
        guard values.count > 1, resamples > 0 else { return nil }
        let stream = RandomStream(seed: seed, purpose: "metric bootstrap")
        let means = (0..<resamples).map { resample in
            var sum = 0.0
            for draw in 0..<values.count {
                sum += values[stream.integer(resample * values.count + draw, below: values.count)]
            }
            return sum / Double(values.count)
        }.sorted()
        return means.quantile(0.025)...means.quantile(0.975)
    }
}

extension [Double] {
    /// The quantile of sorted values, between neighbours by proportion.
    fileprivate func quantile(_ part: Double) -> Double {
        let position = part * Double(count - 1)
        let below = Int(position)
        let above = Swift.min(below + 1, count - 1)
        return self[below] + (position - Double(below)) * (self[above] - self[below])
    }
}

extension [ItemScores] {
    /// One summary per metric, in the order of the outcomes.
    public func summaries(seed: UInt64 = 0) -> [MetricSummary] {
        guard let first else { return [] }
        return first.outcomes.indices.map { index in
            MetricSummary(first.outcomes[index].name, of: map { $0.outcomes[index].result }, seed: seed)
        }
    }

    /// The groups of items that share a label's value, in the order of the values; numbers, and values that open with
    /// one, sort as numbers. Items without the label are in no group.
    public func groups(by label: String) -> [(value: String, scores: [ItemScores])] {
        let groups = Dictionary(grouping: filter { $0.labels[label] != nil }) { $0.labels[label, default: ""] }
        return groups.keys.sorted(by: Self.isBefore).map { ($0, groups[$0, default: []]) }
    }

    /// The summaries of each group.
    public func summaries(by label: String, seed: UInt64 = 0) -> [(value: String, summaries: [MetricSummary])] {
        groups(by: label).map { ($0.value, $0.scores.summaries(seed: seed)) }
    }

    private static func isBefore(_ a: String, _ b: String) -> Bool {
        if let x = leadingNumber(of: a), let y = leadingNumber(of: b), x != y { return x < y }
        return a < b
    }

    /// The number a value opens with, as `-5` and `-5 to 0` do.
    private static func leadingNumber(of value: String) -> Double? {
        value.split(separator: " ").first.flatMap { Double($0) }
    }
}
