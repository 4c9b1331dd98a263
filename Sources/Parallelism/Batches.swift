extension Array {
    /// What one call of `body` makes of all successes; a failure stays in its place.
    package func mapTogether<Input, Output>(
        _ body: ([Input]) throws -> [Result<Output, any Error>]
    ) rethrows -> [Result<Output, any Error>] where Element == Result<Input, any Error> {
        var made = try body(compactMap { try? $0.get() })[...]
        return map { $0.flatMap { _ in made.removeFirst() } }
    }
}

extension Array {
    /// The elements in order, `count` at a time; the last batch may be smaller.
    package func inBatches(of count: Int) -> [[Element]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}
