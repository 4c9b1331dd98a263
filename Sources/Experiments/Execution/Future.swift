import Dispatch
import Synchronization

/// A value that is computed on another thread.
///
/// Whoever lets go of it waits: the computation may use what is closed next, such as a store after an error.
package final class Future<Value: Sendable>: Sendable {
    private final class Work: Sendable {
        let result = Mutex<Result<Value, any Error>>(.failure(CancellationError()))
        let group = DispatchGroup()
    }
    private let work = Work()

    package init(_ make: @escaping @Sendable () throws -> Value) {
        work.group.enter()
        DispatchQueue.global(qos: .userInitiated).async { [work] in
            let made = Result { try make() }
            work.result.withLock { $0 = made }
            work.group.leave()
        }
    }

    deinit { work.group.wait() }

    /// Waits until the value is computed.
    ///
    /// - Throws: What the computation threw.
    package func get() throws -> Value {
        work.group.wait()
        return try work.result.withLock { $0 }.get()
    }
}
