import AtomicFiles
import Foundation
import GRDB
import SystemCalls

/// What an import or export added; zeros mean that everything was there already.
public struct TransferSummary: Hashable, Sendable {
    /// Runs that are new here.
    public var runs = 0
    /// Evaluations that are new here.
    public var evaluations = 0
    /// Scores that are new here.
    public var scores = 0

    public init(runs: Int = 0, evaluations: Int = 0, scores: Int = 0) {
        (self.runs, self.evaluations, self.scores) = (runs, evaluations, scores)
    }
}

extension RunStore {
    /// Writes a consistent copy of the whole store to `file`, while others read and write.
    ///
    /// The copy appears under its name when it is complete.
    ///
    /// - Throws: ``StoreError`` of kind `invalid` where `file` is the store itself or one of the files beside it.
    public func backup(to file: String) throws(StoreError) {
        let partial = TemporaryName.path(for: file)
        let own = ["", "-wal", "-shm", "-journal", "-owners"].map { path + $0 }
        guard !own.contains(where: { Self.isSameFile(file, $0) }) else {
            throw StoreError(
                .invalid, at: file, "the copy would replace the store that it is made of",
                hint: "give the copy another name; the store has been left as it was")
        }
        try Self.mapping(file) {
            do {
                try Self.copy(database, to: partial)
                PageChecksums.write(to: partial)
                try Self.replace(file, by: partial)
            } catch {
                try? FileManager.default.removeItem(atPath: partial)
                throw error
            }
        }
    }

    /// Whether two paths lead to one file, also through links.
    private static func isSameFile(_ first: String, _ second: String) -> Bool {
        if let a = FileFacts(at: first), let b = FileFacts(at: second) {
            return (a.device, a.number) == (b.device, b.number)
        }
        return URL(fileURLWithPath: first).standardizedFileURL == URL(fileURLWithPath: second).standardizedFileURL
    }

    /// SQLite's online backup.
    private static func copy(_ source: any DatabaseReader, to file: String) throws {
        let target = try DatabaseQueue(path: file)
        try source.backup(to: target)
        // One self-contained file: no log beside it.
        try target.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
        try target.close()
    }

    private static func replace(_ file: String, by partial: String) throws {
        guard POSIX.rename(partial, file) == 0 else {
            throw StoreError(
                .unreachable, at: file, "the copy cannot be put in place (\(POSIX.lastMessage))",
                hint: "choose another file")
        }
    }

    /// Adds the runs to the store at `path`, which is made where it is missing.
    @discardableResult
    public func export(_ runs: [Run.ID], to path: String) throws(StoreError) -> TransferSummary {
        let ids = try self.runs(runs).map(\.shortID)
        let target = try RunStore(at: path)
        let summary = try target.importRuns(from: self.path, only: ids)
        try target.close()
        return summary
    }

    /// Copies the files of a run, such as checkpoints and audio, from the folder of another store; those that are here
    /// already are kept.
    ///
    /// - Returns: How many files were copied.
    @discardableResult
    public func importFiles(of run: Run, from folder: String) throws(StoreError) -> Int {
        let source = FilesBelow(folder: folder)
        let missing = source.files(below: run.folder).filter { name in
            !TemporaryName.isTemporary((name as NSString).lastPathComponent)
                && RelativePath(name).map(filesBelow.entry) == .absent
        }
        guard !missing.isEmpty else { return 0 }
        try makeFolder(of: run)
        try willMake(missing)
        for name in missing { try Self.copyFile(folder + "/" + name, to: self.folder + "/" + name) }
        return missing.count
    }

