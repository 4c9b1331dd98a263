import GRDB

extension RunStore {
    /// The vector instructions, or devices, that the evaluations of runs and of all anchors were computed with, sorted;
    /// those of evaluations that do not say are left out.
    ///
    /// The description of a machine ends with them: `host, processor, 8 cores, avx2`, or `…, cuda:0`.
    public func instructionSets(ofEvaluationsOf runs: [Run.ID]) throws(StoreError) -> [String] {
        let machines = try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT machine FROM evaluation JOIN provenance ON provenance.id = provenanceID
                    WHERE runID IN (SELECT value FROM json_each(?)) OR anchor IS NOT NULL
                    """, arguments: ["\(runs.map(\.rawValue))"]
            ).map { try Cells($0, of: "provenance")[0] as String }
        }
        let known = ["baseline", "avx2", "avx512", "torch-cpu"]
        return Set(machines.compactMap { $0.split(separator: " ").last.map(String.init) })
            .filter { known.contains($0) || $0.hasPrefix("cuda:") }.sorted()
    }
}
