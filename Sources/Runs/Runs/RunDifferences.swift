import GRDB

/// The differences of two runs, apart from their results.
public struct RunDifferences: Hashable, Sendable {
    /// One value in which the two differ.
    public struct Item: Hashable, Sendable {
        /// A path of the resolved spec, or a name such as `seed`.
        public var path: String
        /// nil where the run has no such value; a list's elements are joined by commas.
        public var first: String?
        /// As ``first``, of the other run.
        public var second: String?

        public init(path: String, first: String?, second: String?) {
            (self.path, self.first, self.second) = (path, first, second)
        }
    }

    /// What decides the weights.
    public var meaning: [Item]
    /// What decides the scores besides the weights.
    public var protocols: [Item]
    /// What is computed: sets, values of N, metrics, anchors. It changes no score that both have.
    public var selection: [Item]
    /// With what program, and where, the runs were made.
    public var provenance: [Item]
}

extension RunStore {
    /// Compares the resolved specs, seeds, data and provenance of two runs.
    public func differences(between first: Run.ID, and second: Run.ID) throws(StoreError) -> RunDifferences {
        try read { db in
            let (a, b) = (try run(first, db), try run(second, db))
            let (mine, yours) = (try parameters(of: first, db), try parameters(of: second, db))
            let items = Set(mine.keys).union(yours.keys).sorted()
                .filter { !Self.descriptive.contains($0) }
                .map { RunDifferences.Item(path: $0, first: mine[$0], second: yours[$0]) }
                .filter { $0.first != $0.second }
            let isProtocol = { (item: RunDifferences.Item) in item.path.hasPrefix("evaluate.") }
            let isSelection = { (item: RunDifferences.Item) in
                Self.selecting.contains { item.path == $0 || item.path.hasPrefix($0 + ".") }
            }
            let keys = Self.items([
                ("seed", String(a.key.seed), String(b.key.seed)),
                ("data fingerprint", a.key.dataFingerprint, b.key.dataFingerprint),
            ])
            return RunDifferences(
                meaning: items.filter { !isProtocol($0) } + keys,
                protocols: items.filter { isProtocol($0) && !isSelection($0) },
                selection: items.filter(isSelection),
                provenance: Self.items([
                    ("git commit", a.provenance.gitCommit, b.provenance.gitCommit),
                    ("dirty tree", String(a.provenance.isDirty), String(b.provenance.isDirty)),
                    ("version", a.provenance.version, b.provenance.version),
                    ("machine", a.provenance.machine, b.provenance.machine),
                    ("threads", String(a.provenance.threads), String(b.provenance.threads)),
                ]))
        }
    }

    /// Parameters that describe a run and decide nothing.
    private static let descriptive: Set<String> = ["name", "title", "notes", "description"]

    /// Lists of what is computed. A set that both name under one content is the same column, whatever else is listed.
    private static let selecting = [
        "evaluate.sets", "evaluate.N", "evaluate.metrics", "evaluate.anchors", "evaluate.keep_audio",
    ]

    private static func items(_ values: [(String, String, String)]) -> [RunDifferences.Item] {
        values.filter { $0.1 != $0.2 }.map { RunDifferences.Item(path: $0.0, first: $0.1, second: $0.2) }
    }

    func parameters(of run: Run.ID, _ db: Database) throws -> [String: String] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT path, CAST(value AS TEXT) FROM parameter JOIN parameterPath ON parameterPath.id = pathID
                WHERE runID = ? ORDER BY pathID, position
                """, arguments: [run.rawValue])
        var values: [String: [String]] = [:]
        while let row = try rows.next() {
            let cells = Cells(row, of: "parameter")
            let value: String? = try cells[1]
            try values[cells[0], default: []].append(value ?? "null")
        }
        // Nothing but nulls is no value, however many there are.
        return values.filter { !$0.value.allSatisfy { $0 == "null" } }.mapValues { $0.joined(separator: ", ") }
    }
}
