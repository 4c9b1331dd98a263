import Foundation
import GRDB
import Synchronization
import SystemCalls

/// The SQLite file with every run, evaluation, score and finding.
///
/// Commits are durable (`synchronous = FULL`), and one process writes at a time while the others wait: a call that
/// returned is stored, an interrupted one has changed nothing. Every insertion has a natural key: repeated, it changes
/// nothing. An open store is also an *owner* of claims and running work (``Owner``); when its process ends, normally or
/// not, the next process that opens the store marks this work as interrupted.
public final class RunStore: Sendable {
    /// How commits reach the disk.
    public enum Journal: String, Sendable, CaseIterable {
        /// Write-ahead log: readers and the writer never wait for each other. Needs a local file system.
        case wal
        /// Rollback journal: slower, and safe wherever file locks work.
        case rollback
    }

    /// What an open store may do.
    public enum Access: Sendable {
        /// Creates the store where there is none, migrates an older one, and takes over abandoned work.
        case readWrite
        /// Reads an existing store and writes nothing.
        case readOnly
    }

    /// The path of the SQLite file.
    public let path: String
    /// How it was opened; a store that was opened for reading refuses every change with ``StoreError/Kind/readOnly``.
    public let access: Access
    /// The journal of this connection.
    public let journal: Journal
    let database: any DatabaseWriter
    let locks: OwnerLocks
    let isClosed = Mutex(false)
    let openFile: OpenFile
    private let timeout: Double

    /// The folder that holds the folder of each run; the store lies in it, unless it keeps a part of another store's
    /// work.
    public let folder: String

    /// Opens the store at `path`, creating it and its folder where they are missing.
    ///
    /// - Parameters:
    ///   - folder: Where the runs' folders lie; beside the store if `nil`.
    ///   - timeout: How many seconds to wait for other writers before giving up.
    /// - Throws: ``StoreError`` of kind `newer` for the store of a newer version, which is left as it is;
    ///   `foreign`, `corrupt`, `readOnly`, `full`, `unreachable` or `networkFileSystem` as the file demands.
    public convenience init(
        at path: String, access: Access = .readWrite, journal: Journal = .wal, folder: String? = nil,
        timeout: Double = 300
    ) throws(StoreError) {
        try self.init(at: path, access: access, journal: journal, folder: folder, timeout: timeout, isArchived: nil)
    }

    /// - Parameter isArchived: Whether no process can write the file, so that a reader needs no locks; nil checks it.
    package init(
        at path: String, access: Access, journal: Journal = .wal, folder: String? = nil, timeout: Double = 300,
        isArchived: Bool?
    ) throws(StoreError) {
        let path = URL(fileURLWithPath: path).path
        (self.path, self.access, self.journal, self.timeout) = (path, access, journal, timeout)
        let own = (path as NSString).deletingLastPathComponent
        self.folder = folder.map { URL(fileURLWithPath: $0).path } ?? own
        if access == .readWrite { try Self.createFolder(own) }
        if journal == .wal, let network = FileSystem(holding: own)?.networkName {
            throw StoreError(
                .networkFileSystem, at: path,
                "the folder lies on a network file system (\(network)), where WAL loses data",
                hint: "choose a local folder with --store, or use the rollback journal: --journal rollback")
        }
        openFile = OpenFile(path)
        locks = try OwnerLocks(besides: path, access: access)
        let locks = locks
        database = try Self.mapping(path) {
            switch access {
            case .readOnly:
                let bytes = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
                guard let bytes, bytes > 0 else {
                    throw StoreError(
                        .missing, at: path, "there is no store here yet",
                        hint: "sgmse run makes one; another place is chosen with --store")
                }
                if try isArchived ?? Self.isArchived(path) { return try Self.archive(path) }
                try Self.inspect(path)
                return try DatabaseQueue(path: path, configuration: Self.configuration(timeout, readOnly: true))
            case .readWrite:
                return try Self.create(path, journal, timeout, locks)
            }
        }
        if access == .readWrite {
            try takeOverAbandonedWork()
            try finishPendingChanges()
        }
    }

    // MARK: Access

    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try Self.mapping(path) { try database.read(body) }
    }

    /// Runs `body` in one transaction, alone among all processes; it happens whole or not at all.
    func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        try Self.mapping(path) {
            guard access == .readWrite else {
                throw StoreError(.readOnly, at: path, "the store was opened for reading only")
            }
            return try database.writeWithoutTransaction { try transaction($0, body) }
        }
    }

    /// One transaction on the writer's connection, alone among all processes.
    func transaction<Value>(_ db: Database, _ body: (Database) throws -> Value) throws -> Value {
        try locks.withWriteLock(timeout: timeout) {
            var value: Value?
            try db.inTransaction(.immediate) {
                value = try body(db)
                return .commit
            }
            guard let value else { throw StoreError.damaged(at: path, "a transaction left no value") }
            return value
        }
    }

    /// Runs `body`, and maps its errors to those of the store at `path`.
    static func mapping<Value>(_ path: String, _ body: () throws -> Value) throws(StoreError) -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            throw StoreError(error, at: path)
        } catch let bad as BadCell {
            throw StoreError(bad, at: path)
        } catch {
            throw .damaged(at: path, "\(error)")
        }
    }
}

// MARK: - Opening

