import Tensors

/// Statistics of batches that running averages follow later: where several processes make batches, all of them follow
/// all batches, in the order of the batches.
public final class DeferredStatistics {
    @TaskLocal static var current: DeferredStatistics?

    private var followers: [(Tensor, Tensor) -> Void] = []
    private var found: [Tensor] = []
    private var shapes: [[Int]] = []

    public init() {}

    /// Runs the forward pass of a batch, whose statistics are kept instead of followed.
    ///
    /// - Returns: The result, and the statistics, one after the other.
    public func collecting<Result>(_ body: () throws -> Result) rethrows -> (Result, statistics: [Float]) {
        (followers, shapes, found) = ([], [], [])
        let result = try Self.$current.withValue(self, operation: body)
        defer { found = [] }
        return (result, found.flatMap(\.values))
    }

    func add(_ mean: Tensor, _ variance: Tensor, follow: @escaping (Tensor, Tensor) -> Void) {
        found += [mean, variance]
        followers.append(follow)
        shapes.append(mean.shape)
    }

    /// Numbers in the statistics of a batch.
    public var count: Int { 2 * shapes.reduce(0) { $0 + $1.reduce(1, *) } }

    /// Lets the running averages follow the statistics of a batch, its own or that of another process.
    public func follow(_ statistics: [Float]) {
        var rest = statistics[...]
        for (follower, shape) in zip(followers, shapes) {
            let count = shape.reduce(1, *)
            func next() -> Tensor {
                defer { rest = rest.dropFirst(count) }
                return Tensor(Array(rest.prefix(count)), shape: shape)
            }
            let mean = next()
            follower(mean, next())
        }
    }
}

// The batch at hand belongs to one thread.
extension DeferredStatistics: @unchecked Sendable {}
