import Foundation
import GRDB

extension RunStore {
    /// The runs that `filter` lets through, the newest first.
    public func runs(where filter: RunFilter? = nil, limit: Int? = nil) throws(StoreError) -> [Run] {
        let found = try readableRuns(where: filter, limit: limit)
        if let error = found.unreadable.first { throw error }
        return found.runs
    }

    /// The runs that `filter` lets through, the newest first, and an error for each that cannot be read.
    public func readableRuns(
        where filter: RunFilter? = nil, limit: Int? = nil
    ) throws(StoreError) -> (runs: [Run], unreadable: [StoreError]) {
        try read { db in
            let condition = try filter?.condition(db) ?? SQLCondition(sql: "1")
            var unreadable: [StoreError] = []
            let found = try runs(
                "WHERE \(condition.sql) ORDER BY run.created DESC, run.id DESC LIMIT ?",
                condition.arguments + [limit ?? -1], db, skip: { unreadable.append(StoreError($0, at: self.path)) })
            return (found, unreadable)
        }
    }

    /// The runs of these row numbers, in their order.
    public func runs(_ ids: [Run.ID]) throws(StoreError) -> [Run] {
        try read { db in
            let found = try runs("WHERE run.id IN (\(list(ids)))", [], db)
            let byID = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
            return try ids.map { id in
                guard let run = byID[id] else { throw StoreError.missing("no run with row \(id)", at: path) }
                return run
            }
        }
    }

    /// The run of that key.
    public func run(key: RunKey) throws(StoreError) -> Run? {
        try read { db in
            try runs(
                "WHERE run.identity = ? AND run.seed = ? AND run.dataFingerprint = ?",
                [key.identity, Int64(bitPattern: key.seed), key.dataFingerprint], db
            ).first
        }
    }

    /// The one run that `text` names: by a short id or its beginning, a name, or `<name>-<short id>`.
    ///
    /// - Throws: ``StoreError`` of kind `missing` where none or several match, with the candidates as hint.
    public func run(named text: String) throws(StoreError) -> Run {
        try read { db in
            let found =
                try runs(
                    "WHERE run.shortID = ?1 OR run.name = ?1 OR run.name || '-' || run.shortID = ?1", [text], db)
                + aliased(text, db)
            let near =
                try found.isEmpty && text.count >= 3
                ? runs("WHERE substr(run.shortID, 1, length(?1)) = ?1", [text], db) : found
            if near.count == 1 { return near[0] }
            guard near.isEmpty else {
                let names = near.prefix(8).map { "\($0.shortID) (\($0.name), seed \($0.key.seed))" }
                throw StoreError.missing(
                    "'\(text)' names \(near.count) runs", at: path,
                    hint: "give the id of one: " + names.joined(separator: ", "))
            }
            throw StoreError.missing("no run is called '\(text)'", at: path, hint: "sgmse ls lists the runs")
        }
    }

    /// The runs that have `text` as another name than their first.
    private func aliased(_ text: String, _ db: Database) throws -> [Run] {
        guard try db.tableExists("alias") else { return [] }
        return try runs("WHERE run.name <> ?1 AND run.id IN (SELECT runID FROM alias WHERE name = ?1)", [text], db)
    }

