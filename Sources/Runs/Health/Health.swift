import GRDB
import Synchronization

extension RunStore {
    /// What SQLite finds wrong with the file: damaged pages, broken indices, rows that refer to nothing.
    ///
    /// Empty for a sound store. Reads the whole file.
    public func integrityProblems() throws(StoreError) -> [String] {
        try read { db in
            let pages = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            let rows = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { row in
                "a row of \(row[0] as String? ?? "?") refers to a missing row of \(row[2] as String? ?? "?")"
            }
            return pages + rows
        }
    }

    /// Rows with a value that its column must not hold, in words; at most twenty.
    public func badRows() throws(StoreError) -> [String] {
        try read { try RowRules.violations($0).map(\.description) }
    }

    /// The steps of the schema that the store has taken, in order.
    public func appliedMigrations() throws(StoreError) -> [String] {
        try read { try Self.migrator.completedMigrations($0) }
    }

    /// How many steps the schema of this version has.
    package static var latestVersion: Int { steps.count }

    /// The number of rows in each table.
    public func rowCounts() throws(StoreError) -> [String: Int] {
        try read { db in
            let tables = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
            return try tables.reduce(into: [:]) { counts, table in
                counts[table] = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
            }
        }
    }

    /// How many claims, running trainings and running evaluations belong to live processes, and how many to processes
    /// that have ended.
    public func claimedWork() throws(StoreError) -> (live: Int, abandoned: Int) {
        try read { db in
            let owners = try Int64.fetchAll(
                db,
                sql: """
                    SELECT ownerID FROM claim UNION ALL SELECT ownerID FROM run WHERE status = 'running'
                    UNION ALL SELECT ownerID FROM evaluation WHERE status = 'running'
                    """)
            let live = owners.count { locks.isAlive($0) }
            return (live, owners.count - live)
        }
    }

    /// Makes the store of the version that had the first `count` steps, for tests of migrations.
    package static func makeEarlierVersion(
        at path: String, steps count: Int, filledBy sql: String = ""
    ) throws(StoreError) {
        try mapping(path) {
            let queue = try DatabaseQueue(path: path)
            try migrator(through: count).migrate(queue)
            try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
            try queue.close()
        }
    }

    /// The steps of the schema, each as its name and its statements.
    package static var schemaSteps: [String] { steps.map { "\($0.name)\n\($0.sql)" } }

    /// Runs statements as they are, for tests of stores in unusual states.
    package func execute(_ sql: String) throws(StoreError) {
        try Self.mapping(path) { try database.writeWithoutTransaction { try $0.execute(sql: sql) } }
    }

    /// Keeps the times of this store's writes from now on, for measurements.
    package func keepTimings() { locks.timings.withLock { $0 = [] } }

    /// Seconds that each write since ``keepTimings()`` waited for the write lock and held it.
    package func timings() -> [(waited: Double, held: Double)] {
        locks.timings.withLock { $0 ?? [] }.map { ($0.waited, $0.held) }
    }

    /// The columns of a table, for tests of every one of them.
    package func columnNames(of table: String) throws(StoreError) -> [String] {
        try read { try $0.columns(in: table).map(\.name) }
    }

    /// Holds the write lock while `body` runs, for tests of timeouts.
    package func whileWriting(_ body: () throws -> Void) throws(StoreError) {
        try write { _ in try body() }
    }

    /// The rows of a query as texts, for tests of what other programs read.
    package func query(_ sql: String) throws(StoreError) -> [[String?]] {
        try read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { $0.isNull ? nil : String.fromDatabaseValue($0) ?? "\($0.storage.value ?? "")" }
            }
        }
    }
}
