import Synchronization

/// One pair to be measured: its name, its labels for grouping, and how it is read.
public struct MetricItem: Sendable {
    /// Unique in its batch, such as the enhanced file's name.
    public var name: String
    /// What summaries may be broken down by, such as `noise: cafe` and `snr: 5`.
    public var labels: [String: String]
    /// Reads the pair; called once, on the worker that measures it. An error makes every metric fail, a `MetricFailure`
    /// as it is and any other error as `unreadable`.
    public var load: @Sendable () throws -> SpeechPair

    public init(
        _ name: String, labels: [String: String] = [:], load: @escaping @Sendable () throws -> SpeechPair
    ) {
        self.name = name
        self.labels = labels
        self.load = load
    }
}

/// The outcomes of one pair, in the order of the batch's metrics.
public struct ItemScores: Sendable, Hashable {
    /// The pair's name, unique in its batch.
    public var name: String
    /// What summaries may be broken down by, as in ``MetricItem``.
    public var labels: [String: String]
    /// One per metric, failures included.
    public var outcomes: [MetricOutcome]

    public init(name: String, labels: [String: String], outcomes: [MetricOutcome]) {
        (self.name, self.labels, self.outcomes) = (name, labels, outcomes)
    }
}

/// Measures many pairs with some metrics, on several workers.
///
/// Every pair is measured whole by one worker, so the numbers do not depend on how many there are.
public struct MetricBatch: Sendable {
    /// What is computed of each pair.
    public var metrics: [any SpeechMetric]
    /// What may be converted before it is scored.
    public var allowance: MetricAllowance
    /// How many pairs are measured at once; at least one.
    public var workers: Int

    public init(_ metrics: [any SpeechMetric], allowing allowance: MetricAllowance = [], workers: Int) {
        self.metrics = metrics
        self.allowance = allowance
        self.workers = max(1, workers)
    }

    /// The scores of all items, in their order.
    ///
    /// A pair that cannot be read fails in every metric, with the reader's reason. `progress` is called after each
    /// pair with the number of pairs done, from any worker.
    ///
    /// - Throws: `CancellationError` if the task is cancelled; the pairs being measured are finished first.
    public func scores(
        of items: [MetricItem], progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> [ItemScores] {
        let queue = WorkQueue(count: items.count)
        return try await withThrowingTaskGroup(of: [(Int, ItemScores)].self) { group in
            for _ in 0..<min(workers, items.count) {
                group.addTask {
                    var scores: [(Int, ItemScores)] = []
                    while let index = queue.next() {
                        try Task.checkCancellation()
                        scores.append((index, self.scores(of: items[index])))
                        progress(queue.finish())
                    }
                    return scores
                }
            }
            var all: [(Int, ItemScores)] = []
            for try await part in group { all += part }
            return all.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// The scores of one item.
    public func scores(of item: MetricItem) -> ItemScores {
        let outcomes: [MetricOutcome]
        do {
            let analysis = PairAnalysis(try item.load())
            outcomes = metrics.map { $0.evaluate(analysis, allowing: allowance) }
        } catch {
            let failure = error as? MetricFailure ?? .unreadable("\(error)")
            outcomes = metrics.map { metric in
                MetricOutcome(
                    name: metric.name, signature: metric.signature, result: .failure(failure), conversions: [])
            }
        }
        return ItemScores(name: item.name, labels: item.labels, outcomes: outcomes)
    }
}

/// The indices of a batch, each taken by one worker.
private final class WorkQueue: Sendable {
    private let count: Int
    private let state = Mutex((next: 0, done: 0))

    init(count: Int) { self.count = count }

    func next() -> Int? {
        state.withLock { state in
            guard state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    /// Counts one more place as done; returns how many are.
    func finish() -> Int {
        state.withLock { state in
            state.done += 1
            return state.done
        }
    }
}
