/// The views through which other programs read the store: pandas, DuckDB, R, `sqlite3`.
///
/// Later versions may add views and do not change these. Times are texts in UTC, a truth value is 0 or 1, and a missing
/// value is NULL.
///
/// - `v_run`: one row for each run. Its status stays `running` after its process was killed, until the next `sgmse`
///   command.
/// - `v_setting`: each value of each run's resolved spec, by path; the elements of a list have positions from 0.
/// - `v_step`: each recorded training step; `terms` is a JSON object.
/// - `v_evaluation`: each evaluation of a run (`run_id`) or of an anchor (`anchor`), with its factors.
/// - `v_score`: each metric of each file of each evaluation, with the file's speaker, noise and SNR; `value` is NULL
///   where the metric could not be computed, for `reason`.
/// - `v_reported`: figures of papers and older experiments.
enum StoreViews {
    static let sql = """
        CREATE VIEW v_run AS SELECT
            shortID AS run_id, name, seed, status, reason, origin, identity, dataFingerprint AS data_fingerprint,
            \(time("created")), \(time("started")), \(time("ended")),
            gitCommit AS git_commit, dirty, version, machine, threads, commandLine AS command_line, file AS spec_file,
            (SELECT max(step) FROM trainingStep WHERE runID = run.id) AS last_step,
            (SELECT group_concat(tag, ' ') FROM (SELECT tag FROM tag WHERE runID = run.id ORDER BY tag)) AS tags, notes
        FROM run JOIN provenance ON provenance.id = provenanceID LEFT JOIN spec ON spec.runID = run.id;

        CREATE VIEW v_setting AS SELECT shortID AS run_id, name, path, position, value
        FROM parameter JOIN parameterPath ON parameterPath.id = pathID JOIN run ON run.id = runID;

        CREATE VIEW v_step AS SELECT
            shortID AS run_id, name, step, loss, gradientNorm AS gradient_norm, \
        learningRate AS learning_rate, seconds, terms
        FROM trainingStep JOIN run ON run.id = runID;

        CREATE VIEW v_evaluation AS SELECT
            evaluation.id AS evaluation_id, shortID AS run_id, coalesce(run.name, anchor) AS system, anchor, seed,
            checkpointKind AS checkpoint, checkpointStep AS checkpoint_step,
            testSet.name AS test_set, fingerprint AS set_fingerprint, steps AS N, sampler, predictor, corrector,
            correctorSteps AS corrector_steps, snr AS corrector_snr, guidance, reference, weights,
            noiseSeed AS noise_seed, other, evaluation.status, evaluation.reason,
            \(time("evaluation.started", as: "started")), \(time("evaluation.ended", as: "ended")), \
        gitCommit AS git_commit
        FROM evaluation JOIN testSet ON testSet.id = setID JOIN provenance ON provenance.id = evaluation.provenanceID
        LEFT JOIN run ON run.id = runID;

        CREATE VIEW v_score AS SELECT
            e.evaluation_id, e.run_id, e.system, e.anchor, e.seed, e.checkpoint, e.checkpoint_step, e.test_set,
            e.set_fingerprint, e.N, e.guidance, e.reference, e.weights, e.noise_seed,
            metric.name AS metric, signature, unit, higherIsBetter AS higher_is_better,
            path AS file, speaker, noise, testFile.snr AS snr, testFile.seconds AS file_seconds, value, score.reason,
            nfe, realTimeFactor AS real_time_factor, output
        FROM score JOIN v_evaluation e ON e.evaluation_id = score.evaluationID JOIN metric ON metric.id = metricID
        JOIN testFile ON testFile.id = score.fileID
        LEFT JOIN fileResult r ON r.evaluationID = score.evaluationID AND r.fileID = score.fileID;

        CREATE VIEW v_reported AS SELECT
            paper, row AS system, testSet AS test_set, metric, conditions, value, std, mark, source
        FROM reportedFigure;
        """

    private static func time(_ column: String, as name: String? = nil) -> String {
        "strftime('%Y-%m-%dT%H:%M:%SZ', \(column), 'unixepoch') AS \(name ?? column)"
    }
}
