import Foundation
import GRDB

extension RunStore {
    /// Records how many evaluations of each run a plan still has to do, where that differs from what the store holds.
    ///
    /// An event of the run, so that the evaluations that end later are counted off.
    public func setOpenEvaluations(_ counts: [Run.ID: Int]) throws(StoreError) {
        let known = try openEvaluations()
        for (run, count) in counts where known[run, default: 0] != count {
            let event = EventRecord(kind: "agenda", message: "\(count) evaluations to do")
            _ = try record(TrainingBatch(events: [event]), of: run)
        }
    }

    /// How many evaluations of the last plan of each run are not finished; runs without any are left out.
    public func openEvaluations() throws(StoreError) -> [Run.ID: Int] {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT runID, open - (
                        SELECT count(*) FROM evaluation \
                    WHERE evaluation.runID = agenda.runID AND status = 'finished' AND ended >= since)
                    FROM (
                        SELECT runID, CAST(message AS INTEGER) AS open, max(time) AS since \
                    FROM event WHERE kind = 'agenda' GROUP BY runID
                    ) AS agenda WHERE open > 0
                    """)
            let counts = rows.map { (Run.ID($0[0] as Int64), $0[1] as Int) }
            return Dictionary(counts.filter { $0.1 > 0 }, uniquingKeysWith: { $1 })
        }
    }

    /// Ends as finished the evaluations that were interrupted for `reason` and of which every file has every metric by
    /// now, as when several stores scored some of the files each.
    ///
    /// - Returns: How many were finished.
    @discardableResult
    public func finishScoredEvaluations(interruptedFor reason: String) throws(StoreError) -> Int {
        try write { db in
            let whole = try Int64.fetchAll(
                db,
                sql: """
                    SELECT id FROM evaluation WHERE status = 'interrupted' AND reason = ?
                    AND EXISTS (SELECT 1 FROM score WHERE evaluationID = evaluation.id)
                    AND (SELECT count(*) FROM score WHERE evaluationID = evaluation.id)
                    = (SELECT count(DISTINCT metricID) FROM score WHERE evaluationID = evaluation.id)
                    * (SELECT count(*) FROM testFile WHERE testFile.setID = evaluation.setID)
                    """, arguments: [reason])
            for id in whole {
                try db.execute(
                    sql: "UPDATE evaluation SET status = 'finished', reason = NULL, ended = ? WHERE id = ?",
                    arguments: [Date().stored, id])
                try insertScoreSums(of: StoreID(id), db)
            }
            return whole.count
        }
    }
}
