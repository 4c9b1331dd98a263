import GRDB

/// The scores of some runs and of the anchors on the same test sets, read in one transaction.
public struct ScoreSnapshot: Sendable {
    /// In the order of the request, each once.
    public var runs: [Run]
    /// The sets that evaluations of the runs use; without runs, every set of the request.
    public var testSets: [TestSet.ID: TestSet]
    /// How many files each set has.
    public var fileCounts: [TestSet.ID: Int]
    /// The metrics of the request, also those without a score here.
    public var metrics: [ScoredMetric.ID: ScoredMetric]
    /// Those of the runs, and those of anchors.
    public var evaluations: [Evaluation]
    /// Only those that have scores.
    public var series: [Key: Series]
    /// Those whose scores do not match the checksum that was recorded at the end of the evaluation: the store is
    /// damaged.
    public var damaged: Set<Key>
    /// The files of the sets.
    public var files: [TestFile.ID: TestFile]
    /// The values of each run's resolved spec, by path; the elements of a list are joined by commas.
    public var settings: [Run.ID: [String: String]]
    /// What gates found about each run.
    public var findings: [Run.ID: [GateFinding]]
    /// The scores of validation files while each run was trained.
    public var validations: [Run.ID: [ValidationRecord]]
    /// How often an evaluation called networks for a file, the least and the most over its files.
    public var networkCalls: [Evaluation.ID: ClosedRange<Int>]

    /// Names one ``Series``.
    public struct Key: Hashable, Sendable {
        /// Whose scores they are.
        public var evaluation: Evaluation.ID
        /// Which metric, with its signature.
        public var metric: ScoredMetric.ID

        public init(evaluation: Evaluation.ID, metric: ScoredMetric.ID) {
            (self.evaluation, self.metric) = (evaluation, metric)
        }
    }

    /// One metric of one evaluation, by ascending file; a score that failed is NaN.
    public struct Series: Sendable {
        /// Ascending row numbers, as long as `values`.
        public var files: [TestFile.ID] = []
        /// In the unit of the metric; NaN where the metric failed.
        public var values: [Double] = []

        public init(files: [TestFile.ID] = [], values: [Double] = []) { (self.files, self.values) = (files, values) }
    }
}

extension RunStore {
    /// Reads the scores of `runs` and of the anchors on the sets they were evaluated on.
    ///
    /// - Parameters:
    ///   - sets: Names of the test sets to keep; all where nil.
    ///   - metrics: Names of the metrics to keep; all where nil.
    public func scores(
        of runs: [Run.ID], sets: Set<String>? = nil, metrics: Set<String>? = nil
    ) throws(StoreError) -> ScoreSnapshot {
        var seen: Set<Run.ID> = []
        let known = try self.runs(runs.filter { seen.insert($0).inserted })
        var findings: [Run.ID: [GateFinding]] = [:]
        var validations: [Run.ID: [ValidationRecord]] = [:]
        for run in known {
            findings[run.id] = try self.findings(of: run.id)
            validations[run.id] = try self.validations(of: run.id)
        }
        return try read { db in
            let testSets = try testSets(db).filter { sets?.contains($0.name) ?? true }
            let kept = try self.metrics(db).filter { metrics?.contains($0.name) ?? true }
            let inSets = "setID IN (\(list(testSets.map(\.id))))"
            let ofRuns = try evaluations(
                "WHERE runID IN (\(list(runs))) AND \(inSets) ORDER BY setID, steps, id", [], db)
            let used = runs.isEmpty ? Set(testSets.map(\.id)) : Set(ofRuns.map(\.testSet))
            let ofAnchors = try evaluations(
                "WHERE anchor IS NOT NULL AND setID IN (\(list(used))) ORDER BY setID, id", [], db)
            let evaluations = ofRuns + ofAnchors
            let series = try series(of: evaluations.map(\.id), metrics: kept.map(\.id), db)
            return ScoreSnapshot(
                runs: known,
                testSets: Dictionary(
                    uniqueKeysWithValues: testSets.filter { used.contains($0.id) }.map { ($0.id, $0) }),
                fileCounts: try fileCounts(used, db),
                metrics: Dictionary(uniqueKeysWithValues: kept.map { ($0.id, $0) }), evaluations: evaluations,
                series: series, damaged: try damaged(among: evaluations.map(\.id), metrics: kept.map(\.id), series, db),
                files: try files(of: used, db), settings: try settings(of: known.map(\.id), db), findings: findings,
                validations: validations, networkCalls: try networkCalls(of: evaluations.map(\.id), db))
        }
    }

    private func fileCounts(_ sets: Set<TestSet.ID>, _ db: Database) throws -> [TestSet.ID: Int] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT setID, count(*) FROM testFile WHERE setID IN (\(list(sets))) GROUP BY setID")
        return Dictionary(
            try rows.map { Cells($0, of: "testFile") }.map { (try $0[0], try $0[1]) }, uniquingKeysWith: { $1 })
    }

    private func networkCalls(
        of evaluations: [Evaluation.ID], _ db: Database
    ) throws -> [Evaluation.ID: ClosedRange<Int>] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT evaluationID, min(nfe), max(nfe) FROM fileResult WHERE evaluationID IN (\(list(evaluations)))
                GROUP BY evaluationID
                """)
        return try rows.map { Cells($0, of: "fileResult") }.reduce(into: [:]) { found, cells in
            let (least, most): (Int, Int) = (try cells[1], try cells[2])
            found[try cells[0]] = least...most
        }
    }

    private func files(of sets: Set<TestSet.ID>, _ db: Database) throws -> [TestFile.ID: TestFile] {
        try sets.reduce(into: [:]) { found, set in
            for file in try files(of: set, db) { found[file.id ?? TestFile.ID(0)] = file }
        }
    }

    private func settings(of runs: [Run.ID], _ db: Database) throws -> [Run.ID: [String: String]] {
        try runs.reduce(into: [:]) { $0[$1] = try parameters(of: $1, db) }
    }

    /// Reads along the primary key, one range per evaluation and metric.
    private func series(
        of evaluations: [Evaluation.ID], metrics: [ScoredMetric.ID], _ db: Database
    ) throws -> [ScoreSnapshot.Key: ScoreSnapshot.Series] {
        let statement = try db.cachedStatement(
            sql: "SELECT fileID, value FROM score WHERE evaluationID = ? AND metricID = ? ORDER BY fileID")
        var found: [ScoreSnapshot.Key: ScoreSnapshot.Series] = [:]
        for evaluation in evaluations {
            for metric in metrics {
                let cursor = try Row.fetchCursor(statement, arguments: [evaluation.rawValue, metric.rawValue])
                var series = ScoreSnapshot.Series()
                while let row = try cursor.next() {
                    let cells = Cells(row, of: "score")
                    series.files.append(try cells[0])
                    series.values.append(try cells[1] ?? .nan)
                }
                if !series.files.isEmpty {
                    found[ScoreSnapshot.Key(evaluation: evaluation, metric: metric)] = series
                }
            }
        }
        return found
    }
}
