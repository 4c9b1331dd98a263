/// How values of a metric were computed: their signature, and the conversions before.
public struct MetricComputation: Sendable, Hashable, CustomStringConvertible {
    /// The metric with all that decides its value, such as `pesq|wb|16000|…`.
    public var signature: String
    /// What was done to the signals before.
    public var conversions: [String]
    /// The number of values computed in this way.
    public var count: Int

    public var description: String {
        conversions.isEmpty
            ? signature
            : "\(signature), \(conversions.joined(separator: ", ")) in \(count) \(count == 1 ? "file" : "files")"
    }
}

extension [ItemScores] {
    /// For each metric, the ways its values were made, in the order they first occur; the way of its outcomes without a
    /// value where there is no other.
    public var computations: [[MetricComputation]] {
        guard let first else { return [] }
        return first.outcomes.indices.map { index in
            var ways: [MetricComputation] = []
            for outcome in map({ $0.outcomes[index] }) where outcome.value != nil {
                if let way = ways.firstIndex(where: {
                    $0.signature == outcome.signature && $0.conversions == outcome.conversions
                }) {
                    ways[way].count += 1
                } else {
                    ways.append(.init(signature: outcome.signature, conversions: outcome.conversions, count: 1))
                }
            }
            return ways.isEmpty ? [.init(signature: first.outcomes[index].signature, conversions: [], count: 0)] : ways
        }
    }
}