    /// The spec of a run.
    public func spec(of run: Run.ID) throws(StoreError) -> StoredSpec {
        try read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT file, written, resolved FROM spec WHERE runID = ?", arguments: [run.rawValue])
            guard let cells = row.map({ Cells($0, of: "spec") }) else {
                throw StoreError.missing("no spec of run \(run)", at: path)
            }
            return try StoredSpec(file: cells[0], written: cells[1], resolved: cells[2])
        }
    }

    // MARK: Rows

    func run(_ id: Run.ID, _ db: Database) throws -> Run {
        guard let run = try runs("WHERE run.id = ?", [id.rawValue], db).first else {
            throw StoreError.missing("no run with row \(id)", at: path)
        }
        return run
    }

    /// Runs with their provenance and tags; `tail` is what follows the joins.
    ///
    /// - Parameter skip: Given each row that cannot be read, which is then left out; without it, such a row is an
    ///   error.
    private func runs(
        _ tail: String, _ arguments: StatementArguments, _ db: Database, skip: ((BadCell) -> Void)? = nil
    ) throws -> [Run] {
        var reader = RunReader(tags: try lists("tag", "tag", db), aliases: try lists("alias", "name", db))
        let sql = """
            SELECT run.id, shortID, name, identity, seed, dataFingerprint, origin, status, reason, ownerID,
            created, started, ended, notes, provenanceID FROM run \(tail)
            """
        let rows = try Row.fetchCursor(db, sql: sql, arguments: arguments)
        var found: [Run] = []
        while let row = try rows.next() {
            do {
                found.append(try run(Cells(row, of: "run"), &reader, db))
            } catch let bad as BadCell where skip != nil {
                skip?(bad)
            }
        }
        return found
    }

    /// What the runs of one reading share.
    private struct RunReader {
        var tags: [Int64: [String]]
        var aliases: [Int64: [String]]
        var provenances: [Int64: Provenance] = [:]
        var living: [Int64: Bool] = [:]
    }

    private func run(_ cells: Cells, _ reader: inout RunReader, _ db: Database) throws -> Run {
        let (id, provenanceID, owner): (Int64, Int64, Int64?) = (try cells[0], try cells[14], try cells[9])
        let provenance = try reader.provenances[provenanceID] ?? self.provenance(provenanceID, db)
        reader.provenances[provenanceID] = provenance
        var (status, reason): (RunStatus, String?) = (try cells[7], try cells[8])
        if status == .running, let owner {
            let isAlive = reader.living[owner] ?? locks.isAlive(owner)
            reader.living[owner] = isAlive
            if !isAlive { (status, reason) = (.interrupted, "its process has ended") }
        }
        let (created, started, ended): (Instant, Instant?, Instant?) = (try cells[10], try cells[11], try cells[12])
        return try Run(
            id: Run.ID(id), short: cells[1], name: cells[2], aliases: reader.aliases[id] ?? [],
            key: RunKey(identity: cells[3], seed: UInt64(bitPattern: cells[4]), dataFingerprint: cells[5]),
            origin: cells[6], status: status, reason: reason, owner: owner.map(StoreID.init), created: created.date,
            started: started?.date, ended: ended?.date, provenance: provenance, tags: reader.tags[id] ?? [],
            notes: cells[13])
    }

    /// The texts in a column of a table, by run; none where the table is of a later version than the store.
    private func lists(_ table: String, _ column: String, _ db: Database) throws -> [Int64: [String]] {
        guard try db.tableExists(table) else { return [:] }
        let rows = try Row.fetchCursor(db, sql: "SELECT runID, \(column) FROM \(table) ORDER BY runID, \(column)")
        var lists: [Int64: [String]] = [:]
        while let row = try rows.next() {
            let cells = Cells(row, of: table)
            try lists[cells[0], default: []].append(cells[1])
        }
        return lists
    }

    func provenance(_ id: Int64, _ db: Database) throws -> Provenance {
        let row = try Row.fetchOne(
            db, sql: "SELECT gitCommit, dirty, version, machine, threads, commandLine FROM provenance WHERE id = ?",
            arguments: [id])
        guard let row else { throw StoreError.damaged(at: path, "a row of provenance is missing") }
        let cells = Cells(row, of: "provenance")
        return try Provenance(
            gitCommit: cells[0], isDirty: cells[1], version: cells[2], machine: cells[3], threads: cells[4],
            commandLine: cells[5])
    }

    /// Row numbers as the inside of an SQL `IN (...)`.
    func list<Entity>(_ ids: some Sequence<StoreID<Entity>>) -> String {
        ids.map { String($0.rawValue) }.joined(separator: ",")
    }
}
