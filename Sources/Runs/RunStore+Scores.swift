import Foundation
import GRDB

extension RunStore {
    /// Records scores and costs of an evaluation in one transaction; repeated ones take the place of the earlier.
    ///
    /// "Not a number" is recorded as a failure that says so.
    public func record(
        scores: [Score], results: [FileResult] = [], of evaluation: Evaluation.ID
    ) throws(StoreError) {
        try write { db in
            try insert(scores, of: evaluation, db)
            let statement = try db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO fileResult (evaluationID, fileID, nfe, seconds, realTimeFactor, output)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """)
            for one in results {
                try statement.execute(arguments: [
                    evaluation.rawValue, one.file.rawValue, one.nfe, one.seconds, one.realTimeFactor, one.output,
                ])
            }
        }
    }

    /// Inserts in groups of fifty rows, which halves the time that a row takes.
    func insert(_ scores: [Score], of evaluation: Evaluation.ID, _ db: Database) throws {
        let group = 50
        let many = try db.cachedStatement(sql: Self.scoreInsertion(rows: group))
        let one = try db.cachedStatement(sql: Self.scoreInsertion(rows: 1))
        var rest = scores[...]
        while !rest.isEmpty {
            let size = rest.count >= group ? group : 1
            let values = rest.prefix(size).flatMap { $0.row(of: evaluation) }
            try (size == group ? many : one).execute(arguments: StatementArguments(values))
            rest = rest.dropFirst(size)
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
                rows.map { row in
                    Score(
                        file: StoreID(row[0]), metric: StoreID(row[1]),
                        outcome: (row[2] as Double?).map(ScoreOutcome.value)
                            ?? .failed(row[3] ?? "no reason was recorded"))
                })
        }
    }

    public func results(of evaluation: Evaluation.ID) throws(StoreError) -> [FileResult] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT fileID, nfe, seconds, realTimeFactor, output FROM fileResult WHERE evaluationID = ?
                    ORDER BY fileID
                    """, arguments: [evaluation.rawValue]
            ).map {
                FileResult(
                    file: StoreID($0[0]), nfe: $0[1], seconds: $0[2], realTimeFactor: $0[3], output: $0[4])
            }
        }
    }

    /// The files of an evaluation whose results are in; an interrupted one goes on with the others.
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
    /// The columns of the table `score`.
    fileprivate func row(of evaluation: Evaluation.ID) -> [DatabaseValue] {
        let (value, reason): (Double?, String?) =
            switch outcome {
            case .value(let value) where value.isNaN: (nil, "the result is not a number")
            case .value(let value): (value, nil)
            case .failed(let reason): (nil, reason)
            }
        return [
            evaluation.rawValue.databaseValue, metric.rawValue.databaseValue, file.rawValue.databaseValue,
            value?.databaseValue ?? .null, reason?.databaseValue ?? .null,
        ]
    }
}
