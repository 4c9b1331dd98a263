import AtomicFiles
import Foundation
import GRDB
import SystemCalls

/// The files that this program made for the store, which are the only ones that it deletes.
///
/// A checkpoint or an audio file is recorded in the transaction that records what it is; a checkpoint also before it is
/// written, so that a crash leaves no file without a record. A folder that was made for a run is recorded with a `/` at
/// its end: it was not there before.
extension RunStore {
    var filesBelow: FilesBelow { FilesBelow(folder: folder) }

    /// Records that this process is about to write files, given by their paths below the store's folder.
    public func willMake(_ paths: [String]) throws(StoreError) {
        try write { db in for path in paths { try insertMade(path, db) } }
    }

    /// Makes the folder of a run where it is missing, and records that it was made.
    public func makeFolder(of run: Run) throws(StoreError) {
        let place = folder + "/" + run.folder
        guard POSIX.mkdir(place, 0o755) == 0 else {
            guard errno != EEXIST else { return }
            throw StoreError(cannotWrite: place, FileFailure(path: place, code: errno))
        }
        try willMake([run.folder + "/"])
    }

    /// Deletes files that this store had made, as ``record(_:of:)`` returned them; others are left alone.
    public func deleteMade(_ paths: [String]) throws(StoreError) {
        for path in paths { _ = try deleteMade(path) }
    }

    /// - Returns: The bytes that became free; nil where nothing was deleted.
    func deleteMade(_ path: String) throws(StoreError) -> Int? {
        guard let place = RelativePath(path), try isMade(path) else { return nil }
        let bytes = try filesBelow.delete(place)
        if filesBelow.entry(place) == .absent {
            try write { try $0.execute(sql: "DELETE FROM madeFile WHERE path = ?", arguments: [path]) }
        }
        return bytes
    }

    func isMade(_ path: String) throws(StoreError) -> Bool {
        try read { db in
            let sql = "SELECT EXISTS (SELECT 1 FROM madeFile WHERE path = ?)"
            return try Bool.fetchOne(db, sql: sql, arguments: [path]) ?? false
        }
    }

    /// Everything recorded as made; paths that lead out of the folder are left out.
    func madeFiles() throws(StoreError) -> [RelativePath] {
        try madePaths().compactMap(RelativePath.init)
    }

    /// Every path recorded as made; of a store of an earlier version, what its rows name.
    func madePaths() throws(StoreError) -> [String] {
        try read { db in
            let made =
                try db.tableExists("madeFile")
                ? "SELECT path FROM madeFile"
                : "SELECT path FROM checkpoint UNION SELECT output FROM fileResult WHERE output IS NOT NULL"
            return try String.fetchAll(db, sql: made + " ORDER BY 1")
        }
    }

    func insertMade(_ path: String, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR IGNORE INTO madeFile (path) VALUES (?)").execute(arguments: [path])
    }
}
