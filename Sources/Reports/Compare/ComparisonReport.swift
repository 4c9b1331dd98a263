public import Runs

/// Systems side by side: mean ± std (n) in rows of system × N and columns of set × metric, or of other factors.
///
/// Reads stored scores and nothing else. A cell is marked where the system is worse than the noisy input on the
/// files that both have; scores of ±∞ and failures are left out of means and counted.
public struct ComparisonReport: Sendable {
    /// The rows, keyed by every factor that is none of the columns'.
    struct RowKey: Hashable, Sendable {
        var isAnchor: Bool
        var factors: [String: String]
    }

    /// A system at one point of the factors that the columns do not show.
    public struct Row: Hashable, Sendable {
        /// What the first column shows: the run or anchor, with what distinguishes rows of one name.
        public var label = ""
        /// The texts of the key columns, which identify the row.
        public var keys: [String] = []
        var key: RowKey
        /// The run that was scored; nil for an anchor.
        public var run: Run?
        /// The name of the anchor or of another system without a run; nil for a run.
        public var anchor: String?
        /// One of the evaluations in the row; nil where nothing was scored.
        public var evaluation: Evaluation?

        init(key: RowKey, run: Run?, anchor: String?, evaluation: Evaluation?) {
            (self.key, self.run, self.anchor, self.evaluation) = (key, run, anchor, evaluation)
        }

        /// The factors by name, such as `N` or `guidance`.
        public var factors: [String: String] { key.factors.filter { $0.key != "training" } }
    }

    /// A column of cells: one metric on one set, or the factors that the options put into columns.
    public struct Column: Hashable, Sendable {
        /// The factors that identify it, such as `set` and `metric`.
        public var factors: [String: String]
        /// nil where the rows say which metric it is.
        public var metric: ScoredMetric?
        /// The headings above the name.
        public var groups: [String]
        /// The lowest heading, such as the metric's name.
        public var name: String
    }

    /// The scores with one seed, by file.
    public struct Sample: Sendable {
        /// The seed of the training.
        public var seed: UInt64
        /// By ascending file; a score that failed is NaN.
        public var series: ScoreSnapshot.Series
    }

    /// The scores of one row in one column.
    public struct Cell: Sendable {
        /// The metric with its signature.
        public var metric: ScoredMetric
        /// The test set of the scores.
        public var set: TestSet
        /// One for each seed, where seeds are taken together.
        public var samples: [Sample] = []
        /// What is shown beside the number, such as that it is worse than the noisy input.
        public var marks: Table.Marks = []
        /// The mean's 95 % interval; nil where the options do not request it or there are too few values.
        public var interval: ClosedRange<Double>?

        /// Of all scores.
        public var statistic: Statistic { Statistic(samples.lazy.flatMap(\.series.values)) }
        /// Of the seeds' means; nil where there is one seed.
        public var seeds: Statistic? {
            samples.count > 1 ? Statistic(samples.map { Statistic($0.series.values).mean }) : nil
        }
        /// Where seeds are taken together, the mean of their means.
        public var mean: Double { seeds?.mean ?? statistic.mean }
    }

    /// A cell that is worse than the noisy input.
    public struct Shortfall: Hashable, Sendable {
        /// The label of the row.
        public var row: String
        /// The name of the test set.
        public var set: String
        /// N of the row; nil where it has none.
        public var steps: Int?
        /// The name of the metric.
        public var metric: String
        /// Means over the files that both have.
        public var value: Double
        /// The noisy input's mean over the same files.
        public var anchor: Double
    }

    /// In the order shown.
    public let rows: [Row]
    /// In the order shown, from left to right.
    public let columns: [Column]
    /// By row and column; nil where nothing was scored.
    public let cells: [[Cell?]]
    /// Every cell that is worse than the noisy input, except in the metrics of ``Options/unfloored``.
    public let shortfalls: [Shortfall]
    /// Paired differences; empty where the options request none.
    public let contrasts: [Contrast]
    let options: Options
    let headings: [String]
    let notes: [String]
    let files: [TestFile.ID: TestFile]

    /// Compares `runs`, in that order; one that is named twice is listed once.
    public init(of runs: [Run.ID], in store: RunStore, options: Options = Options()) throws(StoreError) {
        let snapshot = try store.scores(of: runs, sets: options.sets, metrics: options.metrics)
        let layout = ComparisonLayout(snapshot, options)
        let marking = ComparisonMarking(layout, snapshot, options)
        let order = marking.order(by: options.sort)
        self.options = options
        (rows, columns, cells) = (order.map { layout.rows[$0] }, layout.columns, order.map { marking.cells[$0] })
        (shortfalls, files) = (marking.shortfalls, snapshot.files)
        headings = ComparisonLabels(layout.rows, options).headings
        contrasts = Contrast.contrasts(rows, columns, cells, snapshot, options)
        notes = ComparisonNotes(rows, columns, cells, snapshot, options).lines + marking.notes
    }
}

extension ComparisonReport {
    /// Which scores are compared, and how the table is laid out.
    public struct Options: Sendable {
        /// The factors that rows show in columns of their own, the first with all else that distinguishes rows.
        public var rows: [String]
        /// The factors that columns show, the outermost heading first.
        public var columns: [String]
        /// Names of test sets and metrics to show; all where nil.
        public var sets: Set<String>?
        /// Names of the metrics to show; all where nil.
        public var metrics: Set<String>?
        /// Values of N to show; all where nil.
        public var steps: Set<Int>?
        /// The metric by whose first column rows are sorted, the best first.
        public var sort: String?
        /// Decimals; each metric's usual ones where nil.
        public var precision: Int?
        /// Whether the number of files is printed after each mean.
        public var showsCounts: Bool
        /// Whether the 95 % interval of the mean is shown in place of the standard deviation.
        public var showsIntervals: Bool
        /// Leaves out columns in which all rows agree.
        public var onlyDiffering: Bool
        /// Takes the seeds of one training together.
        public var overSeeds: Bool
        /// Treats files as independent samples, also those of one speaker.
        public var ignoresSpeakers: Bool
        /// The run against which paired differences are taken.
        public var baseline: Run.ID?
        /// Takes differences between all rows of equal N.
        public var allPairs: Bool
        /// Names of metrics for which the noisy input is no floor: nothing is below it there.
        public var unfloored: Set<String>

        public init(
            rows: [String] = ["system", "N"], columns: [String] = ["set", "metric"], sets: Set<String>? = nil,
            metrics: Set<String>? = nil, steps: Set<Int>? = nil, sort: String? = nil, precision: Int? = nil,
            showsCounts: Bool = true, showsIntervals: Bool = false, onlyDiffering: Bool = false,
            overSeeds: Bool = false,
            ignoresSpeakers: Bool = false, baseline: Run.ID? = nil, allPairs: Bool = false, unfloored: Set<String> = []
        ) {
            (self.rows, self.columns, self.sets, self.metrics, self.steps) = (rows, columns, sets, metrics, steps)
            (self.sort, self.precision, self.showsCounts, self.showsIntervals) = (
                sort, precision, showsCounts, showsIntervals
            )
            (self.onlyDiffering, self.overSeeds, self.ignoresSpeakers) = (onlyDiffering, overSeeds, ignoresSpeakers)
            (self.baseline, self.allPairs, self.unfloored) = (baseline, allPairs, unfloored)
        }
    }
}
