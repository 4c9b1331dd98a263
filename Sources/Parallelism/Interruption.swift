public import Failures
import Synchronization

/// A request to stop, set from a signal handler or another thread.
public final class Interruption: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// May be called from any thread, more than once; it cannot be taken back.
    public func request() { flag.store(true, ordering: .relaxed) }
    /// Whether ``request()`` was called; long work checks this between its items.
    public var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// - Throws: `Interrupted` once it was requested.
    public func check() throws(Interrupted) { if isRequested { throw Interrupted() } }
}

/// Work was ended by a request; what was done is kept.
public struct Interrupted: Diagnostic, Hashable, Sendable {
    public init() {}

    public var summary: String { "interrupted" }
    public var hint: String? { "the same command goes on from here" }
    public var category: FailureCategory { .interruption }
    public var description: String { line }
}
