import Reported

extension PaperTable {
    /// Cells of one row and set that have no number of ours, or one that is stale, and the commands that compute it.
    public struct OpenCells: Hashable, Sendable {
        /// The place of the row in the table, from 0.
        public var row: Int
        /// What the table prints for the row.
        public var label: String
        /// What the paper calls the test set.
        public var set: String
        /// The metrics of the open cells.
        public var metrics: [String]
        /// Why the cells are open.
        public var reason: String
        /// Commands to be given one after the other; none where the row cannot be filled by a command.
        public var commands: [[String]]
        /// How often the network is called for each file; nil where no network is, or where it is not known.
        public var evaluationsOfNetwork: Int?
    }

    /// How long the commands for a row take, from measured speeds.
    public struct Cost: Hashable, Sendable {
        /// s; nil where nothing like it was measured.
        public var seconds: Double?
        /// How many steps are to be done, or why the spec cannot be run.
        public var remark: String

        public init(seconds: Double?, remark: String) { (self.seconds, self.remark) = (seconds, remark) }
    }

    /// The open cells, row by row.
    public var openCells: [OpenCells] {
        declaration.rows.indices.flatMap { place -> [OpenCells] in
            declaration.sets.compactMap { set -> OpenCells? in
                let open = zip(columns, cells[place]).filter { column, cell in
                    column.set == set
                        && (cell.missingReason != nil || cell.ours?.staleness != nil || cell.ours?.isPartial == true)
                }
                guard let first = open.first else { return nil }
                let row = declaration.rows[place]
                let metrics = open.map(\.0.metric)
                let reason = first.1.missingReason ?? first.1.ours?.staleness ?? "some files of the set are not in yet"
                return OpenCells(
                    row: place, label: row.label, set: set.reported, metrics: metrics, reason: reason,
                    commands: commands(row, rowSources[place], set, metrics),
                    evaluationsOfNetwork: row.steps.flatMap { rowSources[place].evaluationsOfNetwork[$0] })
            }
        }
    }

    private func commands(
        _ row: TableDeclaration.Row, _ source: RowSource, _ set: TableDeclaration.TestSet, _ metrics: [String]
    ) -> [[String]] {
        switch row.source {
        case .none, .run: return []
        case .anchor: return set.anchorSpec.map { [["sgmse", "run", $0]] } ?? []
        case .system(let name): return [["sgmse", "import", "enhanced", "DIR", "--system", name, "--set", set.stored]]
        case .spec(let path):
            var overrides = row.overrides
            if let steps = row.steps, !source.runs.isEmpty,
                !source.runs.contains(where: { $0.points.contains { $0.steps == steps } })
            {
                overrides.append("evaluate.N=[\(steps)]")
            }
            if !metrics.allSatisfy(source.metrics.contains) {
                overrides.append("evaluate.metrics=[\(source.metrics.union(metrics).sorted().joined(separator: ", "))]")
            }
            return [["sgmse", "run", path] + overrides.flatMap { ["--set", $0] }]
        case .checkpoint(let id):
            let steps = row.steps.map { ["--set", "evaluate.N=[\($0)]"] } ?? []
            let wanted = ["--set", "evaluate.metrics=[\(metrics.joined(separator: ", "))]"]
            return [
                ["sgmse", "checkpoint", "list", id],
                ["sgmse", "checkpoint", "import", "FILE", "--output", "models/\(id)"],
                ["sgmse", "run", "models/\(id)/spec.yaml", "--set", "name=\(id)", "--set", "data.path=none"]
                    + (set.corpus.map { ["--set", "data.corpus=\($0)"] } ?? []) + steps + wanted,
            ]
        }
    }

    /// The open cells with what fills them.
    ///
    /// - Parameter costs: By row.
    public func openCellTable(costs: [Int: Cost]) -> Table {
        var table = Table(
            title: "open cells",
            columns: ["row", "set", "metrics", "why", "command"].map { Table.Column($0, alignment: .leading) }
                + [Table.Column("NFE a file"), Table.Column("time"), Table.Column("cost", alignment: .leading)])
        for one in openCells {
            let cost = costs[one.row]
            table.rows.append(
                Table.Row([
                    .text(one.label), .text(one.set), .text(one.metrics.joined(separator: " ")), .text(one.reason),
                    .text(one.commands.map { $0.map(\.shellWord).joined(separator: " ") }.joined(separator: " && ")),
                    one.evaluationsOfNetwork.map { .integer($0) } ?? .empty,
                    .text(cost?.seconds.map(\.clockText) ?? ""),
                    .text(cost?.remark ?? ""),
                ]))
        }
        return table
    }
}

extension String {
    /// The text as one word of a shell's command line.
    package var shellWord: String {
        let isPlain =
            !isEmpty
            && unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || "/._-=:,+@%".unicodeScalars.contains(scalar))
            }
        return isPlain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

extension Double {
    /// Seconds as hours, minutes and seconds: `2:30:00`.
    package var clockText: String {
        let whole = Int(Swift.min(self, 1e12).rounded(.up))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (minutes, rest) = (whole / 60, whole % 60)
        return minutes < 60 ? "\(minutes):\(two(rest))" : "\(minutes / 60):\(two(minutes % 60)):\(two(rest))"
    }
}
