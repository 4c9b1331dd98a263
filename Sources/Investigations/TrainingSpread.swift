import Statistics

/// The variance between trainings of one configuration, for each of several configurations.
///
/// The spread is pooled over all configurations, but not over those that vary far more than the rest, such as an
/// unstable network: these have their own. One of the more variable half, and all above it, is set apart where an F
/// test finds its variance above the pooled one of all that vary less (1 %, Bonferroni).
public struct TrainingSpread: Hashable, Sendable {
    /// The pooled variance of all configurations that are not in `own`; nil where none of them was trained twice.
    public let pooled: TrainingNoise?
    /// The variances of configurations that vary more than the others, by the number of the configuration.
    public let own: [Int: TrainingNoise]

    /// - Parameter groups: The mean score of each training, by configuration.
    public init(ofMeans groups: [[Double]], alpha: Double = 0.01) {
        func noise(_ numbers: [Int]) -> TrainingNoise? { TrainingNoise(ofMeans: numbers.map { groups[$0] }) }
        // The least variable first.
        let order = groups.indices.filter { groups[$0].count > 1 }.sorted {
            variance(groups[$0]) < variance(groups[$1])
        }
        let first = order.indices.dropFirst((order.count + 1) / 2).first { place in
            guard let wide = noise([order[place]]), let rest = noise(Array(order[..<place])) else { return false }
            let ratio = rest.variance > 0 ? wide.variance / rest.variance : wide.variance > 0 ? .infinity : 1
            return FDistribution(above: wide.freedom, below: rest.freedom).upperTail(ratio) * Double(order.count)
                <= alpha
        }
        pooled = noise(Array(order[..<(first ?? order.endIndex)]))
        own = order[(first ?? order.endIndex)...].reduce(into: [:]) { $0[$1] = noise([$1]) }
    }

    /// The error of a difference between two configurations' means over some trainings each.
    ///
    /// - Returns: nil where it is not known: no configuration like one of them was trained twice.
    func error(_ first: (group: Int, count: Int), _ second: (group: Int, count: Int)) -> ErrorOfMean? {
        var (parts, weight): ([ErrorOfMean], Double) = ([], 0)
        for one in [first, second] {
            if let noise = own[one.group] {
                parts.append(.init(variance: noise.variance / Double(one.count), freedom: noise.freedom))
            } else {
                weight += 1 / Double(one.count)
            }
        }
        if weight > 0 {
            guard let pooled else { return nil }
            parts.append(.init(variance: pooled.variance * weight, freedom: pooled.freedom))
        }
        return ErrorOfMean(sumOf: parts)
    }
}

private func variance(_ means: [Double]) -> Double { TrainingNoise(ofMeans: [means])?.variance ?? 0 }
