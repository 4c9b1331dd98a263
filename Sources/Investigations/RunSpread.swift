import Foundation
import Reported
import Reports

/// The variance between trainings of one configuration, pooled over all groups of such trainings.
///
///     s² = Σ (nᵢ − 1) sᵢ² / Σ (nᵢ − 1)
public struct RunSpread: Hashable, Sendable {
    /// The pooled variance between trainings, in the metric's unit squared.
    public var variance: Double
    /// Degrees of freedom.
    public var freedom: Double
    /// The largest difference between two trainings of one group, with what they are called.
    public var widest: Widest

    /// Two trainings of one configuration, as an example for a sentence.
    public struct Widest: Hashable, Sendable {
        /// The larger mean less the smaller one, in the metric's unit.
        public var difference: Double
        /// Which trainings they are, and the places of their figures.
        public var text: String
    }

    /// The standard deviation, in the metric's unit.
    public var deviation: Double { variance.squareRoot() }

    /// The spread of the means of several trainings.
    ///
    /// - Precondition: there are at least two.
    init(means: [Double], label: String) {
        precondition(means.count > 1, "\(means.count) trainings have no spread")
        let mean = means.reduce(0, +) / Double(means.count)
        freedom = Double(means.count - 1)
        variance = means.reduce(0) { $0 + pow($1 - mean, 2) } / freedom
        let (low, high) = (means.min() ?? mean, means.max() ?? mean)
        widest = Widest(difference: high - low, text: "seeds of \(label)")
    }

    /// The pooled spread; nil where no group has two trainings.
    init?(pooling parts: [RunSpread]) {
        let total = parts.reduce(0) { $0 + $1.freedom }
        guard total > 0, let widest = parts.max(by: { $0.widest.difference < $1.widest.difference })?.widest else {
            return nil
        }
        variance = parts.reduce(0) { $0 + $1.freedom * $1.variance } / total
        (freedom, self.widest) = (total, widest)
    }

    /// The groups of reported figures whose recorded settings are all equal: trainings of one configuration.
    static func replicates(among figures: [PaperFigures], _ metric: String) -> [RunSpread] {
        let groups = Dictionary(
            grouping: figures.filter { !$0.settings.isEmpty && $0.values[metric] != nil }, by: \.settings)
        return groups.values.filter { $0.count > 1 }.map { group in
            let sorted = group.sorted { $0.place < $1.place }
            let values = sorted.compactMap { $0.values[metric] }
            var spread = RunSpread(means: values.map(\.value), label: "")
            spread.widest.text = sorted.compactMap { one in
                one.values[metric].map { "'\(one.system)' \($0.value.fixed($0.digits)) at \(one.place)" }
            }.joined(separator: " and ")
            return spread
        }.sorted { $0.widest.text < $1.widest.text }
    }
}
