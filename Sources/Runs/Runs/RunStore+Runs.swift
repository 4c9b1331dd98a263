import Foundation
import GRDB

extension RunStore {
    // MARK: Registering

    /// Makes the run known as planned; a run of the same key is left as it is and returned, and is also found by the
    /// name of the draft from then on.
    public func register(_ draft: RunDraft) throws(StoreError) -> Run {
        try write { db in try run(insert(draft, db), db) }
    }

    /// The row of the run of that key, made where it is missing.
    func insert(_ draft: RunDraft, _ db: Database) throws -> Run.ID {
        if let known = try id(of: draft.key, db) {
            if try run(known, db).name != draft.name { try insertAlias(draft.name, of: known, db) }
            return known
        }
        try refuse(RunText.fault(inName: draft.name), "give the run a shorter or plainer name in its spec")
        let shortID = try draft.shortID ?? freeShortID(for: draft.key, db)
        try db.execute(
            sql: """
                INSERT INTO run (shortID, name, identity, seed, dataFingerprint, origin, status, provenanceID, created)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                shortID, draft.name, draft.key.identity, Int64(bitPattern: draft.key.seed),
                draft.key.dataFingerprint, draft.origin.rawValue,
                (draft.origin == .imported ? RunStatus.finished : .planned).rawValue,
                try id(of: draft.provenance, db), Date().stored,
            ])
        let id = Run.ID(db.lastInsertedRowID)
        try insert(draft.spec, of: id, db)
        for tag in draft.tags { try insert(tag: tag, of: id, db) }
        return id
    }

    private func id(of key: RunKey, _ db: Database) throws -> Run.ID? {
        try Int64.fetchOne(
            db, sql: "SELECT id FROM run WHERE identity = ? AND seed = ? AND dataFingerprint = ?",
            arguments: [key.identity, Int64(bitPattern: key.seed), key.dataFingerprint]
        ).map(Run.ID.init)
    }

    private func freeShortID(for key: RunKey, _ db: Database) throws -> String {
        for count in 8...24 {
            let candidate = key.shortID(count: count)
            let isTaken = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM run WHERE shortID = ?)", arguments: [candidate])
            if isTaken == false { return candidate }
        }
        throw StoreError(.invalid, at: path, "no free short id for the run of identity \(key.identity)")
    }

    /// The row of equal provenance, made where it is missing.
    func id(of provenance: Provenance, _ db: Database) throws -> Int64 {
        let arguments: StatementArguments = [
            provenance.commandLine, provenance.gitCommit, provenance.isDirty, provenance.version,
            provenance.machine, provenance.threads,
        ]
        try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO provenance (commandLine, gitCommit, dirty, version, machine, threads)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: arguments)
        let statement = try db.cachedStatement(
            sql: """
                SELECT id FROM provenance WHERE commandLine = ? AND gitCommit = ? AND dirty = ? AND version = ?
                AND machine = ? AND threads = ?
                """)
        guard let id = try Int64.fetchOne(statement, arguments: arguments) else {
            throw StoreError.damaged(at: path, "a row of provenance vanished")
        }
        return id
    }

    func insertAlias(_ name: String, of run: Run.ID, _ db: Database) throws {
        try refuse(RunText.fault(inName: name), "give the run a shorter or plainer name in its spec")
        try db.execute(sql: "INSERT OR IGNORE INTO alias (name, runID) VALUES (?, ?)", arguments: [name, run.rawValue])
    }

    /// Stores the spec, and each leaf of it as a parameter to filter by.
    private func insert(_ spec: StoredSpec, of run: Run.ID, _ db: Database) throws {
        guard try Bool.fetchOne(db, sql: "SELECT json_valid(?)", arguments: [spec.resolved]) == true else {
            throw StoreError(.invalid, at: path, "the resolved spec of a run is no JSON")
        }
        try db.execute(
            sql: "INSERT INTO spec (runID, file, written, resolved) VALUES (?, ?, ?, ?)",
            arguments: [run.rawValue, spec.file, spec.written, spec.resolved])
        let addPath = try db.cachedStatement(sql: "INSERT OR IGNORE INTO parameterPath (path) VALUES (?)")
        let addValue = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO parameter (runID, pathID, position, value)
                SELECT ?, id, ?, ? FROM parameterPath WHERE path = ?
                """)
        for (path, values) in try SpecLeaves(json: spec.resolved, db).values {
            try addPath.execute(arguments: [path])
            for (position, value) in values.enumerated() {
                try addValue.execute(arguments: [run.rawValue, position, value, path])
            }
        }
    }

