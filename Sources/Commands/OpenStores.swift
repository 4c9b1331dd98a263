import Foundation
import Runs
import Synchronization

/// The stores that the command has opened: the program closes them at its end, also after an error.
///
/// Commands open stores through ``StoreOptions`` alone, so that every store is closed. A closed store is one complete
/// file.
final class OpenStores: Sendable {
    static let shared = OpenStores()
    private let stores = Mutex<[RunStore]>([])

    func add(_ store: RunStore) -> RunStore {
        stores.withLock { $0.append(store) }
        return store
    }

    /// Closes every store, the last opened first; one that was closed already stays so.
    ///
    /// - Throws: The first failure, after all have been tried.
    func closeAll() throws(StoreError) {
        let open = stores.withLock { stores in
            defer { stores = [] }
            return stores
        }
        var failure: StoreError?
        for store in open.reversed() {
            do { try store.close() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    /// Closes every store as far as that takes no longer than some seconds; what is left is recovered by the next
    /// command.
    func closeAll(within seconds: Double) {
        let isDone = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
            try? closeAll()
            isDone.signal()
        }
        _ = isDone.wait(timeout: .now() + seconds)
    }
}
