import Dispatch
import Synchronization

/// A value that is computed on another thread.
final class Future<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>>(.failure(CancellationError()))
    private let group = DispatchGroup()

    init(_ make: @escaping @Sendable () throws -> Value) {
        group.enter()
        DispatchQueue.global(qos: .userInitiated).async { [self] in
            let made = Result { try make() }
            result.withLock { $0 = made }
            group.leave()
        }
    }

    /// Waits until the value is computed.
    ///
    /// - Throws: What the computation threw.
    func get() throws -> Value {
        group.wait()
        return try result.withLock { $0 }.get()
    }
}
