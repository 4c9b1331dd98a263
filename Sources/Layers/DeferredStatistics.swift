import Tensors

/// Batch statistics that update the running averages later: where several processes compute batches, each process
/// applies the statistics of all batches, in the order of the batches.
public final class DeferredStatistics {
    @TaskLocal static var current: DeferredStatistics?

    private var updates: [(Tensor, Tensor) -> Void] = []
    private var found: [Tensor] = []
    private var shapes: [[Int]] = []

    public init() {}

    /// Runs the forward pass of a batch and collects its statistics instead of applying them.
    ///
    /// - Returns: The result, and mean and variance of every layer in the order of the forward pass.
    public func collecting<Result>(_ body: () throws -> Result) rethrows -> (Result, statistics: [Float]) {
        (updates, shapes, found) = ([], [], [])
        let result = try Self.$current.withValue(self, operation: body)
        defer { found = [] }
        return (result, found.flatMap(\.values))
    }

    func add(_ mean: Tensor, _ variance: Tensor, update: @escaping (Tensor, Tensor) -> Void) {
        found += [mean, variance]
        updates.append(update)
        shapes.append(mean.shape)
    }

    /// Numbers in the statistics of a batch.
    public var count: Int { 2 * shapes.reduce(0) { $0 + $1.reduce(1, *) } }

    /// Updates the running averages with the statistics of a batch, of this or of another process.
    public func apply(_ statistics: [Float]) {
        var rest = statistics[...]
        for (update, shape) in zip(updates, shapes) {
            let count = shape.reduce(1, *)
            func next() -> Tensor {
                defer { rest = rest.dropFirst(count) }
                return Tensor(Array(rest.prefix(count)), shape: shape)
            }
            let mean = next()
            update(mean, next())
        }
    }
}

// Unchecked: an instance is used by one thread at a time.
extension DeferredStatistics: @unchecked Sendable {}
