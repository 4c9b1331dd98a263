import Foundation
import GRDB

/// The parts of a store that a plan needs, read in a few queries whose number does not depend on that of the runs.
public struct StoreInventory: Sendable {
    /// A training and how far it came.
    public struct Training: Hashable, Sendable {
        /// Its row number in the store.
        public var run: Run.ID
        /// As it is listed now.
        public var name: String
        /// What a person names it by on the command line.
        public var shortID: String
        /// `interrupted` also where the row says `running` and the process has ended.
        public var status: RunStatus
        /// Why it failed or was interrupted.
        public var reason: String?
        /// The newest checkpoint from which training can resume: its step, and its path in the store's folder.
        public var last: (step: Int, path: String)? { lastStep.flatMap { step in lastPath.map { (step, $0) } } }
        var lastStep: Int?
        var lastPath: String?
    }

    /// An evaluation, and the metrics of which it has scores.
    public struct Scoring: Hashable, Sendable {
        /// Its row number in the store.
        public var evaluation: Evaluation.ID
        /// The status of the row; it is not checked whether the process of a running one still runs.
        public var status: RunStatus
        /// The metrics that have a score of at least one file.
        public var metrics: Set<ScoredMetric.ID>
        /// How many of its files have their enhanced audio kept; not counted beyond ``mostCounted``.
        public var kept: Int

        /// The limit of ``kept``: a plan needs to know only whether there are a few.
        public static let mostCounted = 5
    }

    /// Trainings by what makes them what they are.
    public fileprivate(set) var trainings: [RunKey: Training] = [:]
    /// Evaluations by identity.
    public fileprivate(set) var scorings: [String: Scoring] = [:]
    /// Metrics by signature.
    public fileprivate(set) var metrics: [String: ScoredMetric.ID] = [:]

    /// A store without anything in it.
    public init() {}
}

extension RunStore {
    /// All trainings and evaluations, in short.
    public func inventory() throws(StoreError) -> StoreInventory {
        try read { db in
            var inventory = StoreInventory()
            try readTrainings(db, into: &inventory)
            try readScorings(db, into: &inventory)
            for metric in try metrics(db) { inventory.metrics[metric.signature] = metric.id }
            return inventory
        }
    }

    /// The current state of one training; nil where the store has none of that key.
    public func training(_ key: RunKey) throws(StoreError) -> StoreInventory.Training? {
        try read { db in
            var inventory = StoreInventory()
            try readTrainings(
                db, "WHERE identity = ? AND seed = ? AND dataFingerprint = ?",
                [key.identity, Int64(bitPattern: key.seed), key.dataFingerprint], into: &inventory)
            return inventory.trainings[key]
        }
    }

    private func readTrainings(
        _ db: Database, _ tail: String = "", _ arguments: StatementArguments = [], into inventory: inout StoreInventory
    ) throws {
        var living: [Int64: Bool] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT run.id, run.name, shortID, identity, seed, dataFingerprint, status, reason, ownerID,
                checkpoint.step, checkpoint.path
                FROM run LEFT JOIN checkpoint ON runID = run.id AND kind = 'last' AND superseded = 0
                \(tail)
                """, arguments: arguments)
        while let row = try rows.next() {
            let cells = Cells(row, of: "run")
            var (status, reason): (RunStatus, String?) = (try cells[6], try cells[7])
            if status == .running, let owner: Int64 = try cells[8] {
                let isAlive = living[owner] ?? locks.isAlive(owner)
                living[owner] = isAlive
                if !isAlive { (status, reason) = (.interrupted, "its process has ended") }
            }
            let key = RunKey(
                identity: try cells[3], seed: UInt64(bitPattern: try cells[4]), dataFingerprint: try cells[5])
            let (short, path): (RunShortID, RelativePath?) = (try cells[2], try cells[10])
            inventory.trainings[key] = .init(
                run: try cells[0], name: try cells[1], shortID: short.text, status: status, reason: reason,
                lastStep: try cells[9], lastPath: path?.text)
        }
    }

    /// One probe of the index for each evaluation and metric, instead of a walk through all scores.
    private func readScorings(_ db: Database, into inventory: inout StoreInventory) throws {
        var metrics: [Int64: Set<ScoredMetric.ID>] = [:]
        let scored = try Row.fetchCursor(
            db,
            sql: """
                SELECT evaluation.id, metric.id FROM evaluation CROSS JOIN metric WHERE EXISTS (
                SELECT 1 FROM score WHERE evaluationID = evaluation.id AND metricID = metric.id)
                """)
        while let row = try scored.next() {
            let cells = Cells(row, of: "score")
            try metrics[cells[0], default: []].insert(cells[1])
        }
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, identity, status, (SELECT count(*) FROM (SELECT 1 FROM fileResult
                WHERE evaluationID = evaluation.id AND output IS NOT NULL LIMIT \(StoreInventory.Scoring.mostCounted)))
                FROM evaluation
                """)
        while let row = try rows.next() {
            let cells = Cells(row, of: "evaluation")
            let id: Int64 = try cells[0]
            try inventory.scorings[cells[1]] = .init(
                evaluation: StoreID(id), status: cells[2], metrics: metrics[id] ?? [], kept: cells[3])
        }
    }

    /// Runs of a name, the newest first.
    public func runs(called name: String, before later: Run.ID? = nil, limit: Int = 20) throws(StoreError) -> [Run.ID] {
        try read { db in
            try Int64.fetchAll(
                db, sql: "SELECT id FROM run WHERE name = ? AND id < ? ORDER BY created DESC, id DESC LIMIT ?",
                arguments: [name, later?.rawValue ?? .max, limit]
            ).map(Run.ID.init)
        }
    }
}

// MARK: - Measured speed

/// How fast a run was, as measured.
public struct MeasuredSpeed: Hashable, Sendable {
    /// Wall-clock seconds of one optimizer step; nil where none was made.
    public var secondsPerStep: Double?
    /// Seconds of one thread for each second of audio and step N of the sampler, by sampler.
    public var secondsPerSamplerStep: [String: Double]
    /// The threads of the run's provenance, by which the times above may be scaled to another machine.
    public var threads: Int
}

extension RunStore {
    /// The speed of a run's last two hundred steps and of all its evaluations.
    public func measuredSpeed(of run: Run.ID) throws(StoreError) -> MeasuredSpeed {
        try read { db in
            let step = try Double.fetchOne(
                db,
                sql: """
                    SELECT avg(seconds) FROM (SELECT seconds FROM trainingStep WHERE runID = ?
                    AND seconds > 0 ORDER BY step DESC LIMIT 200)
                    """, arguments: [run.rawValue])
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT sampler, avg(realTimeFactor / steps) FROM fileResult
                    JOIN evaluation ON evaluation.id = evaluationID
                    WHERE runID = ? AND steps > 0 AND sampler IS NOT NULL GROUP BY sampler
                    """, arguments: [run.rawValue])
            var sampling: [String: Double] = [:]
            while let row = try rows.next() {
                let cells = Cells(row, of: "evaluation")
                try sampling[cells[0]] = cells[1]
            }
            let threads = try Int.fetchOne(
                db, sql: "SELECT threads FROM run JOIN provenance ON provenance.id = provenanceID WHERE run.id = ?",
                arguments: [run.rawValue])
            return MeasuredSpeed(secondsPerStep: step, secondsPerSamplerStep: sampling, threads: threads ?? 1)
        }
    }
}
