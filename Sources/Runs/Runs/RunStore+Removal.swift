import AtomicFiles
import Foundation
import GRDB
import SystemCalls

/// What removing a run would delete, and which files of its folder would stay.
public struct RunRemoval: Hashable, Sendable {
    /// Files that this store had made for the run, below the store's folder.
    public var files: [String]
    /// The size of `files`.
    public var bytes: Int
    /// Files in the run's folder that this store did not make; they stay.
    public var others: [String]
    /// How many evaluations of the run would be lost.
    public var evaluations: Int
    /// How many scores would be lost with them.
    public var scores: Int
}

/// Removing and renaming a run, files and rows together.
///
/// Both are first marked in the store, then done to the files, then to the rows: what a crash interrupts, the next
/// command that opens the store for writing completes.
extension RunStore {
    /// What ``removeRun(_:)`` would do.
    public func removal(of run: Run) throws(StoreError) -> RunRemoval {
        let files = try filesMade(for: run)
        let bytes = files.reduce(0) { sum, path in
            if let place = RelativePath(path), case .file(let bytes, _) = filesBelow.entry(place) {
                sum + bytes
            } else {
                sum
            }
        }
        let others = Set(filesBelow.files(below: run.folder)).subtracting(files).sorted()
        let counts = try read { db in
            let evaluations = "SELECT id FROM evaluation WHERE runID = ?"
            return (
                try Int.fetchOne(db, sql: "SELECT count(*) FROM (\(evaluations))", arguments: [run.id.rawValue]) ?? 0,
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM score WHERE evaluationID IN (\(evaluations))",
                    arguments: [run.id.rawValue]) ?? 0
            )
        }
        return RunRemoval(files: files, bytes: bytes, others: others, evaluations: counts.0, scores: counts.1)
    }

    /// Removes a run with its history, evaluations and scores, and the files that this store had made for it.
    ///
    /// - Throws: ``StoreError`` of kind `inUse` for a run that a running process works on.
    public func removeRun(_ run: Run) throws(StoreError) {
        try mark(run, newName: nil)
        try finishRemoval(of: run)
    }

    /// Gives a run another name; its folder is renamed with it, and the former name stays an alias.
    ///
    /// - Throws: ``StoreError`` of kind `invalid` for no name or a folder that is there already, `inUse` for a run that
    ///   a live process works on.
    public func changeName(of run: Run, to name: String) throws(StoreError) {
        try refuse(RunText.fault(inName: name))
        let folder = Run.folder(name: name, shortID: run.shortID)
        let isThere = RelativePath(folder).map { filesBelow.entry($0) != .absent } ?? true
        guard folder == run.folder || !isThere else {
            throw StoreError(
                .invalid, at: self.folder + "/" + folder, "the run's new folder is there already",
                hint: "choose another name, or move that folder")
        }
        try mark(run, newName: name)
        try finishRenaming(run, to: name)
    }

    /// Completes removals and renamings whose process ended before they were done.
    func finishPendingChanges() throws(StoreError) {
        let pending = try read { db in
            try Row.fetchAll(db, sql: "SELECT runID, newName FROM pendingChange JOIN run ON run.id = runID")
                .map { Cells($0, of: "pendingChange") }
                .map { (run: try run($0[0], db), newName: try $0[1] as String?) }
        }
        for (run, newName) in pending {
            if let newName { try finishRenaming(run, to: newName) } else { try finishRemoval(of: run) }
        }
    }

    /// - Throws: ``StoreError`` of kind `inUse` where the run is being removed or renamed.
    func refuseChanging(_ run: Run, _ db: Database) throws {
        let isChanging = try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM pendingChange WHERE runID = ?)", arguments: [run.id.rawValue])
        guard isChanging == true else { return }
        throw StoreError(
            .inUse, at: path, "run \(run.shortID) is being removed or renamed",
            hint: "repeat the command when that has ended")
    }

    private func mark(_ run: Run, newName: String?) throws(StoreError) {
        try write { db in
            let isEvaluated = try evaluations("WHERE runID = ? AND status = 'running'", [run.id.rawValue], db)
                .contains { $0.status == .running }
            guard try self.run(run.id, db).status != .running, !isEvaluated else {
                throw StoreError(
                    .inUse, at: path, "run \(run.shortID) (\(run.name)) is being worked on",
                    hint: "wait for its process, or end it, and repeat the command")
            }
            try refuseChanging(run, db)
            try db.execute(
                sql: "INSERT INTO pendingChange (runID, newName) VALUES (?, ?)", arguments: [run.id.rawValue, newName])
        }
    }

    // MARK: Removal

    private func finishRemoval(of run: Run) throws(StoreError) {
        for path in try filesMade(for: run) {
            if let place = RelativePath(path) { _ = try filesBelow.delete(place) }
        }
        if let place = RelativePath(run.folder) { filesBelow.removeEmptyFolder(place) }
        try write { db in
            try db.execute(
                sql: "DELETE FROM madeFile WHERE substr(path, 1, length(?1)) = ?1", arguments: [run.folder + "/"])
            // The foreign keys delete the rows that refer to the run, the mark too.
            try db.execute(sql: "DELETE FROM evaluation WHERE runID = ?", arguments: [run.id.rawValue])
            try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [run.id.rawValue])
        }
    }

    /// The files in the run's folder that the store recorded, and, where it had made the folder itself, what this
    /// program keeps there by names of its own.
    private func filesMade(for run: Run) throws(StoreError) -> [String] {
        let recorded = try madePaths().filter { $0.hasPrefix(run.folder + "/") }
        let own = recorded.contains(run.folder + "/") ? ["logs", "validation", "probe"] : []
        let kept = own.flatMap { filesBelow.files(below: run.folder + "/" + $0) }
        return Set(recorded + kept).filter { path in
            if let place = RelativePath(path), case .file = filesBelow.entry(place) { true } else { false }
        }.sorted()
    }

    // MARK: Renaming

    private func finishRenaming(_ run: Run, to name: String) throws(StoreError) {
        let (old, new) = (run.folder, Run.folder(name: name, shortID: run.shortID))
        let isOurs = try read { db in
            let sql = "SELECT EXISTS (SELECT 1 FROM madeFile WHERE substr(path, 1, length(?1)) = ?1)"
            return try Bool.fetchOne(db, sql: sql, arguments: [old + "/"]) ?? false
        }
        if old != new, isOurs, let place = RelativePath(old), case .folder = filesBelow.entry(place) {
            guard POSIX.rename("\(folder)/\(old)", "\(folder)/\(new)") == 0 else {
                throw StoreError(cannotWrite: "\(folder)/\(new)", FileFailure(path: "\(folder)/\(new)", code: errno))
            }
        }
        try write { db in
            let moved = "? || substr(PATH, length(?) + 1) WHERE substr(PATH, 1, length(?) + 1) = ? || '/'"
            let evaluations = "evaluationID IN (SELECT id FROM evaluation WHERE runID = ?)"
            func move(_ column: String) -> String { moved.replacingOccurrences(of: "PATH", with: column) }
            let places: StatementArguments = [new, old, old, old]
            let ofRun = places + [run.id.rawValue]
            try db.execute(sql: "UPDATE checkpoint SET path = \(move("path")) AND runID = ?", arguments: ofRun)
            try db.execute(sql: "UPDATE fileResult SET output = \(move("output")) AND \(evaluations)", arguments: ofRun)
            try db.execute(sql: "UPDATE OR REPLACE madeFile SET path = \(move("path"))", arguments: places)
            try db.execute(sql: "UPDATE run SET name = ? WHERE id = ?", arguments: [name, run.id.rawValue])
            try insertAlias(run.name, of: run.id, db)
            try db.execute(sql: "DELETE FROM alias WHERE runID = ? AND name = ?", arguments: [run.id.rawValue, name])
            try insert(EventRecord(kind: "renamed", message: "\(run.name) is \(name) now"), of: run.id, db)
            try db.execute(sql: "DELETE FROM pendingChange WHERE runID = ?", arguments: [run.id.rawValue])
        }
    }
}