extension RunStore {
    /// Marks an SQLite file as a store: the letters `SGMS`.
    static let applicationID: Int32 = 0x5347_4D53

    private static func createFolder(_ folder: String) throws(StoreError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw StoreError(
                .unreachable, at: folder, "the folder of the store cannot be made (\(error.localizedDescription))",
                hint: "choose another place with --store, or allow writing to the folder above")
        }
    }

    /// Creates or migrates the store under the write lock, so that two processes can open a new store at once.
    private static func create(
        _ path: String, _ journal: Journal, _ timeout: Double, _ locks: OwnerLocks
    ) throws -> any DatabaseWriter {
        try locks.withWriteLock(timeout: timeout) {
            try inspect(path)
            let configuration = configuration(timeout, readOnly: false)
            let writer: any DatabaseWriter
            switch journal {
            case .wal: writer = try DatabasePool(path: path, configuration: configuration)
            case .rollback:
                writer = try DatabaseQueue(path: path, configuration: configuration)
                try writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            }
            // A pool lowers this to NORMAL, under which a power cut may undo the last commits.
            try writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            try migrator.migrate(writer)
            if journal == .wal { try writer.writeWithoutTransaction { try markLog($0, locks) } }
            return writer
        }
    }

    /// Refuses a foreign file and the store of a newer version before anything is written to it.
    private static func inspect(_ path: String) throws {
        guard let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int, size > 0 else {
            return
        }
        let hadLog = hasLog(path)
        try reading(path) { try inspect(path, hadLog: hadLog, $0) }
    }

    private static func inspect(_ path: String, hadLog: Bool, _ db: Database) throws {
        let tables =
            try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE '%grdb_migrations%'") ?? 0
        let mark = try Int32.fetchOne(db, sql: "PRAGMA application_id")
        guard tables == 0 || mark == applicationID else {
            throw StoreError(
                .foreign, at: path, "this SQLite file is not a store of sgmse",
                hint: "choose another file with --store; this one has been left as it was")
        }
        try refuseLostLog(path, hadLog: hadLog, tables: tables, db)
        let applied = try tables == 0 ? [] : migrator.appliedIdentifiers(db)
        let unknown = applied.subtracting(migrationNames).sorted()
        guard unknown.isEmpty else {
            throw StoreError(
                .newer, at: path,
                "a newer version of sgmse wrote this store (it knows: \(unknown.joined(separator: ", ")))",
                hint: "update sgmse, or choose another store with --store; this one has been left as it was")
        }
    }

    /// Reads without writing, unless a writer that was killed left a log or journal: recovering it needs a connection
    /// that may write.
    private static func reading(_ path: String, _ body: (Database) throws -> Void) throws {
        func open(readOnly: Bool) throws {
            let queue = try DatabaseQueue(path: path, configuration: configuration(30, readOnly: readOnly))
            defer { try? queue.close() }
            try queue.read(body)
        }
        do {
            try open(readOnly: true)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY {
            try open(readOnly: false)
        }
    }

    /// Whether the store lies where nothing can be written, so that SQLite cannot make the files beside it that a
    /// reader of a write-ahead log needs.
    ///
    /// - Throws: ``StoreError`` where a log lies beside it whose commits a reader would miss.
    private static func isArchived(_ path: String) throws -> Bool {
        guard POSIX.access((path as NSString).deletingLastPathComponent, W_OK) != 0 else { return false }
        let files = FileManager.default
        // With both files there, a reader can use the log of the current writer.
        if files.fileExists(atPath: path + "-wal"), files.fileExists(atPath: path + "-shm") { return false }
        let logged = ["-wal", "-journal"].first { name in
            ((try? files.attributesOfItem(atPath: path + name))?[.size] as? Int ?? 0) > 0
        }
        guard let logged else { return true }
        throw StoreError(
            .readOnly, at: path, "the folder cannot be written, and commits wait in \(path + logged)",
            hint: "copy the store with that file to a folder that can be written, and read it there")
    }

    /// Opens a file that no process can write, without locks and without files beside it.
    private static func archive(_ path: String) throws -> DatabaseQueue {
        let escaped = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
        let queue = try DatabaseQueue(
            path: "file:\(escaped)?immutable=1", configuration: configuration(30, readOnly: true))
        try queue.read { try inspect(path, hadLog: false, $0) }
        return queue
    }

    static func configuration(_ timeout: Double, readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.label = "sgmse.store"
        // SQLite 3.37 writes such literals itself: without them its ALTER TABLE ADD COLUMN with a CHECK is a logic
        // error.
        configuration.acceptsDoubleQuotedStringLiterals = true
        configuration.busyMode = .callback(waiting(timeout))
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY")
            for function in [RowRules.printable, RowRules.relativePath, RowRules.shortID] { db.add(function: function) }
        }
        return configuration
    }

    /// Sleeps about 1 ms at first and 20 ms later between attempts; a random factor keeps writers from retrying
    /// together.
    private static func waiting(_ timeout: Double) -> @Sendable (Int) -> Bool {
        { attempts in
            let pause = min(0.001 * Double(attempts + 1), 0.02)
            guard Double(attempts) * 0.02 < timeout else { return false }
            Thread.sleep(forTimeInterval: pause * Double.random(in: 0.5...1.5))
            return true
        }
    }
}
