import Foundation
import GRDB

extension RunStore {
    /// The runs that `filter` lets through, the newest first.
    public func runs(where filter: RunFilter? = nil, limit: Int? = nil) throws(StoreError) -> [Run] {
        try read { db in
            let condition = try filter?.condition(db) ?? SQLCondition(sql: "1")
            return try runs(
                "WHERE \(condition.sql) ORDER BY run.created DESC, run.id DESC LIMIT ?",
                condition.arguments + [limit ?? -1], db)
        }
    }

    /// The runs of these row numbers, in their order.
    public func runs(_ ids: [Run.ID]) throws(StoreError) -> [Run] {
        try read { db in
            let found = try runs("WHERE run.id IN (\(list(ids)))", [], db)
            let byID = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
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

    /// The one run that a person means by `text`: a short id or its beginning, a name, or `<name>-<short id>`.
    ///
    /// - Throws: ``StoreError`` of kind `missing` where none or several match, with the candidates as hint.
    public func run(named text: String) throws(StoreError) -> Run {
        try read { db in
            let found = try runs(
                "WHERE run.shortID = ?1 OR run.name = ?1 OR run.name || '-' || run.shortID = ?1", [text], db)
            let near = try found.isEmpty && text.count >= 3
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

    /// The spec of a run.
    public func spec(of run: Run.ID) throws(StoreError) -> StoredSpec {
        try read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT file, written, resolved FROM spec WHERE runID = ?", arguments: [run.rawValue])
            guard let row else { throw StoreError.missing("no spec of run \(run)", at: path) }
            return StoredSpec(file: row[0], written: row[1], resolved: row[2])
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
    private func runs(_ tail: String, _ arguments: StatementArguments, _ db: Database) throws -> [Run] {
        var provenances: [Int64: Provenance] = [:]
        let tags = try tagLists(db)
        var living: [Int64: Bool] = [:]
        let sql = """
            SELECT run.id, shortID, name, identity, seed, dataFingerprint, origin, status, reason, ownerID,
            created, started, ended, notes, provenanceID FROM run \(tail)
            """
        return try Array(
            Row.fetchCursor(db, sql: sql, arguments: arguments).map { row in
                let provenanceID: Int64 = row[14]
                let provenance = try provenances[provenanceID] ?? self.provenance(provenanceID, db)
                provenances[provenanceID] = provenance
                let id: Int64 = row[0]
                let owner: Int64? = row[9]
                var (status, reason) = (RunStatus(rawValue: row[7]) ?? .failed, row[8] as String?)
                if status == .running, let owner {
                    let isAlive = living[owner] ?? self.locks.isAlive(owner)
                    living[owner] = isAlive
                    if !isAlive { (status, reason) = (.interrupted, "its process has ended") }
                }
                return Run(
                    id: Run.ID(id), shortID: row[1], name: row[2],
                    key: RunKey(
                        identity: row[3], seed: UInt64(bitPattern: row[4]), dataFingerprint: row[5]),
                    origin: Run.Origin(rawValue: row[6]) ?? .trained, status: status, reason: reason,
                    owner: owner.map(StoreID.init), created: Date(stored: row[10] as Double),
                    started: Date(stored: row[11] as Double?), ended: Date(stored: row[12] as Double?),
                    provenance: provenance, tags: tags[id] ?? [], notes: row[13])
            })
    }

    private func tagLists(_ db: Database) throws -> [Int64: [String]] {
        let rows = try Row.fetchCursor(db, sql: "SELECT runID, tag FROM tag ORDER BY runID, tag")
        var lists: [Int64: [String]] = [:]
        while let row = try rows.next() { lists[row[0], default: []].append(row[1]) }
        return lists
    }

    func provenance(_ id: Int64, _ db: Database) throws -> Provenance {
        let row = try Row.fetchOne(
            db, sql: "SELECT gitCommit, dirty, version, machine, threads, commandLine FROM provenance WHERE id = ?",
            arguments: [id])
        guard let row else { throw StoreError.damaged(at: path, "a row of provenance is missing") }
        return Provenance(
            gitCommit: row[0], isDirty: row[1], version: row[2], machine: row[3], threads: row[4],
            commandLine: row[5])
    }

    /// Row numbers as the inside of an SQL `IN (...)`.
    func list<Entity>(_ ids: some Sequence<StoreID<Entity>>) -> String {
        ids.map { String($0.rawValue) }.joined(separator: ",")
    }
}
