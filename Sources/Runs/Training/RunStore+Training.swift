import Foundation
import GRDB

extension RunStore {
    /// Records a batch of a run's history in one transaction.
    ///
    /// A repeated step, validation or checkpoint takes the place of the earlier one. A checkpoint of any kind
    /// but `step` supersedes the earlier ones of its kind.
    ///
    /// - Returns: The paths of superseded checkpoint files that nothing refers to any more; they may be deleted.
    @discardableResult
    public func record(_ batch: TrainingBatch, of run: Run.ID) throws(StoreError) -> [String] {
        try write { db in
            try insert(batch.steps, of: run, db)
            try insert(batch.validations, of: run, db)
            for event in batch.events { try insert(event, of: run, db) }
            return try batch.checkpoints.flatMap { try insert($0, of: run, db) }
        }
    }

    private func insert(_ steps: [StepRecord], of run: Run.ID, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO trainingStep (runID, step, loss, gradientNorm, learningRate, seconds, terms)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        for step in steps {
            try statement.execute(arguments: [
                run.rawValue, step.step, step.loss, step.gradientNorm, step.learningRate, step.seconds,
                step.terms.isEmpty ? nil : Terms.json(step.terms),
            ])
        }
    }

    private func insert(_ validations: [ValidationRecord], of run: Run.ID, _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO validation (runID, step, metric, value, n) VALUES (?, ?, ?, ?, ?)")
        for one in validations {
            try statement.execute(arguments: [run.rawValue, one.step, one.metric, one.value, one.n])
        }
    }

    private func insert(_ checkpoint: CheckpointRecord, of run: Run.ID, _ db: Database) throws -> [String] {
        try db.execute(
            sql: """
                INSERT INTO checkpoint (runID, step, kind, path, sha256, bytes, emaUpdates, value, time)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (runID, kind, step) DO UPDATE SET path = excluded.path, sha256 = excluded.sha256,
                bytes = excluded.bytes, emaUpdates = excluded.emaUpdates, value = excluded.value,
                time = excluded.time, superseded = 0
                """,
            arguments: [
                run.rawValue, checkpoint.step, checkpoint.kind.rawValue, checkpoint.path, checkpoint.sha256,
                checkpoint.bytes, checkpoint.emaUpdates, checkpoint.value, checkpoint.time.stored,
            ])
        try insertMade(checkpoint.path, db)
        guard checkpoint.kind != .step else { return [] }
        return try supersede(checkpoint, of: run, db)
    }

    /// Retires the earlier checkpoints of the kind; those that no evaluation used are forgotten.
    private func supersede(_ newest: CheckpointRecord, of run: Run.ID, _ db: Database) throws -> [String] {
        let earlier = "runID = ? AND kind = ? AND step <> ?"
        let arguments: StatementArguments = [run.rawValue, newest.kind.rawValue, newest.step]
        let paths = try String.fetchAll(
            db, sql: "SELECT path FROM checkpoint WHERE \(earlier) AND superseded = 0", arguments: arguments)
        try db.execute(
            sql: """
                DELETE FROM checkpoint WHERE \(earlier)
                AND id NOT IN (SELECT checkpointID FROM evaluation WHERE checkpointID IS NOT NULL)
                """, arguments: arguments)
        try db.execute(sql: "UPDATE checkpoint SET superseded = 1 WHERE \(earlier)", arguments: arguments)
        return try paths.filter { path in
            try Bool.fetchOne(
                db, sql: "SELECT NOT EXISTS (SELECT 1 FROM checkpoint WHERE path = ? AND superseded = 0)",
                arguments: [path]) ?? false
        }
    }

    // MARK: Reading

