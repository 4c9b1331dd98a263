/// The statements of an import, from the attached store `source` into `main`.
extension RunStore {
    struct TransferStep: Sendable {
        var sql: String
        /// What the rows it adds are counted as.
        var counted: Counted?

        enum Counted { case runs, evaluations, scores }

        init(_ sql: String, counting counted: Counted? = nil) { (self.sql, self.counted) = (sql, counted) }
    }

    /// Rows are matched by their natural keys; the tables `…Map` take row numbers there to row numbers here.
    static let transferSteps = [
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
            UPDATE main.run SET status = s.status, reason = s.reason, started = coalesce(main.run.started, s.started), \
            ended = s.ended,
            provenanceID = coalesce((SELECT new FROM provenanceMap WHERE old = s.provenanceID), main.run.provenanceID)
            FROM source.run s JOIN runMap ON runMap.old = s.id
            WHERE main.run.id = runMap.new AND main.run.status NOT IN ('finished', 'running') AND (s.status = 'finished'
            OR (s.status IN ('failed', 'interrupted') AND s.ended > coalesce(main.run.ended, 0)));
            INSERT OR IGNORE INTO main.spec SELECT new, file, written, resolved FROM source.spec
            JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.parameterPath (path) SELECT path FROM source.parameterPath;
            INSERT OR IGNORE INTO main.parameter
            SELECT new, t.id, position, value FROM source.parameter JOIN runMap ON old = runID
            JOIN source.parameterPath s ON s.id = pathID JOIN main.parameterPath t ON t.path = s.path;
            INSERT OR IGNORE INTO main.tag SELECT new, tag FROM source.tag JOIN runMap ON old = runID;
            INSERT OR IGNORE INTO main.alias SELECT name, new FROM source.alias JOIN runMap ON old = runID;
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
            CREATE TEMP TABLE earlier AS SELECT id FROM main.checkpoint c WHERE superseded = 0 AND kind <> 'step'
            AND runID IN (SELECT new FROM runMap) AND EXISTS (SELECT 1 FROM main.checkpoint later
            WHERE later.runID = c.runID AND later.kind = c.kind AND later.step > c.step);
            DELETE FROM main.checkpoint WHERE id IN (SELECT id FROM earlier)
            AND id NOT IN (SELECT checkpointID FROM main.evaluation WHERE checkpointID IS NOT NULL);
            UPDATE main.checkpoint SET superseded = 1 WHERE id IN (SELECT id FROM earlier);
            INSERT OR IGNORE INTO main.finding (subject, gate, severity, message, detail, runID, time)
            SELECT subject, gate, severity, message, detail, new, time FROM source.finding
            JOIN runMap ON old = runID;
            """),
        TransferStep(
            """
            CREATE TEMP TABLE setMap AS SELECT DISTINCT setID AS old, NULL AS new FROM source.evaluation
            WHERE runID IN (SELECT old FROM runMap)
            OR (anchor IS NOT NULL AND NOT EXISTS (SELECT 1 FROM source.run WHERE shortID NOT IN (SELECT shortID FROM \
            chosen)));
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
            SELECT evaluationMap.new, fileMap.new, nfe, r.seconds, realTimeFactor, output, r.reference FROM \
            evaluationMap
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

    static let figureTransfer = """
        INSERT OR IGNORE INTO main.reportedFigure
        (paper, row, testSet, metric, conditions, value, std, mark, source)
        SELECT paper, row, testSet, metric, conditions, value, std, mark, source FROM source.reportedFigure ORDER BY id
        """

    static let dropMaps = [
        "chosen", "provenanceMap", "runMap", "earlier", "setMap", "fileMap", "metricMap", "evaluationMap",
    ].map { "DROP TABLE IF EXISTS temp.\($0);" }.joined()
}
