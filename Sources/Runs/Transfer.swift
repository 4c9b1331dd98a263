import AtomicFiles
import Foundation
import GRDB

/// What an import or export added; zeros mean that everything was there already.
public struct TransferSummary: Hashable, Sendable {
    public var runs = 0
    public var evaluations = 0
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
                try Self.replace(file, by: partial)
            } catch {
                try? FileManager.default.removeItem(atPath: partial)
                throw error
            }
        }
    }

    /// Whether two paths lead to one file, by whatever names and links.
    private static func isSameFile(_ first: String, _ second: String) -> Bool {
        var (a, b) = (stat(), stat())
        if stat(first, &a) == 0, stat(second, &b) == 0 { return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino) }
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
        guard rename(partial, file) == 0 else {
            throw StoreError(
                .unreachable, at: file, "the copy cannot be put in place (\(String(cString: strerror(errno))))",
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
            !TemporaryName.isTemporary((name as NSString).lastPathComponent) && RelativePath(name).map(filesBelow.entry) == .absent
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
            try files.createDirectory(atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
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
    /// What is here already is kept, but for the status of a run that is finished there and not here. The other
    /// store may be of an earlier version; it is not changed.
    ///
    /// - Throws: ``StoreError`` of kind `corrupt` that names the rows.
    @discardableResult
    public func importRuns(from other: String, only shortIDs: [String]? = nil) throws(StoreError) -> TransferSummary {
        let copy = TemporaryName.path(for: path)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try Self.mapping(other) {
            let source = try RunStore(at: other, access: .readOnly)
            try Self.copy(source.database, to: copy)
            let queue = try DatabaseQueue(path: copy, configuration: Self.configuration(30, readOnly: false))
            try queue.write(Self.dropViewsAndTriggers)
            try Self.migrator.migrate(queue)
            let bad = try queue.read { try RowRules.violations($0) }
            try queue.close()
            if !bad.isEmpty { throw StoreError(refusing: bad, of: other) }
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
            if shortIDs == nil { try db.execute(sql: Self.figureTransfer) }
            return summary
        }
    }

    /// Views and triggers would run here what another wrote; the rows are all that is taken over.
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

extension RunStore {
    private struct TransferStep: Sendable {
        var sql: String
        /// What the rows it adds are counted as.
        var counted: Counted?

        enum Counted { case runs, evaluations, scores }

        init(_ sql: String, counting counted: Counted? = nil) { (self.sql, self.counted) = (sql, counted) }
    }

    /// Rows are matched by their natural keys; the tables `…Map` take row numbers there to row numbers here.
    private static let transferSteps = [
        TransferStep(
            """
            INSERT OR IGNORE INTO main.provenance (gitCommit, dirty, version, machine, threads, commandLine)
            SELECT gitCommit, dirty, version, machine, threads, commandLine FROM source.provenance;
            CREATE TEMP TABLE provenanceMap AS SELECT s.id AS old, t.id AS new FROM source.provenance s
            JOIN main.provenance t USING (commandLine, gitCommit, dirty, version, machine, threads);
            CREATE INDEX temp.provenanceMapByOld ON provenanceMap (old);
            """),
        TransferStep(
            """
            INSERT OR IGNORE INTO main.run (shortID, name, identity, seed, dataFingerprint, origin, status, reason,
            provenanceID, created, started, ended, notes)
            SELECT shortID, name, identity, seed, dataFingerprint, origin,
            iif(status = 'running', 'interrupted', status), reason,
            (SELECT new FROM provenanceMap WHERE old = provenanceID), created, started, ended, notes
            FROM source.run WHERE shortID IN (SELECT shortID FROM chosen) ORDER BY id
            """, counting: .runs),
        TransferStep(
            """
            CREATE TEMP TABLE runMap AS SELECT s.id AS old, t.id AS new FROM source.run s
            JOIN main.run t USING (identity, seed, dataFingerprint)
            WHERE s.shortID IN (SELECT shortID FROM chosen);
            CREATE INDEX temp.runMapByOld ON runMap (old);
            UPDATE main.run SET status = 'finished', reason = NULL,
            ended = (SELECT s.ended FROM source.run s JOIN runMap ON old = s.id WHERE new = main.run.id)
            WHERE status NOT IN ('finished', 'running') AND id IN
            (SELECT new FROM runMap JOIN source.run s ON s.id = old WHERE s.status = 'finished');
            INSERT OR IGNORE INTO main.spec SELECT new, file, written, resolved FROM source.spec
            JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.parameterPath (path) SELECT path FROM source.parameterPath;
            INSERT OR IGNORE INTO main.parameter
            SELECT new, t.id, position, value FROM source.parameter JOIN runMap ON old = runID
            JOIN source.parameterPath s ON s.id = pathID JOIN main.parameterPath t ON t.path = s.path;
            INSERT OR IGNORE INTO main.tag SELECT new, tag FROM source.tag JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.event (runID, time, kind, message)
            SELECT new, time, kind, message FROM source.event JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.trainingStep
            SELECT new, step, loss, gradientNorm, learningRate, seconds, terms FROM source.trainingStep
            JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.validation
            SELECT new, step, metric, value, n FROM source.validation JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.checkpoint
            (runID, step, kind, path, sha256, bytes, emaUpdates, value, time, superseded)
            SELECT new, step, kind, path, sha256, bytes, emaUpdates, value, time, superseded
            FROM source.checkpoint JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.finding (subject, gate, severity, message, detail, runID, time)
            SELECT subject, gate, severity, message, detail, new, time FROM source.finding
            JOIN runMap ON old = runID;
            """),
        TransferStep(
            """
            CREATE TEMP TABLE setMap AS SELECT DISTINCT setID AS old, NULL AS new FROM source.evaluation
            WHERE runID IN (SELECT old FROM runMap);
            INSERT OR IGNORE INTO main.testSet (name, fingerprint, folder, sampleRate)
            SELECT name, fingerprint, folder, sampleRate FROM source.testSet WHERE id IN (SELECT old FROM setMap);
            UPDATE setMap SET new = (SELECT t.id FROM main.testSet t JOIN source.testSet s
            USING (name, fingerprint) WHERE s.id = old);
            INSERT OR IGNORE INTO main.testFile (setID, path, speaker, noise, snr, seconds)
            SELECT new, path, speaker, noise, snr, seconds FROM source.testFile JOIN setMap ON old = setID;
            CREATE TEMP TABLE fileMap AS SELECT s.id AS old, t.id AS new FROM source.testFile s
            JOIN setMap ON setMap.old = s.setID JOIN main.testFile t ON t.setID = setMap.new AND t.path = s.path;
            CREATE INDEX temp.fileMapByOld ON fileMap (old);
            INSERT OR IGNORE INTO main.metric (name, signature, unit, higherIsBetter)
            SELECT name, signature, unit, higherIsBetter FROM source.metric;
            CREATE TEMP TABLE metricMap AS SELECT s.id AS old, t.id AS new FROM source.metric s
            JOIN main.metric t USING (signature);
            CREATE INDEX temp.metricMapByOld ON metricMap (old);
            """),
        TransferStep(
            """
            INSERT OR IGNORE INTO main.evaluation (identity, runID, anchor, checkpointID, checkpointKind,
            checkpointStep, setID, steps, sampler, predictor, corrector, correctorSteps, snr, guidance, reference,
            weights, noiseSeed, other, status, reason, provenanceID, started, ended, external)
            SELECT identity, (SELECT new FROM runMap WHERE old = e.runID), anchor,
            (SELECT t.id FROM main.checkpoint t JOIN runMap ON runMap.new = t.runID
            WHERE runMap.old = e.runID AND t.kind = e.checkpointKind AND t.step = e.checkpointStep),
            checkpointKind, checkpointStep, (SELECT new FROM setMap WHERE old = e.setID), steps, sampler, predictor,
            corrector, correctorSteps, snr, guidance, reference, weights, noiseSeed, other,
            iif(status = 'running', 'interrupted', status), reason,
            (SELECT new FROM provenanceMap WHERE old = e.provenanceID), started, ended, external
            FROM source.evaluation e WHERE runID IN (SELECT old FROM runMap)
            OR (anchor IS NOT NULL AND setID IN (SELECT old FROM setMap)) ORDER BY id
            """, counting: .evaluations),
        TransferStep(
            """
            CREATE TEMP TABLE evaluationMap AS SELECT s.id AS old, t.id AS new FROM source.evaluation s
            JOIN main.evaluation t USING (identity) WHERE s.runID IN (SELECT old FROM runMap)
            OR (s.anchor IS NOT NULL AND s.setID IN (SELECT old FROM setMap));
            UPDATE main.evaluation SET status = 'finished', reason = NULL
            WHERE status NOT IN ('finished', 'running') AND id IN
            (SELECT new FROM evaluationMap JOIN source.evaluation s ON s.id = old WHERE s.status = 'finished');
            INSERT OR IGNORE INTO main.fileResult
            SELECT evaluationMap.new, fileMap.new, nfe, r.seconds, realTimeFactor, output, r.reference FROM evaluationMap
            JOIN source.fileResult r ON r.evaluationID = evaluationMap.old JOIN fileMap ON fileMap.old = fileID;
            """),
        TransferStep(
            """
            INSERT OR IGNORE INTO main.score
            SELECT evaluationMap.new, metricMap.new, fileMap.new, value, reason FROM evaluationMap
            JOIN source.score s ON s.evaluationID = evaluationMap.old
            JOIN metricMap ON metricMap.old = metricID JOIN fileMap ON fileMap.old = fileID
            """, counting: .scores),
    ]

    private static let figureTransfer = """
        INSERT OR IGNORE INTO main.reportedFigure
        (paper, row, testSet, metric, conditions, value, std, mark, source)
        SELECT paper, row, testSet, metric, conditions, value, std, mark, source FROM source.reportedFigure ORDER BY id
        """

    private static let dropMaps = [
        "chosen", "provenanceMap", "runMap", "setMap", "fileMap", "metricMap", "evaluationMap",
    ].map { "DROP TABLE IF EXISTS temp.\($0);" }.joined()
}
