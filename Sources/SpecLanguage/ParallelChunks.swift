import Dispatch
import Synchronization

extension Array where Element: Sendable {
    /// `map` over chunks of the array on all cores; the order of the results is that of the elements.
    ///
    /// - Parameter size: Elements of a chunk; a single chunk is computed on the calling thread.
    package func parallelChunks<Result: Sendable>(
        of size: Int = 256, _ transform: @Sendable (ArraySlice<Element>) -> [Result]
    ) -> [Result] {
        let chunks = (count + size - 1) / size
        guard chunks > 1 else { return transform(self[...]) }
        let done = Mutex<[Int: [Result]]>([:])
        DispatchQueue.concurrentPerform(iterations: chunks) { number in
            let results = transform(self[number * size..<Swift.min((number + 1) * size, count)])
            done.withLock { $0[number] = results }
        }
        return done.withLock { done in (0..<chunks).flatMap { done[$0] ?? [] } }
    }
}