    /// The steps of a run in order, from `first` on, at most `limit` of them.
    public func steps(of run: Run.ID, from first: Int = 0, limit: Int? = nil) throws(StoreError) -> [StepRecord] {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT step, loss, gradientNorm, learningRate, seconds, terms FROM trainingStep
                    WHERE runID = ? AND step >= ? ORDER BY step LIMIT ?
                    """, arguments: [run.rawValue, first, limit ?? -1])
            return try Array(
                rows.map { Cells($0, of: "trainingStep") }.map { cells in
                    try StepRecord(
                        step: cells[0], loss: cells[1] ?? .nan, terms: Terms.values(cells[5]),
                        gradientNorm: cells[2] ?? .nan, learningRate: cells[3] ?? .nan, seconds: cells[4] ?? .nan)
                })
        }
    }

    /// The last step recorded, or nil before the first.
    public func lastStep(of run: Run.ID) throws(StoreError) -> StepRecord? {
        let last = try read { db in
            try Int.fetchOne(db, sql: "SELECT max(step) FROM trainingStep WHERE runID = ?", arguments: [run.rawValue])
        }
        return try last.flatMap { (last) throws(StoreError) in try steps(of: run, from: last).first }
    }

    /// The last step of each run that has one.
    public func lastSteps(of runs: [Run.ID]) throws(StoreError) -> [Run.ID: Int] {
        try read { db in
            let statement = try db.cachedStatement(sql: "SELECT max(step) FROM trainingStep WHERE runID = ?")
            return try runs.reduce(into: [:]) { steps, run in
                steps[run] = try Int.fetchOne(statement, arguments: [run.rawValue])
            }
        }
    }

    /// The validation scores of a run, by step and metric.
    public func validations(of run: Run.ID) throws(StoreError) -> [ValidationRecord] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT step, metric, value, n FROM validation WHERE runID = ? ORDER BY step, metric",
                arguments: [run.rawValue]
            ).map { Cells($0, of: "validation") }
                .map { try ValidationRecord(step: $0[0], metric: $0[1], value: $0[2], n: $0[3]) }
        }
    }

    /// What happened to a run, the oldest first.
    public func events(of run: Run.ID) throws(StoreError) -> [EventRecord] {
        try read { db in
            try Row.fetchAll(
                db, sql: "SELECT time, kind, message FROM event WHERE runID = ? ORDER BY time, id",
                arguments: [run.rawValue]
            ).map { Cells($0, of: "event") }
                .map { EventRecord(time: (try $0[0] as Instant).date, kind: try $0[1], message: try $0[2]) }
        }
    }

    /// The checkpoints of a run by step; superseded ones only if asked for.
    public func checkpoints(
        of run: Run.ID, includingSuperseded: Bool = false
    ) throws(StoreError) -> [CheckpointRecord] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT id, step, kind, path, sha256, bytes, emaUpdates, value, time, superseded FROM checkpoint
                    WHERE runID = ? AND superseded <= ? ORDER BY step, kind
                    """, arguments: [run.rawValue, includingSuperseded]
            ).map { try Self.checkpoint(Cells($0, of: "checkpoint")) }
        }
    }

    /// The current checkpoint of a kind; for `step`, the latest, or the one at `step`.
    public func checkpoint(
        of run: Run.ID, kind: CheckpointRecord.Kind, step: Int? = nil
    ) throws(StoreError) -> CheckpointRecord? {
        try checkpoints(of: run).last { $0.kind == kind && (step == nil || $0.step == step) }
    }

    private static func checkpoint(_ cells: Cells) throws -> CheckpointRecord {
        let (path, time): (RelativePath, Instant) = (try cells[3], try cells[8])
        return try CheckpointRecord(
            id: cells[0], step: cells[1], kind: cells[2], path: path.text, sha256: cells[4], bytes: cells[5],
            emaUpdates: cells[6], value: cells[7], time: time.date, isSuperseded: cells[9])
    }
}

/// The named terms of a loss as JSON; a term that is no number is null.
private enum Terms {
    static func json(_ terms: [String: Double]) -> String? {
        let finite = terms.mapValues { $0.isFinite ? $0 : nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(finite)).map { String(decoding: $0, as: UTF8.self) }
    }

    static func values(_ json: String?) -> [String: Double] {
        let stored = json.flatMap { try? JSONDecoder().decode([String: Double?].self, from: Data($0.utf8)) }
        return stored?.mapValues { $0 ?? .nan } ?? [:]
    }
}
