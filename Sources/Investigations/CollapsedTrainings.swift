import Statistics

/// A training that scores far worse than other trainings of the same configuration.
public struct CollapsedTraining: Hashable, Sendable {
    /// The configuration, and the training's place in it.
    public var group: Int
    public var place: Int
    /// How much worse its mean is than that of the others.
    public var drop: Double
    /// The error of `drop`, and how often chance makes one as large, corrected for all trainings.
    var error: ErrorOfMean
    /// The p value of `drop`, corrected for the number of trainings.
    public var p: Double

    /// The collapsed trainings among groups of trainings of one configuration each, given the mean score of every
    /// training.
    ///
    /// A training is compared with the others of its configuration, by a t test whose spread is pooled over all
    /// trainings but this one. The one that lies farthest off is left out, and the rest is searched again, so that one
    /// collapse does not mask another; all up to the last one beyond chance are found (Rosner, *Percentage Points for a
    /// Generalized ESD Many-Outlier Procedure*, Technometrics 25, 1983). Two trainings of a configuration do not show
    /// which of them collapsed: three are needed. Where half of them lie far off, or several and a third of all, the
    /// configuration is unstable, and none of them has collapsed.
    ///
    /// - Parameters:
    ///   - effect: The smallest drop that counts.
    ///   - alpha: The probability of finding one where there is none.
    public static func find(
        in groups: [[Double]], effect: Double = 0, isHigherBetter: Bool = true, alpha: Double = 0.002
    ) -> [CollapsedTraining] {
        let sign: Double = isHigherBetter ? 1 : -1
        let farthest = farthest(in: groups, sign: sign, effect: effect)
        let fallen = farthest.prefix((farthest.lastIndex { $0.p <= alpha } ?? -1) + 1)
        let unstable = groups.indices.filter { group in
            let (count, all) = (fallen.count { $0.group == group }, groups[group].count)
            return count > 0 && (count > 1 ? 3 : 2) * count >= all
        }
        guard unstable.isEmpty else {
            let stable = groups.indices.map { unstable.contains($0) ? [] : groups[$0] }
            return find(in: stable, effect: effect, isHigherBetter: isHigherBetter, alpha: alpha)
        }
        // All that were found are compared with the trainings that are left.
        let sound = groups.indices.map { group in
            groups[group].indices.filter { place in !fallen.contains { $0.group == group && $0.place == place } }
        }
        return fallen.compactMap { one($0.place, of: $0.group, among: groups, sound, sign: sign) }
    }

    /// A quarter of the trainings, those that lie farthest off first, each compared with what is left before it is left
    /// out.
    private static func farthest(in groups: [[Double]], sign: Double, effect: Double) -> [CollapsedTraining] {
        var kept = groups.map { Array($0.indices) }
        let total = groups.reduce(0) { $0 + $1.count }
        var removed: [CollapsedTraining] = []
        while removed.count < max(1, total / 4) {
            let candidates = groups.indices.flatMap { group in
                kept[group].count < 3
                    ? [] : kept[group].compactMap { one($0, of: group, among: groups, kept, sign: sign) }
            }
            guard
                let worst = candidates.filter({ $0.drop > 0 && $0.drop >= effect }).min(by: {
                    ($0.p, -$0.drop) < ($1.p, -$1.drop)
                })
            else { break }
            removed.append(worst)
            kept[worst.group].removeAll { $0 == worst.place }
        }
        return removed
    }

    private static func one(
        _ place: Int, of group: Int, among groups: [[Double]], _ kept: [[Int]], sign: Double
    ) -> CollapsedTraining? {
        var others = groups.indices.map { number in kept[number].map { groups[number][$0] } }
        others[group] = kept[group].filter { $0 != place }.map { groups[group][$0] }
        guard let noise = TrainingNoise(ofMeans: others) else { return nil }
        let count = Double(others[group].count)
        let drop = sign * (others[group].reduce(0, +) / count - groups[group][place])
        let error = ErrorOfMean(variance: noise.variance * (1 + 1 / count), freedom: noise.freedom)
        let total = Double(groups.reduce(0) { $0 + $1.count })
        return CollapsedTraining(
            group: group, place: place, drop: drop, error: error,
            p: drop > 0 ? min(1, total * error.p(of: drop) / 2) : 1)
    }
}

/// The variance between trainings of one configuration, pooled over all configurations.
public struct TrainingNoise: Hashable, Sendable {
    /// The pooled variance of the trainings' means, in the metric's unit squared.
    public var variance: Double
    /// Degrees of freedom: the number of trainings less the number of configurations.
    public var freedom: Double
    /// The standard deviation, in the metric's unit.
    public var deviation: Double { variance.squareRoot() }

    /// - Parameter groups: The mean score of each training, by configuration.
    /// - Returns: nil where every configuration was trained once.
    public init?(ofMeans groups: [[Double]]) {
        var (sum, freedom) = (0.0, 0.0)
        for means in groups where means.count > 1 {
            let mean = means.reduce(0, +) / Double(means.count)
            sum += means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            freedom += Double(means.count - 1)
        }
        guard freedom > 0 else { return nil }
        (variance, self.freedom) = (sum / freedom, freedom)
    }
}
