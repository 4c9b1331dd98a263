import GRDB

extension RunStore {
    /// A finished run that was never trained, for a measurement or a test.
    package struct SyntheticRun: Sendable {
        package var name: String
        package var key: RunKey
        /// Identities of evaluations, each with the one whose scores it takes over.
        package var evaluations: [(identity: String, like: String)]

        package init(name: String, key: RunKey, evaluations: [(identity: String, like: String)]) {
            (self.name, self.key, self.evaluations) = (name, key, evaluations)
        }
    }

    /// Adds finished runs in one transaction; they have scores and no history.
    package func fill(_ runs: [SyntheticRun], provenance: Provenance) throws(StoreError) {
        try write { db in
            let finish = try db.cachedStatement(sql: "UPDATE run SET status = 'finished' WHERE id = ?")
            let copy = try db.cachedStatement(
                sql: """
                    INSERT INTO evaluation (identity, runID, setID, steps, sampler, weights, status, provenanceID)
                    SELECT ?, ?, setID, steps, sampler, weights, 'finished', provenanceID FROM evaluation WHERE \
                    identity = ?
                    """)
            let scores = try db.cachedStatement(
                sql: """
                    INSERT INTO score (evaluationID, metricID, fileID, value, reason)
                    SELECT ?, metricID, fileID, value, reason FROM score
                    WHERE evaluationID = (SELECT id FROM evaluation WHERE identity = ?)
                    """)
            for one in runs {
                let spec = StoredSpec(written: "", resolved: "{}")
                let run = try insert(RunDraft(name: one.name, key: one.key, spec: spec, provenance: provenance), db)
                try finish.execute(arguments: [run.rawValue])
                for (identity, like) in one.evaluations {
                    try copy.execute(arguments: [identity, run.rawValue, like])
                    try scores.execute(arguments: [db.lastInsertedRowID, like])
                }
            }
        }
    }
}
