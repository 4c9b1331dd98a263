import Foundation
import GRDB

extension RunStore {
    /// Records scores and costs of an evaluation in one transaction; repeated ones take the place of the earlier.
    ///
    /// A NaN is recorded as a failure with that reason.
    public func record(
        scores: [Score], results: [FileResult] = [], of evaluation: Evaluation.ID
    ) throws(StoreError) {
        try write { db in
            try insert(scores, of: evaluation, db)
            let hasEnded = try Bool.fetchOne(
                db, sql: "SELECT status = 'finished' FROM evaluation WHERE id = ?", arguments: [evaluation.rawValue])
            if !scores.isEmpty, hasEnded == true { try insertScoreSums(of: evaluation, db) }
            let statement = try db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO fileResult (evaluationID, fileID, nfe, seconds, realTimeFactor, output, \
                    reference)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """)
            for one in results {
                try statement.execute(arguments: [
                    evaluation.rawValue, one.file.rawValue, one.nfe, one.seconds, one.realTimeFactor, one.output,
                    one.reference,
                ])
                if let output = one.output { try insertMade(output, db) }
            }
        }
    }

    /// Inserts in groups of fifty rows, which halves the time that a row takes.
    func insert(_ scores: [Score], of evaluation: Evaluation.ID, _ db: Database) throws {
        let group = 50
        let many = try db.cachedStatement(sql: Self.scoreInsertion(rows: group))
        let one = try db.cachedStatement(sql: Self.scoreInsertion(rows: 1))
        var (values, next) = ([DatabaseValue](), 0)
        values.reserveCapacity(5 * group)
        while next < scores.count {
            let size = scores.count - next >= group ? group : 1
            values.removeAll(keepingCapacity: true)
            for score in scores[next..<next + size] { score.append(to: &values, of: evaluation) }
            let statement = size == group ? many : one
            statement.setUncheckedArguments(StatementArguments(values))  // the count is right by construction
            try statement.execute()
            next += size
        }
    }

    private static func scoreInsertion(rows: Int) -> String {
        let values = Array(repeating: "(?, ?, ?, ?, ?)", count: rows).joined(separator: ", ")
        return """
            INSERT INTO score (evaluationID, metricID, fileID, value, reason) VALUES \(values)
            ON CONFLICT DO UPDATE SET value = excluded.value, reason = excluded.reason
            """
    }

    /// The scores of an evaluation, by metric and file.
    public func scores(of evaluation: Evaluation.ID) throws(StoreError) -> [Score] {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT fileID, metricID, value, reason FROM score WHERE evaluationID = ?
                    ORDER BY metricID, fileID
                    """, arguments: [evaluation.rawValue])
            return try Array(
                rows.map { Cells($0, of: "score") }.map { cells in
                    let (value, reason): (Double?, String?) = (try cells[2], try cells[3])
                    return try Score(
                        file: cells[0], metric: cells[1],
                        outcome: value.map(ScoreOutcome.value) ?? .failed(reason ?? "no reason was recorded"))
                })
        }
    }

    /// The cost and the output of each finished file, in the order of the files.
    public func results(of evaluation: Evaluation.ID) throws(StoreError) -> [FileResult] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT fileID, nfe, seconds, realTimeFactor, output, reference FROM fileResult WHERE evaluationID \
                    = ?
                    ORDER BY fileID
                    """, arguments: [evaluation.rawValue]
            ).map { Cells($0, of: "fileResult") }.map { cells in
                let output: RelativePath? = try cells[4]
                return try FileResult(
                    file: cells[0], nfe: cells[1], seconds: cells[2], realTimeFactor: cells[3], output: output?.text,
                    reference: cells[5])
            }
        }
    }

    /// The files of an evaluation whose results are recorded; a resumed evaluation does the others.
    public func completedFiles(of evaluation: Evaluation.ID) throws(StoreError) -> Set<TestFile.ID> {
        try read { db in
            Set(
                try Int64.fetchAll(
                    db, sql: "SELECT fileID FROM fileResult WHERE evaluationID = ?", arguments: [evaluation.rawValue]
                ).map(TestFile.ID.init))
        }
    }
}

extension Score {
    /// Appends the columns of the table `score`.
    fileprivate func append(to values: inout [DatabaseValue], of evaluation: Evaluation.ID) {
        values.append(evaluation.rawValue.databaseValue)
        values.append(metric.rawValue.databaseValue)
        values.append(file.rawValue.databaseValue)
        switch outcome {
        case .value(let value) where !value.isNaN:
            values.append(value.databaseValue)
            values.append(.null)
        case .value:
            values.append(.null)
            values.append("the result is not a number".databaseValue)
        case .failed(let reason):
            values.append(.null)
            values.append(reason.databaseValue)
        }
    }
}
