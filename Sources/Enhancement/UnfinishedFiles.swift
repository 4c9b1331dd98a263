import Foundation
import Synchronization
import SystemCalls

/// The temporary files that are being written, so that a program that ends at once can remove them.
public final class UnfinishedFiles: Sendable {
    private let paths = Mutex<Set<String>>([])

    public init() {}

    func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }
    func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

    /// Deletes them.
    public func deleteAll() { for path in paths.withLock({ $0 }) { POSIX.unlink(path) } }
}