    private static func copyFile(_ source: String, to target: String) throws(StoreError) {
        let files = FileManager.default
        let partial = TemporaryName.path(for: target)
        do {
            try files.createDirectory(
                atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try files.copyItem(atPath: source, toPath: partial)
            try files.moveItem(atPath: partial, toPath: target)
        } catch {
            try? files.removeItem(atPath: partial)
            throw StoreError(cannotWrite: target, error)
        }
    }

    /// Adds the runs of another store, or those of the given short ids, with all that belongs to them.
    ///
    /// Every row of the other store is checked before anything is written: one that is not what its column must hold
    /// refuses the whole import.
    ///
    /// What is here already is kept, but for the status of a run that is finished there and not here, or that ended
    /// there later. Anchors come along on the sets of the runs, and with all runs on every set. The other store may be
    /// of an earlier version; it is not changed.
    ///
    /// - Parameter sharesFolder: Whether the other store's files lie in this one's folder: they are then known as made
    ///   here. Such a store may lie on a network file system, where it keeps a rollback journal.
    /// - Throws: ``StoreError`` of kind `corrupt` that names the rows.
    @discardableResult
    public func importRuns(
        from other: String, only shortIDs: [String]? = nil, sharesFolder: Bool = false
    ) throws(StoreError) -> TransferSummary {
        let copy = TemporaryName.path(for: path)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try Self.mapping(other) {
            let source = try RunStore(at: other, access: .readOnly, journal: sharesFolder ? .rollback : .wal)
            try Self.copy(source.database, to: copy)
            let queue = try DatabaseQueue(path: copy, configuration: Self.configuration(30, readOnly: false))
            try queue.write(Self.dropViewsAndTriggers)
            try Self.migrator.migrate(queue)
            let bad = try queue.read { try RowRules.violations($0) }
            let damaged = try source.scoreProblems().problems
            try queue.close()
            if !bad.isEmpty { throw StoreError(refusing: bad, of: other) }
            guard damaged.isEmpty else {
                throw StoreError(
                    .corrupt, at: other, damaged.prefix(5).joined(separator: "; "),
                    hint:
                        """
                        nothing was imported; restore a backup of that store, or remove the damaged runs there with \
                        sgmse rm
                        """
                )
            }
        }
        return try write(attaching: copy, as: "source") { db in
            try db.execute(sql: "CREATE TEMP TABLE chosen (shortID TEXT PRIMARY KEY)")
            defer { try? db.execute(sql: Self.dropMaps) }
            try db.execute(sql: "INSERT INTO chosen SELECT shortID FROM source.run")
            if let shortIDs {
                try db.execute(sql: "DELETE FROM chosen")
                for id in shortIDs { try db.execute(sql: "INSERT OR IGNORE INTO chosen VALUES (?)", arguments: [id]) }
            }
            var summary = TransferSummary()
            for step in Self.transferSteps {
                try db.execute(sql: step.sql)
                switch step.counted {
                case .runs: summary.runs = db.changesCount
                case .evaluations: summary.evaluations = db.changesCount
                case .scores: summary.scores = db.changesCount
                case nil: break
                }
            }
            try completeScoreSums(db)
            if shortIDs == nil { try db.execute(sql: Self.figureTransfer) }
            if sharesFolder {
                try db.execute(sql: "INSERT OR IGNORE INTO main.madeFile (path) SELECT path FROM source.madeFile")
            }
            return summary
        }
    }

    /// Views and triggers of another store would be executed here; only the rows are imported.
    private static func dropViewsAndTriggers(_ db: Database) throws {
        let rows = try Row.fetchAll(db, sql: "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')")
        for cells in rows.map({ Cells($0, of: "sqlite_master") }) {
            let (type, name): (String, String) = (try cells[0], try cells[1])
            try db.execute(sql: "DROP \(type) \(name.quotedDatabaseIdentifier)")
        }
    }

    /// One transaction that also reads the SQLite file `file`.
    private func write<Value>(
        attaching file: String, as name: String, _ body: (Database) throws -> Value
    ) throws(StoreError) -> Value {
        try Self.mapping(path) {
            try database.writeWithoutTransaction { db in
                try db.execute(sql: "ATTACH DATABASE ? AS \(name)", arguments: [file])
                defer { try? db.execute(sql: "DETACH DATABASE \(name)") }
                return try transaction(db, body)
            }
        }
    }
}
