import Foundation
import Synchronization
import SystemCalls

/// Byte locks on the file `<store>-owners`, by which processes find out which others are running and which one writes.
///
/// The writing process holds byte 0. Owner *i* holds byte 16 + *i* while its store is open: the kernel releases the
/// lock when the process ends, however it ends, so no heartbeat and no process number is needed, and a copy of a store
/// has no owners. The locks belong to the open file description (`F_OFD_SETLK`): two stores of one process exclude each
/// other too, and a child does not inherit them across `exec`.
///
/// Writing under byte 0 also keeps a checkpoint of the WAL from running beside another process's commit, the
/// only circumstance in which SQLite before 3.51.3 can lose the WAL's tail ("WAL-reset bug").
final class OwnerLocks: Sendable {
    private let descriptor: Int32
    private let path: String
    private let owner = Mutex<Int64?>(nil)
    private static let firstOwner: Int64 = 16
    /// The row numbers of owners that a lock byte can represent.
    private static let owners: Range<Int64> = 0..<1 << 48

    /// Opens the lock file beside the store at `storePath`; for a reader of a store without one, every owner has ended.
    init(besides storePath: String, access: RunStore.Access) throws(StoreError) {
        path = storePath + "-owners"
        switch access {
        case .readOnly: descriptor = POSIX.open(path, O_RDONLY | O_CLOEXEC)
        case .readWrite:
            descriptor = POSIX.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw Self.failure(errno, at: storePath) }
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    private static func failure(_ code: Int32, at path: String) -> StoreError {
        let reason = POSIX.message(code)
        return switch code {
        case ENOSPC, EDQUOT, EFBIG: .full(at: path, reason)
        case EACCES, EPERM, EROFS:
            StoreError(
                .readOnly, at: path, "the folder of the store cannot be written (\(reason))",
                hint: "allow writing to the folder, or choose another place with --store")
        default:
            StoreError(
                .unreachable, at: path, "the store's lock file cannot be used (\(reason))",
                hint: "check that the folder exists and that its file system supports file locks")
        }
    }

    // MARK: The writer

    /// How long a writer waited for the write lock, and how long it held it, in s.
    struct Timing: Sendable {
        var waited: Double
        var held: Double
    }

    /// The times of all writes since ``RunStore/keepTimings()``; nil before that call.
    let timings = Mutex<[Timing]?>(nil)

    /// Runs `body` while no other store on this file writes.
    ///
    /// - Throws: ``StoreError`` of kind `busy` where another one holds the lock for longer than `timeout` s.
    func withWriteLock<Value>(timeout: Double, _ body: () throws -> Value) throws -> Value {
        let start = ContinuousClock.now
        if try !set(F_WRLCK, byte: 0) { try waitForWriteLock(timeout) }
        let begin = ContinuousClock.now
        defer {
            _ = try? set(F_UNLCK, byte: 0)
            timings.withLock { kept in
                kept?.append(
                    Timing(waited: (begin - start) / .seconds(1), held: (ContinuousClock.now - begin) / .seconds(1)))
            }
        }
        return try body()
    }

    /// Waits in the kernel's queue, so that writers get the lock in the order in which they asked for it.
    ///
    /// The kernel's call has no timeout: another thread makes it, and releases a lock that it gets after the timeout.
    private func waitForWriteLock(_ timeout: Double) throws {
        let request = LockRequest()
        Thread.detachNewThread { [self] in
            var code = Int32(0)
            while POSIX.lock(descriptor, Self.setLockWaiting, F_WRLCK, byte: 0) == nil {
                code = errno
                guard code == EINTR else { break }
                code = 0
            }
            if !request.finish(code), code == 0 { _ = try? set(F_UNLCK, byte: 0) }
        }
        switch request.wait(seconds: timeout) {
        case 0?: return
        case let code?: throw Self.failure(code, at: path)
        case nil:
            throw StoreError(
                .busy, at: path, "another process has been writing to the store for more than \(Int(timeout)) s",
                hint: "wait for it, or end it, and repeat the command")
        }
    }

    /// A blocking lock request that another thread makes: its result, and whether the requesting thread still waits.
    private final class LockRequest: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        private let state = Mutex<(code: Int32?, isAbandoned: Bool)>((nil, false))

        /// Stores the result.
        ///
        /// - Returns: Whether the requesting thread still waits for it.
        func finish(_ code: Int32) -> Bool {
            let isWanted = state.withLock { state in
                state.code = code
                return !state.isAbandoned
            }
            semaphore.signal()
            return isWanted
        }

        /// - Returns: The error number of the kernel, 0 where the lock was taken; nil after the timeout.
        func wait(seconds: Double) -> Int32? {
            _ = semaphore.wait(timeout: .now() + seconds)
            return state.withLock { state in
                state.isAbandoned = state.code == nil
                return state.code
            }
        }
    }

    // MARK: Writers

    /// Byte 1: shared by all stores that are open for writing.
    private static let writers: Int64 = 1

    /// Shows other stores that this one is open for writing, until ``stopWriting()`` or the end of the process.
    func startWriting() throws { _ = try set(F_RDLCK, byte: Self.writers) }

    func stopWriting() { if descriptor >= 0 { _ = try? set(F_UNLCK, byte: Self.writers) } }

    /// Whether no other store on this file is open for writing; if so, none can be opened before ``startWriting()`` or
    /// ``stopWriting()``. The caller holds the write lock.
    func isOnlyWriter() throws -> Bool { try set(F_WRLCK, byte: Self.writers) }

    // MARK: Owners

    /// The owner's row number of this store; nil before it first claims work.
    var current: Int64? { owner.withLock { $0 } }

    /// Becomes the owner `id` until the process ends or the store is released.
    func become(_ id: Int64) throws {
        guard try set(F_WRLCK, byte: Self.firstOwner + id) else {
            throw StoreError(.inUse, at: path, "owner \(id) is another live process")
        }
        owner.withLock { $0 = id }
    }

    /// Whether the process that is owner `id` still runs.
    func isAlive(_ id: Int64) -> Bool {
        if id == current { return true }
        guard descriptor >= 0, Self.owners.contains(id) else { return false }
        return POSIX.lock(descriptor, Self.getLock, F_WRLCK, byte: Self.firstOwner + id) != F_UNLCK
    }

    // MARK: Calls of the kernel

    /// `F_OFD_GETLK`, `F_OFD_SETLK` and `F_OFD_SETLKW` of `fcntl(2)`.
    private static let (getLock, setLock, setLockWaiting): (Int32, Int32, Int32) = (36, 37, 38)

    /// Sets or drops a lock; false where another holds it.
    private func set(_ type: Int32, byte: Int64) throws -> Bool {
        while POSIX.lock(descriptor, Self.setLock, type, byte: byte) == nil {
            switch errno {
            case EINTR: continue
            case EAGAIN, EACCES: return false
            default: throw Self.failure(errno, at: path)
            }
        }
        return true
    }
}
