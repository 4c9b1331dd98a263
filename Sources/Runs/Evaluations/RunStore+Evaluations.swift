import Foundation
import GRDB

extension RunStore {
    // MARK: What is evaluated

    /// Makes a test set and its files known, and returns them with their row numbers, in the order given.
    public func register(
        testSet name: String, fingerprint: String, folder: String, sampleRate: Int, files: [TestFile]
    ) throws(StoreError) -> (set: TestSet, files: [TestFile]) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO testSet (name, fingerprint, folder, sampleRate) VALUES (?, ?, ?, ?)
                    ON CONFLICT (name, fingerprint) DO UPDATE SET folder = excluded.folder
                    """, arguments: [name, fingerprint, folder, sampleRate])
            let id = try Int64.fetchOne(
                db, sql: "SELECT id FROM testSet WHERE name = ? AND fingerprint = ?", arguments: [name, fingerprint])
            let set = TestSet(
                id: StoreID(id ?? 0), name: name, fingerprint: fingerprint, folder: folder, sampleRate: sampleRate)
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO testFile (setID, path, speaker, noise, snr, seconds) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (setID, path) DO UPDATE SET speaker = excluded.speaker, noise = excluded.noise,
                    snr = excluded.snr, seconds = excluded.seconds
                    """)
            for file in files {
                try statement.execute(arguments: [
                    set.id.rawValue, file.path, file.speaker, file.noise, file.snr, file.seconds,
                ])
            }
            let known = try self.files(of: set.id, db)
            let byPath = Dictionary(known.map { ($0.path, $0) }, uniquingKeysWith: { $1 })
            return (set, files.compactMap { byPath[$0.path] })
        }
    }

    /// Makes a metric known; equal signatures are one metric.
    public func register(
        metric name: String, signature: String, unit: String, higherIsBetter: Bool
    ) throws(StoreError) -> ScoredMetric {
        try write { db in
            try db.execute(
                sql: "INSERT OR IGNORE INTO metric (name, signature, unit, higherIsBetter) VALUES (?, ?, ?, ?)",
                arguments: [name, signature, unit, higherIsBetter])
            let id = try Int64.fetchOne(db, sql: "SELECT id FROM metric WHERE signature = ?", arguments: [signature])
            return ScoredMetric(
                id: StoreID(id ?? 0), name: name, signature: signature, unit: unit, higherIsBetter: higherIsBetter)
        }
    }

    /// All sets, the one registered first at the beginning.
    public func testSets() throws(StoreError) -> [TestSet] {
        try read { try testSets($0) }
    }

    /// The files of a set, by path.
    public func files(of set: TestSet.ID) throws(StoreError) -> [TestFile] {
        try read { try files(of: set, $0) }
    }

    /// All metrics, the one registered first at the beginning.
    public func metrics() throws(StoreError) -> [ScoredMetric] {
        try read { try metrics($0) }
    }

    func testSets(_ db: Database) throws -> [TestSet] {
        try Row.fetchAll(db, sql: "SELECT id, name, fingerprint, folder, sampleRate FROM testSet ORDER BY id").map {
            Cells($0, of: "testSet")
        }.map {
            try TestSet(id: $0[0], name: $0[1], fingerprint: $0[2], folder: $0[3], sampleRate: $0[4])
        }
    }

    func files(of set: TestSet.ID, _ db: Database) throws -> [TestFile] {
        try Row.fetchAll(
            db, sql: "SELECT id, path, speaker, noise, snr, seconds FROM testFile WHERE setID = ? ORDER BY path",
            arguments: [set.rawValue]
        ).map { Cells($0, of: "testFile") }.map {
            try TestFile(id: $0[0], path: $0[1], speaker: $0[2], noise: $0[3], snr: $0[4], seconds: $0[5])
        }
    }

    func metrics(_ db: Database) throws -> [ScoredMetric] {
        try Row.fetchAll(db, sql: "SELECT id, name, signature, unit, higherIsBetter FROM metric ORDER BY id")
            .map { Cells($0, of: "metric") }.map {
                try ScoredMetric(id: $0[0], name: $0[1], signature: $0[2], unit: $0[3], higherIsBetter: $0[4])
            }
    }

    // MARK: Status of an evaluation

    /// Makes the evaluation known as planned; one of the same identity is left as it is and returned.
    public func register(_ draft: EvaluationDraft) throws(StoreError) -> Evaluation {
        try write { db in try evaluations("WHERE id = ?", [insert(draft, db).rawValue], db)[0] }
    }

    /// The row of the evaluation of that identity, made where it is missing.
    func insert(_ draft: EvaluationDraft, _ db: Database) throws -> Evaluation.ID {
        let known = try Int64.fetchOne(
            db, sql: "SELECT id FROM evaluation WHERE identity = ?", arguments: [draft.identity])
        if let known { return StoreID(known) }
        let (run, anchor, checkpoint): (Run.ID?, String?, CheckpointRecord.ID?) =
            switch draft.subject {
            case .run(let run, let checkpoint): (run, nil, checkpoint)
            case .anchor(let name): (nil, name, nil)
            }
        let point = draft.point
        try db.execute(
            sql: """
                INSERT INTO evaluation (identity, runID, anchor, checkpointID, checkpointKind, checkpointStep,
                setID, steps, sampler, predictor, corrector, correctorSteps, snr, guidance, reference, weights,
                noiseSeed, other, status, provenanceID, external)
                VALUES (?, ?, ?, ?, (SELECT kind FROM checkpoint WHERE id = ?4),
                (SELECT step FROM checkpoint WHERE id = ?4), ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                ?16, 'planned', ?17, ?18)
                """,
            arguments: [
                draft.identity, run?.rawValue, anchor, checkpoint?.rawValue, draft.testSet.rawValue, point.steps,
                point.sampler, point.predictor, point.corrector, point.correctorSteps, point.snr,
                point.guidance, point.reference, point.weights, point.noiseSeed.map(Int64.init(bitPattern:)),
                point.other, try id(of: draft.provenance, db), draft.external,
            ])
        return StoreID(db.lastInsertedRowID)
    }

    /// Marks the evaluation as running by this process.
    ///
    /// - Throws: ``StoreError`` of kind `inUse` where another running process works on it.
    public func begin(_ evaluation: Evaluation.ID, provenance: Provenance) throws(StoreError) {
        let me = try ownerID()
        try write { db in
            guard let known = try evaluations("WHERE id = ?", [evaluation.rawValue], db).first else {
                throw StoreError.missing("no evaluation with row \(evaluation)", at: path)
            }
            if known.status == .running, let other = known.owner, other.rawValue != me,
                let owner = try owner(other.rawValue, db), owner.isAlive
            {
                throw StoreError(.inUse, at: path, "the evaluation is being run by \(owner.description)")
            }
            try db.execute(
                sql: """
                    UPDATE evaluation SET status = 'running', reason = NULL, ownerID = ?, provenanceID = ?,
                    ended = NULL, started = coalesce(started, ?) WHERE id = ?
                    """, arguments: [me, try id(of: provenance, db), Date().stored, evaluation.rawValue])
            try deleteScoreSums(of: evaluation, db)
        }
    }

    /// Ends the evaluation: finished, or failed or interrupted with a reason.
    public func end(
        _ evaluation: Evaluation.ID, as status: RunStatus, reason: String? = nil
    ) throws(StoreError) {
        precondition(status != .running && status != .planned, "an evaluation cannot end as \(status)")
        try write { db in
            try db.execute(
                sql: "UPDATE evaluation SET status = ?, reason = ?, ended = ?, ownerID = NULL WHERE id = ?",
                arguments: [status.rawValue, reason, Date().stored, evaluation.rawValue])
            if status == .finished { try insertScoreSums(of: evaluation, db) }
        }
    }

    /// The evaluation with that identity; nil where it was never registered.
    public func evaluation(identity: String) throws(StoreError) -> Evaluation? {
        try read { try evaluations("WHERE identity = ?", [identity], $0).first }
    }

    /// All evaluations of a run, by test set and N.
    public func evaluations(of run: Run.ID) throws(StoreError) -> [Evaluation] {
        try read { try evaluations("WHERE runID = ? ORDER BY setID, steps, id", [run.rawValue], $0) }
    }

    /// With what program, where and how an evaluation was last worked on.
    public func provenance(of evaluation: Evaluation.ID) throws(StoreError) -> Provenance {
        try read { db in
            let id = try Int64.fetchOne(
                db, sql: "SELECT provenanceID FROM evaluation WHERE id = ?", arguments: [evaluation.rawValue])
            guard let id else { throw StoreError.missing("no evaluation with row \(evaluation)", at: path) }
            return try provenance(id, db)
        }
    }

    /// The evaluations of all systems that have no run, by name and test set.
    public func anchorEvaluations() throws(StoreError) -> [Evaluation] {
        try read { try evaluations("WHERE anchor IS NOT NULL ORDER BY anchor, setID, id", [], $0) }
    }

    func evaluations(_ tail: String, _ arguments: StatementArguments, _ db: Database) throws -> [Evaluation] {
        let sql = """
            SELECT id, identity, runID, anchor, checkpointID, checkpointKind, checkpointStep, setID, steps, sampler,
            predictor, corrector, correctorSteps, snr, guidance, reference, weights, noiseSeed, other, status,
            reason, ownerID, started, ended, external FROM evaluation \(tail)
            """
        return try Row.fetchAll(db, sql: sql, arguments: arguments).map { try evaluation(Cells($0, of: "evaluation")) }
    }

    private func evaluation(_ cells: Cells) throws -> Evaluation {
        let (run, owner): (Run.ID?, StoreID<Owner>?) = (try cells[2], try cells[21])
        var status: RunStatus = try cells[19]
        if status == .running, let owner, !locks.isAlive(owner.rawValue) { status = .interrupted }
        let subject: EvaluationSubject = try run.map { .run($0, checkpoint: try cells[4]) } ?? .anchor(cells[3] ?? "")
        let (noiseSeed, started, ended): (Int64?, Instant?, Instant?) = (try cells[17], try cells[22], try cells[23])
        return try Evaluation(
            id: cells[0], identity: cells[1], subject: subject, checkpointKind: cells[5], checkpointStep: cells[6],
            testSet: cells[7],
            point: EvaluationPoint(
                steps: cells[8], sampler: cells[9], predictor: cells[10], corrector: cells[11],
                correctorSteps: cells[12],
                snr: cells[13], guidance: cells[14], reference: cells[15], weights: cells[16],
                noiseSeed: noiseSeed.map(UInt64.init(bitPattern:)), other: cells[18]),
            status: status, reason: cells[20], owner: owner, started: started?.date, ended: ended?.date,
            external: cells[24])
    }
}
