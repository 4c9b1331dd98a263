import GRDB

/// The checksum of one metric's scores in one evaluation: any change of one score, or of the file it is of, changes it.
///
///     h ← (h ⊕ word) · p, twisted by 29 bits,   for each file in order: its row number, then the score's 64 bits
///
/// Each step maps hashes one to one (p is odd), so two sequences that differ in one word never have one hash.
struct ScoreSum: Hashable, Sendable {
    private(set) var count = 0
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    /// - Parameter value: nil for a score that could not be computed.
    mutating func add(file: Int64, value: Double?) {
        count += 1
        mix(UInt64(bitPattern: file))
        mix(value?.bitPattern ?? 0x7FF8_0000_0000_0001)
    }

    private mutating func mix(_ word: UInt64) {
        hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
    }

    /// As the store keeps it.
    var stored: Int64 { Int64(bitPattern: hash) }
}

/// The checksums of scores: recorded when an evaluation ends, and compared when its scores are read.
extension RunStore {
    private struct Pair: Hashable {
        var evaluation: Int64
        var metric: Int64
    }

    /// Records the checksums of an evaluation's scores, in place of those it had.
    func insertScoreSums(of evaluation: Evaluation.ID, _ db: Database) throws {
        try deleteScoreSums(of: evaluation, db)
        let insert = try db.cachedStatement(
            sql: "INSERT INTO scoreSum (evaluationID, metricID, count, hash) VALUES (?, ?, ?, ?)")
        for (pair, sum) in try sums(where: "WHERE evaluationID = \(evaluation.rawValue)", db) {
            try insert.execute(arguments: [pair.evaluation, pair.metric, sum.count, sum.stored])
        }
    }

    /// Deletes the checksums of an evaluation that is resumed; it gets new ones when it ends.
    func deleteScoreSums(of evaluation: Evaluation.ID, _ db: Database) throws {
        try db.cachedStatement(sql: "DELETE FROM scoreSum WHERE evaluationID = ?").execute(arguments: [
            evaluation.rawValue
        ])
    }

    /// Records checksums for scores that were added from elsewhere to evaluations that had ended.
    func completeScoreSums(_ db: Database) throws {
        let changed = try Int64.fetchAll(
            db,
            sql: """
                SELECT DISTINCT id FROM evaluation WHERE status = 'finished' AND id IN (SELECT new FROM \
                temp.evaluationMap)
                AND ((SELECT count(*) FROM score WHERE evaluationID = id)
                    <> coalesce((SELECT sum(count) FROM scoreSum WHERE evaluationID = id), 0))
                """)
        for id in changed { try insertScoreSums(of: StoreID(id), db) }
    }

    /// The metrics of an evaluation whose scores do not match the checksum that was recorded when it ended.
    public func damagedScores(of evaluation: Evaluation.ID) throws(StoreError) -> Set<ScoredMetric.ID> {
        try read { db in
            let stored = try storedSums(where: "WHERE evaluationID = \(evaluation.rawValue)", db)
            let found = try stored.isEmpty ? [:] : sums(where: "WHERE evaluationID = \(evaluation.rawValue)", db)
            return Set(stored.filter { !$0.value.matches(found[$0.key]) }.map { ScoredMetric.ID($0.key.metric) })
        }
    }

    /// Compares all scores of the store with their checksums.
    ///
    /// - Returns: A sentence for each mismatch, and how many ended evaluations have no checksum.
    public func scoreProblems() throws(StoreError) -> (problems: [String], unknown: Int) {
        try read { db in
            guard try db.tableExists("scoreSum") else {
                return ([], try Int.fetchOne(db, sql: "SELECT count(*) FROM evaluation") ?? 0)
            }
            let stored = try storedSums(where: "", db)
            let found = try sums(where: "", db)
            let problems = stored.filter { !$0.value.matches(found[$0.key]) }.keys
                .sorted { ($0.evaluation, $0.metric) < ($1.evaluation, $1.metric) }
                .map { "the scores of metric \($0.metric) in evaluation \($0.evaluation) do not match their checksum" }
            let unknown = try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM evaluation WHERE status = 'finished' AND id NOT IN (SELECT evaluationID FROM \
                    scoreSum)
                    AND EXISTS (SELECT 1 FROM score WHERE evaluationID = evaluation.id)
                    """)
            return (problems, unknown ?? 0)
        }
    }

    /// What was recorded of the scores of some evaluations and is not what `series` has.
    func damaged(
        among evaluations: [Evaluation.ID], metrics: [ScoredMetric.ID],
        _ series: [ScoreSnapshot.Key: ScoreSnapshot.Series], _ db: Database
    ) throws -> Set<ScoreSnapshot.Key> {
        let asked = Set(metrics)
        let stored = try storedSums(where: "WHERE evaluationID IN (\(list(evaluations)))", db)
        var damaged: Set<ScoreSnapshot.Key> = []
        for (pair, sum) in stored where asked.contains(ScoredMetric.ID(pair.metric)) {
            let key = ScoreSnapshot.Key(evaluation: StoreID(pair.evaluation), metric: StoreID(pair.metric))
            var found = ScoreSum()
            if let one = series[key] {
                for (file, value) in zip(one.files, one.values) {
                    found.add(file: file.rawValue, value: value.isNaN ? nil : value)
                }
            }
            if !sum.matches(found) { damaged.insert(key) }
        }
        return damaged
    }

    /// A checksum as it was recorded.
    private struct Recorded {
        var count: Int
        var hash: Int64

        func matches(_ sum: ScoreSum?) -> Bool { sum?.count == count && sum?.stored == hash }
    }

    private func storedSums(where condition: String, _ db: Database) throws -> [Pair: Recorded] {
        guard try db.tableExists("scoreSum") else { return [:] }
        let rows = try Row.fetchCursor(db, sql: "SELECT evaluationID, metricID, count, hash FROM scoreSum \(condition)")
        var sums: [Pair: Recorded] = [:]
        while let row = try rows.next() {
            let cells = Cells(row, of: "scoreSum")
            sums[Pair(evaluation: try cells[0], metric: try cells[1])] = Recorded(
                count: try cells[2], hash: try cells[3])
        }
        return sums
    }

    private func sums(where condition: String, _ db: Database) throws -> [Pair: ScoreSum] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT evaluationID, metricID, fileID, value FROM score \(condition)
                ORDER BY evaluationID, metricID, fileID
                """)
        var sums: [Pair: ScoreSum] = [:]
        while let row = try rows.next() {
            let cells = Cells(row, of: "score")
            let pair = Pair(evaluation: try cells[0], metric: try cells[1])
            sums[pair, default: ScoreSum()].add(file: try cells[2], value: try cells[3])
        }
        return sums
    }
}