    // MARK: Status

    /// Marks the run as running by this process, also a finished or failed one.
    ///
    /// - Throws: ``StoreError`` of kind `inUse` where another running process works on it.
    public func begin(_ run: Run.ID, provenance: Provenance) throws(StoreError) {
        let me = try ownerID()
        try write { db in
            let known = try self.run(run, db)
            try refuseChanging(known, db)
            if known.status == .running, let other = known.owner, other.rawValue != me,
                let owner = try owner(other.rawValue, db), owner.isAlive
            {
                throw StoreError(
                    .inUse, at: path, "run \(known.shortID) is being run by \(owner.description)",
                    hint: "wait for it, or end it first")
            }
            try db.execute(
                sql: """
                    UPDATE run SET status = 'running', reason = NULL, ownerID = ?, provenanceID = ?, ended = NULL,
                    started = coalesce(started, ?) WHERE id = ?
                    """, arguments: [me, try id(of: provenance, db), Date().stored, run.rawValue])
            let event = EventRecord(
                kind: known.started == nil ? "started" : "resumed", message: provenance.commandLine)
            try insert(event, of: run, db)
        }
    }

    /// Ends the run: finished, or failed or interrupted with a reason.
    public func end(_ run: Run.ID, as status: RunStatus, reason: String? = nil) throws(StoreError) {
        precondition(status != .running && status != .planned, "a run cannot end as \(status)")
        try write { db in
            try db.execute(
                sql: "UPDATE run SET status = ?, reason = ?, ended = ?, ownerID = NULL WHERE id = ?",
                arguments: [status.rawValue, reason, Date().stored, run.rawValue])
            guard db.changesCount == 1 else { throw StoreError.missing("no run with row \(run)", at: path) }
            try insert(EventRecord(kind: status.rawValue, message: reason ?? ""), of: run, db)
        }
    }

    func insert(_ event: EventRecord, of run: Run.ID, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR IGNORE INTO event (runID, time, kind, message) VALUES (?, ?, ?, ?)",
            arguments: [run.rawValue, event.time.stored, event.kind, event.message])
    }

    // MARK: Notes and tags

    /// - Throws: ``StoreError`` of kind `invalid` for a note that is too long or has control characters.
    public func setNotes(_ notes: String, of run: Run.ID) throws(StoreError) {
        try refuse(RunText.fault(inNote: notes))
        try write { db in
            try db.execute(sql: "UPDATE run SET notes = ? WHERE id = ?", arguments: [notes, run.rawValue])
        }
    }

    /// Tags a run; a tag that it has already changes nothing.
    ///
    /// - Throws: ``StoreError`` of kind `invalid` for a tag that is too long or has control characters.
    public func add(tag: String, to run: Run.ID) throws(StoreError) {
        try write { try insert(tag: tag, of: run, $0) }
    }

    /// Takes a tag away; one that the run does not have changes nothing.
    public func remove(tag: String, from run: Run.ID) throws(StoreError) {
        try write { db in
            try db.execute(sql: "DELETE FROM tag WHERE runID = ? AND tag = ?", arguments: [run.rawValue, tag])
        }
    }

    private func insert(tag: String, of run: Run.ID, _ db: Database) throws {
        try refuse(RunText.fault(inTag: tag))
        try db.execute(sql: "INSERT OR IGNORE INTO tag (runID, tag) VALUES (?, ?)", arguments: [run.rawValue, tag])
    }
}
