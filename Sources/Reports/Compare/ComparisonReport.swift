import Runs

/// Runs and anchors side by side: mean ± std (n) for each test set × N × metric.
///
/// Reads stored scores and nothing else. A cell is marked where the system is worse than the noisy input on the
/// files that both have; scores of ±∞ and failures are left out of means and counted.
public struct ComparisonReport: Sendable {
    public struct Options: Sendable {
        /// Names of test sets and metrics to show; all where nil.
        public var sets: Set<String>?
        public var metrics: Set<String>?
        /// Values of N to show; all where nil.
        public var steps: Set<Int>?
        /// The run against which paired differences are taken.
        public var baseline: Run.ID?
        /// Names of metrics for which the noisy input is no floor: nothing is below it there.
        public var unfloored: Set<String>

        public init(
            sets: Set<String>? = nil, metrics: Set<String>? = nil, steps: Set<Int>? = nil, baseline: Run.ID? = nil,
            unfloored: Set<String> = []
        ) {
            (self.sets, self.metrics, self.steps, self.baseline) = (sets, metrics, steps, baseline)
            self.unfloored = unfloored
        }
    }

    /// A system: an anchor, or a run at one point of the factors other than N.
    public struct Row: Hashable, Sendable {
        public var label: String
        public var run: Run?
        public var anchor: String?
        /// The factors in which the rows of this run differ, as `guidance=1`.
        public var variant: String
    }

    public struct Column: Hashable, Sendable {
        public var set: TestSet
        /// N; nil where no system on the set has steps.
        public var steps: Int?
        public var metric: ScoredMetric
        /// The headings above the metric's name.
        public var groups: [String]
        public var name: String
    }

    /// The scores of one row in one column, by file.
    public struct Cell: Sendable {
        public var series: ScoreSnapshot.Series
        public var statistic: Statistic
        public var marks: Table.Marks
    }

    /// A cell that lies below the noisy input.
    public struct Shortfall: Hashable, Sendable {
        public var row: String
        public var set: String
        public var steps: Int?
        public var metric: String
        /// Means over the files that both have.
        public var value: Double
        public var anchor: Double
    }

    public let rows: [Row]
    public let columns: [Column]
    /// By row and column; nil where nothing was scored.
    public let cells: [[Cell?]]
    public let shortfalls: [Shortfall]
    let baseline: Int?
    let notes: [String]

    /// Compares `runs`, in that order; one that is named twice stands once.
    public init(of runs: [Run.ID], in store: RunStore, options: Options = Options()) throws(StoreError) {
        let snapshot = try store.scores(of: runs, sets: options.sets, metrics: options.metrics)
        let layout = ComparisonLayout(snapshot, options)
        rows = layout.rows
        columns = layout.columns
        var grid = layout.cells
        shortfalls = Self.markShortfalls(in: &grid, layout, except: options.unfloored)
        cells = grid
        baseline = options.baseline.flatMap { id in layout.rows.firstIndex { $0.run?.id == id } }
        let unfloored = Set(layout.columns.map(\.metric.name)).intersection(options.unfloored).sorted()
        notes = layout.notes + unfloored.map { "\($0): the noisy input is perfect by definition there, so it is no floor" }
    }

    /// Marks what is worse than the noisy input, on the files that both have.
    private static func markShortfalls(
        in cells: inout [[Cell?]], _ layout: ComparisonLayout, except unfloored: Set<String>
    ) -> [Shortfall] {
        guard let noisy = layout.rows.firstIndex(where: { $0.anchor == "noisy" }) else { return [] }
        var found: [Shortfall] = []
        for row in layout.rows.indices where row != noisy {
            for (place, column) in layout.columns.enumerated() where !unfloored.contains(column.metric.name) {
                guard let cell = cells[row][place], let anchor = cells[noisy][place] else { continue }
                let pairs = cell.series.paired(with: anchor.series)
                guard !pairs.isEmpty else { continue }
                let value = pairs.reduce(0) { $0 + $1.0 } / Double(pairs.count)
                let floor = pairs.reduce(0) { $0 + $1.1 } / Double(pairs.count)
                guard column.metric.higherIsBetter ? value < floor : value > floor else { continue }
                cells[row][place]?.marks.insert(.belowAnchor)
                found.append(
                    Shortfall(
                        row: layout.rows[row].label, set: column.set.name, steps: column.steps,
                        metric: column.metric.name, value: value, anchor: floor))
            }
        }
        return found
    }
}

extension ScoreSnapshot.Series {
    /// The finite scores of the files that both series have.
    func paired(with other: Self) -> [(Double, Double)] {
        var pairs: [(Double, Double)] = []
        var (i, j) = (0, 0)
        while i < files.count, j < other.files.count {
            if files[i] == other.files[j] {
                if values[i].isFinite, other.values[j].isFinite { pairs.append((values[i], other.values[j])) }
                (i, j) = (i + 1, j + 1)
            } else if files[i] < other.files[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return pairs
    }
}
