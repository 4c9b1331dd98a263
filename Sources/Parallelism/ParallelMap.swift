import Dispatch
import Synchronization

extension RandomAccessCollection where Self: Sendable, Index == Int, Element: Sendable {
    /// `map` on all cores, in blocks of a few elements; the order of the results is that of the elements.
    ///
    /// Meant for work on files: it blocks the calling thread, which must not be one of Swift's cooperative pool for
    /// long.
    package func parallelMap<Result: Sendable>(block: Int = 8, _ transform: @Sendable (Element) -> Result) -> [Result] {
        // This interruption is never requested.
        (try? parallelMap(block: block, interruption: Interruption(), transform)) ?? []
    }

    /// `map` on all cores that can be interrupted between two elements.
    package func parallelMap<Result: Sendable>(
        block: Int = 8, interruption: Interruption, _ transform: @Sendable (Element) -> Result
    ) throws(Interrupted) -> [Result] {
        let blocks = (count + block - 1) / block
        let done = Mutex<[Int: [Result]]>([:])
        DispatchQueue.concurrentPerform(iterations: blocks) { number in
            let first = startIndex + number * block
            var results: [Result] = []
            for element in self[first..<Swift.min(first + block, endIndex)] {
                if interruption.isRequested { return }
                results.append(transform(element))
            }
            done.withLock { $0[number] = results }
        }
        try interruption.check()
        return done.withLock { done in (0..<blocks).flatMap { done[$0] ?? [] } }
    }
}
