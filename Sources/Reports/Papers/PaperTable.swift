public import Reported
public import Runs

/// A table of a paper: what it reports, what we have, and in what the two differ.
///
/// A cell without a reported or a computed number is empty; no number is guessed.
public struct PaperTable: Sendable {
    /// The properties of this program's metrics that the table needs.
    public struct Metrics: Sendable {
        /// The signature with which this version computes a metric at a sample rate; nil for one that it cannot
        /// compute.
        public var signature: @Sendable (_ metric: String, _ sampleRate: Int) -> String?
        /// Metrics for which the noisy input is no floor.
        public var unfloored: Set<String>

        public init(unfloored: Set<String>, signature: @escaping @Sendable (String, Int) -> String?) {
            (self.unfloored, self.signature) = (unfloored, signature)
        }

        func canCompute(_ metric: String) -> Bool {
            signature(metric, 16_000) != nil || signature(metric, 48_000) != nil
        }
    }

    /// One metric on one test set.
    public struct Column: Hashable, Sendable {
        /// What the paper calls the set, and what the store does.
        public var set: TableDeclaration.TestSet
        /// The metric's name.
        public var metric: String
        /// Whether this program computes it; a column that it does not is reported only.
        public var isComputable: Bool
    }

    /// What the paper reports and what we have for one row and column.
    public struct Cell: Sendable {
        /// nil where the paper has no such figure.
        public var reported: Reported?
        /// nil where the store has no such scores.
        public var ours: Ours?
        /// Why there is no number of ours where there should be one; nil otherwise.
        public var missingReason: String?
    }

    /// A figure of the paper, with where it comes from.
    public struct Reported: Hashable, Sendable {
        /// As printed.
        public var value: ReportedValue
        /// The line of the paper's file that holds it.
        public var figures: PaperFigures
    }

    /// Our number, over the files of one evaluation or over the evaluations of several seeds.
    public struct Ours: Sendable {
        /// Of one seed: mean and spread over files. Of several: the mean of their means, and the spread between them.
        public var mean: Double
        /// NaN where it cannot be known: one file, or one seed.
        public var spread: Double
        /// How many files have a finite score with every seed.
        public var files: Int
        /// How many runs are taken together.
        public var seeds: Int
        /// The decimals to print.
        public var digits: Int
        /// Ours minus the reported mean; nil where nothing is reported.
        public var difference: Difference?
        /// Whether the mean lies within the reported spread; nil where none is reported.
        public var isWithin: Bool?
        /// Why the number is not what this version would compute; nil where it is.
        public var staleness: String?
        /// Whether an evaluation is not finished, or some files of the set have no score.
        public var isPartial: Bool
        /// Whether another program computed the scores.
        public var isImported: Bool
        /// Whether a run is worse than the noisy input on the files that both have.
        public var isBelowAnchor: Bool
        /// One for each seed.
        public var sources: [CellSource]
    }

    /// A difference from a reported mean, which is taken as exact.
    public struct Difference: Hashable, Sendable {
        /// Ours minus the reported mean, in the unit of the metric.
        public var mean: Double
        /// The 95 % interval of our mean over files; nil below six files.
        public var interval: ClosedRange<Double>?
    }

    public let declaration: TableDeclaration
    /// The columns of the first test set, then those of the next.
    public let columns: [Column]
    /// By row and column.
    public let cells: [[Cell]]
    let library: ReportedLibrary
    let rowSources: [RowSource]

    /// - Parameters:
    ///   - store: nil where there is none yet; all of ours is then missing.
    ///   - sources: For each row, the runs of its spec.
    public init(
        _ declaration: TableDeclaration, reporting library: ReportedLibrary, from store: RunStore?,
        sources: [RowSource],
        metrics: Metrics
    ) throws(StoreError) {
        let columns = declaration.sets.flatMap { set in
            declaration.columns.map { Column(set: set, metric: $0, isComputable: metrics.canCompute($0)) }
        }
        var reader = try PaperTableReader(declaration, sources, store, metrics)
        var cells: [[Cell]] = []
        for (place, row) in declaration.rows.enumerated() {
            var line: [Cell] = []
            for column in columns {
                let reported = Self.reported(row, declaration.paper, column, library)
                var cell = Cell(reported: reported)
                // What this program cannot compute may have been imported.
                cell.ours = try reader.ours(of: row, at: place, column, against: reported?.value)
                if cell.ours == nil, column.isComputable, row.source != .none {
                    cell.missingReason = sources[place].failure ?? "not computed yet"
                }
                line.append(cell)
            }
            cells.append(line)
        }
        (self.declaration, self.columns, self.cells, self.library) = (declaration, columns, cells, library)
        rowSources = sources
    }

    private static func reported(
        _ row: TableDeclaration.Row, _ paper: String, _ column: Column, _ library: ReportedLibrary
    ) -> Reported? {
        guard let name = row.reported,
            let figures = library.figures(
                of: name, in: row.paper ?? paper, set: column.set.reported, conditions: row.conditions),
            let value = figures.values[column.metric]
        else { return nil }
        return Reported(value: value, figures: figures)
    }
}

/// The runs of a row's spec, their evaluations, and what the spec computes.
public struct RowSource: Sendable {
    /// A run as the spec has it.
    public struct SpecifiedRun: Sendable {
        /// The name that the run has in the store.
        public var name: String
        /// The identity of the training.
        public var identity: String
        /// The seed of the training.
        public var seed: UInt64
        /// The evaluations of the spec.
        public var points: [Point]

        public init(name: String, identity: String, seed: UInt64, points: [Point]) {
            (self.name, self.identity, self.seed, self.points) = (name, identity, seed, points)
        }
    }

    /// An evaluation as the spec has it.
    public struct Point: Sendable {
        /// The name of the test set.
        public var set: String
        /// The number of reverse steps; nil for a system that takes none.
        public var steps: Int?
        /// The guidance scale; nil for a system without guidance.
        public var guidance: Double?
        /// What an evaluation's identity begins with.
        public var identity: String

        public init(set: String, steps: Int?, guidance: Double?, identity: String) {
            (self.set, self.steps, self.guidance, self.identity) = (set, steps, guidance, identity)
        }
    }

    /// One for each seed; none where the row has no spec.
    public var runs: [SpecifiedRun]
    /// The metrics of the spec.
    public var metrics: Set<String>
    /// How often the network is called for a file, by N.
    public var evaluationsOfNetwork: [Int: Int]
    /// Why the spec cannot be read; nil where it can, or where the row has none.
    public var failure: String?

    public init(
        runs: [SpecifiedRun] = [], metrics: Set<String> = [], evaluationsOfNetwork: [Int: Int] = [:],
        failure: String? = nil
    ) {
        (self.runs, self.metrics, self.failure) = (runs, metrics, failure)
        self.evaluationsOfNetwork = evaluationsOfNetwork
    }
}

/// Where one of our numbers comes from.
public struct CellSource: Sendable {
    /// nil for anchors and for systems from elsewhere.
    public var run: Run?
    /// The name of the run, or of the system without one.
    public var system: String
    /// Kind and step, such as `last@58000`; nil where none was used.
    public var checkpoint: String?
    /// How the metric was computed.
    public var signature: String
    /// How many files have a finite score.
    public var files: Int
    /// The version of the set that was scored.
    public var testSet: TestSet
    /// With what program, where and how it was scored.
    public var provenance: Provenance
}
