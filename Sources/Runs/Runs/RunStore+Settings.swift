import GRDB

extension RunStore {
    /// The value of a setting of a run's resolved spec as a text: of the path, of `path.name`, or of the only path that
    /// ends with it. A list is its elements with commas between; nil where the spec has no such setting.
    public func setting(_ path: String, of run: Run.ID) throws(StoreError) -> String? {
        try read { db in
            let paths = try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT path FROM parameter JOIN parameterPath ON parameterPath.id = pathID WHERE runID = ?1
                    AND (path IN (?2, ?2 || '.name') OR substr(path, -length(?2) - 1) = '.' || ?2)
                    """, arguments: [run.rawValue, path])
            guard
                let found = paths.first(where: { $0 == path || $0 == path + ".name" })
                    ?? (paths.count == 1 ? paths[0] : nil)
            else { return nil }
            return try String.fetchAll(
                db,
                sql: """
                    SELECT CAST(value AS TEXT) FROM parameter JOIN parameterPath ON parameterPath.id = pathID
                    WHERE runID = ? AND path = ? ORDER BY position
                    """, arguments: [run.rawValue, found]
            ).joined(separator: ",")
        }
    }
}
