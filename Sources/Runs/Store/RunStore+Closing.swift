import Foundation
import GRDB
import Synchronization

/// Merging the write-ahead log into the file when a store is closed, and detecting a copy without its log.
///
/// While a store is open for writing, the newest commits lie in the log beside the file. The last writer to close moves
/// them into the file, so that a copy of the file alone is complete. A copy that was made before that is marked: the
/// first writer sets `user_version` to ``LogState/waiting`` in the file itself, and then to ``LogState/merged`` in the
/// log. So a file with the value `waiting` and no log beside it has lost its newest commits; once the log is moved into
/// the file, by any program, the value is `merged`.
extension RunStore {
    enum LogState {
        static let waiting = 1
        static let merged = 2
    }

    /// Releases this store's claims, moves the log into the file if no other store writes, and closes the connections.
    ///
    /// A second call does nothing.
    public func close() throws(StoreError) {
        guard
            isClosed.withLock({ closed in
                defer { closed = true }
                return !closed
            })
        else { return }
        defer { locks.stopWriting() }
        var failure: StoreError?
        do { try releaseEverything() } catch { failure = error }
        if access == .readWrite, journal == .wal { closeAsLast() }
        try Self.mapping(path) { try database.close() }
        openFile.end()
        if let failure { throw failure }
    }

    /// Where this is the only writer, moves the log into the file, closes it and writes its page checksums; others, and
    /// a full disk, leave the log where it is.
    private func closeAsLast() {
        try? locks.withWriteLock(timeout: 5) {
            guard try locks.isOnlyWriter() else { return }
            try database.writeWithoutTransaction { db in
                // A reader that still needs the log is not waited for: the next command moves the rest.
                try db.execute(sql: "PRAGMA busy_timeout = 200")
                _ = try Row.fetchAll(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            try database.close()
            if !Self.hasLog(path), OpenFile.count(path) == 1 { PageChecksums.write(to: path) }
        }
    }

    /// Marks the file as one whose newest commits lie in the log. The caller holds the write lock and has written
    /// nothing.
    static func markLog(_ db: Database, _ locks: OwnerLocks) throws {
        try locks.startWriting()
        guard try locks.isOnlyWriter() else { return }
        try db.execute(sql: "PRAGMA user_version = \(LogState.waiting)")
        _ = try Row.fetchAll(db, sql: "PRAGMA wal_checkpoint(PASSIVE)")
        try db.execute(sql: "PRAGMA user_version = \(LogState.merged)")
        try locks.startWriting()
    }

    static func hasLog(_ path: String) -> Bool {
        ((try? FileManager.default.attributesOfItem(atPath: path + "-wal"))?[.size] as? Int ?? 0) > 0
    }

    /// - Throws: ``StoreError`` of kind `corrupt` for a file whose log has not come along.
    static func refuseLostLog(_ path: String, hadLog: Bool, tables: Int, _ db: Database) throws {
        let state = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let isBare = tables == 0 && isInLogMode(path) && !FileManager.default.fileExists(atPath: path + "-owners")
        guard state == LogState.waiting || isBare, !hadLog, !hasLog(path) else { return }
        throw StoreError(
            .corrupt, at: path,
            "its write-ahead log \((path as NSString).lastPathComponent)-wal is missing, and with it the newest rows",
            hint: "copy both files, or use sgmse backup, which makes one whole file of a store in use; to go on with "
                + "what is here: sqlite3 FILE 'PRAGMA user_version = 0'")
    }

    /// Whether the header says that the file is used with a write-ahead log (bytes 18 and 19 of SQLite's file format).
    private static func isInLogMode(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        let header = (try? file.read(upToCount: 20)) ?? Data()
        return header.count == 20 && header[18] == 2
    }
}
