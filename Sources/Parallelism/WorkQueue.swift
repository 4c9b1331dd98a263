import Dispatch
import Kernels
import Synchronization

/// Files worked on several at once, with results that do not depend on how many.
package enum WorkQueue {
    /// Calls `work` for each of `count` items, on as many workers as the engine has threads, and `done` for each result
    /// as it is ready, one at a time on the calling thread.
    ///
    /// - Throws: The first error of `work`, of `done`, or of an interruption; what was ready before has been handed
    ///   over.
    package static func run<Output: Sendable>(
        count: Int, interruption: Interruption, work: @escaping @Sendable (Int) throws -> Output,
        done: (Int, Output) throws -> Void
    ) throws {
        let workers = min(Engine.threads, count)
        let shared = Mutex(Shared<Output>())
        let ready = DispatchSemaphore(value: 0)
        let queue = DispatchQueue(label: "sgmse.work", attributes: .concurrent)
        for _ in 0..<workers {
            queue.async {
                while let index = shared.withLock({ $0.take(of: count) }) {
                    let result = Result {
                        try interruption.check()
                        guard workers > 1 else { return try work(index) }
                        return try Engine.serially { try work(index) }
                    }
                    shared.withLock { $0.put(result, at: index) }
                    ready.signal()
                }
            }
        }
        var (finished, failure): (Int, (any Error)?) = (0, nil)
        while failure == nil, finished < count {
            ready.wait()
            guard let (index, result) = shared.withLock({ $0.results.popLast() }) else { continue }
            do {
                try done(index, result.get())
                finished += 1
            } catch {
                failure = error
                shared.withLock { $0.isStopped = true }
            }
        }
        queue.sync(flags: .barrier) {}
        if let failure { throw failure }
    }

    /// What the workers share: the next item, and the results not yet handed over.
    private struct Shared<Output: Sendable> {
        var next = 0
        var results: [(Int, Result<Output, any Error>)] = []
        var isStopped = false

        mutating func take(of count: Int) -> Int? {
            guard !isStopped, next < count else { return nil }
            next += 1
            return next - 1
        }

        mutating func put(_ result: Result<Output, any Error>, at index: Int) { results.append((index, result)) }
    }
}
