import Foundation
import Synchronization

/// Runs `body` for each number below `count`, each on a thread of its own, all at once; returns what was thrown.
package func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) -> [any Error] {
    let errors = Mutex<[any Error]>([])
    let gate = DispatchSemaphore(value: 0)
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            gate.wait()
            do { try body(index) } catch { errors.withLock { $0.append(error) } }
            group.leave()
        }
    }
    for _ in 0..<count { gate.signal() }
    group.wait()
    return errors.withLock { $0 }
}
