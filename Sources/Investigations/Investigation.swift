public import SpecLanguage

/// A file of `experiments/investigations`: a question, the cells with the numbers for it, and the hypotheses that are
/// tested.
public struct Investigation: Hashable, Sendable {
    /// The file's name without its ending.
    public var name: String
    /// The question that it answers; it is printed above the report.
    public var title: String
    /// By name.
    public var cells: [String: CellSource]
    /// In the order of the file.
    public var hypotheses: [Hypothesis]
    /// The path it was read from; paths of specs in it are relative to its folder.
    public var file: String
}

extension Investigation {
    /// The same hypotheses about another run, or about another anchor of the store.
    ///
    /// - Returns: nil where `name` is no cell of the store.
    public func taking(_ run: String, for name: String) -> Investigation? {
        guard let source = cells[name], case .stored(var cell) = source.origin else { return nil }
        var copy = self
        (cell.run, cell.spec) = (run, nil)
        copy.cells[name]?.origin = .stored(cell)
        if source.label == name || source.label.isEmpty { return copy }
        copy.cells[name]?.label = "\(source.label), '\(run)'"
        return copy
    }
}

/// One claim, and what decides it.
public struct Hypothesis: Hashable, Sendable {
    /// A letter or a short name.
    public var id: String
    /// What is supported or refuted, as a sentence.
    public var claim: String
    /// The pieces of evidence; where they contradict each other, the verdict is inconclusive.
    public var tests: [EvidenceTest]
    /// What would decide it where it was not measured yet.
    public var measurements: [MissingMeasurement]
    public var place: Mark
}

/// What is still to be measured, and the command that measures it.
public struct MissingMeasurement: Hashable, Sendable {
    /// The kinds of work, the cheapest first.
    public enum Work: String, Hashable, Sendable, CaseIterable, Comparable {
        /// Headers of files are read: minutes, and no network.
        case scan
        /// A trained network is looked at, on some files.
        case probe
        /// A trained network enhances a test set.
        case evaluate
        /// A network is trained.
        case train

        /// Whether the first kind of work is cheaper than the second.
        public static func < (first: Self, second: Self) -> Bool { first.place < second.place }
        private var place: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// What would be measured, in words.
    public var what: String
    /// How expensive it is.
    public var work: Work
    /// A command line of `sgmse`, which also identifies the measurement: equal commands are listed once.
    public var command: String

    public init(what: String, work: Work, command: String) {
        (self.what, self.work, self.command) = (what, work, command)
    }
}

/// One piece of evidence on a claim.
public struct EvidenceTest: Hashable, Sendable {
    /// The property of the cells that is tested; cells are given by their names.
    public enum Question: Hashable, Sendable {
        /// `first − second ≥ effect`.
        case above(first: String, second: String)
        /// `|first − second| < effect`.
        case equal(first: String, second: String)
        /// `(a − b) − (c − d) ≥ effect`: what differs here and not there.
        case interaction(a: String, b: String, c: String, d: String)
        /// The rows lie below the unprocessed input.
        case belowInput(rows: [String], input: String)
        /// Runs among good neighbours in a sweep over `path` that lie below both by `effect` at least.
        case collapsed(rows: [String], path: String)
        /// One of the trainings of a cell scores far worse than the cell's others.
        case collapsedSeed(cells: [String])
        /// Two cells differ in nothing but the settings of `paths`.
        case differOnly(first: String, second: String, paths: [String])
        /// A number among the settings of one cell is less than that of another.
        case less(first: String, second: String, path: String)
        /// A setting of a cell has a value, or that of another setting.
        case recorded(cell: String, path: String, value: String)
        /// A check of a run's data found something.
        case finding(cell: String, gate: String)
        /// A value that `sgmse probe` measured of a run lies within bounds.
        case probe(cell: String, value: String, below: Double?, above: Double?)
    }

    /// Over what a difference has to hold.
    public enum Scope: String, Hashable, Sendable, CaseIterable {
        /// Other files: the claim is about these very weights.
        case files
        /// Other trainings as well: the claim is about what was configured.
        case seeds
    }

    /// What an answer means for the claim.
    public enum Meaning: String, Hashable, Sendable, CaseIterable { case supports, refutes, nothing }

    /// The property of the cells that is tested.
    public var question: Question
    /// The metric that is compared; "" for questions that compare no scores.
    public var metric: String
    /// The smallest difference that counts, in the unit of the metric.
    public var effect: Double
    /// The level of the test.
    public var alpha: Double
    /// Over what the difference has to hold.
    public var scope: Scope
    /// The gap that the difference is a share of: `second − first`, by names of cells.
    public var gap: [String]
    /// What it means for the claim where the property holds.
    public var whenHolds: Meaning
    /// What it means for the claim where the property does not hold.
    public var whenFails: Meaning
    public var place: Mark

    public init(
        _ question: Question, metric: String = "", effect: Double = 0, alpha: Double = 0.05, scope: Scope = .seeds,
        gap: [String] = [], whenHolds: Meaning = .supports, whenFails: Meaning = .refutes,
        place: Mark = Mark(file: "", line: 1, column: 1, text: "")
    ) {
        (self.question, self.metric, self.effect, self.alpha, self.scope) = (question, metric, effect, alpha, scope)
        (self.gap, self.whenHolds, self.whenFails, self.place) = (gap, whenHolds, whenFails, place)
    }

    /// The names of all cells that it uses.
    public var cells: [String] {
        switch question {
        case .above(let first, let second), .equal(let first, let second), .differOnly(let first, let second, _),
            .less(let first, let second, _):
            [first, second] + gap
        case .interaction(let a, let b, let c, let d): [a, b, c, d]
        case .belowInput(let rows, let input): rows + [input]
        case .collapsed(let rows, _): rows
        case .collapsedSeed(let cells): cells
        case .recorded(let cell, _, _), .finding(let cell, _), .probe(let cell, _, _, _): [cell]
        }
    }

    /// Whether it compares scores, so that it needs a metric.
    var comparesScores: Bool {
        switch question {
        case .above, .equal, .interaction, .belowInput, .collapsed, .collapsedSeed: true
        case .differOnly, .less, .recorded, .finding, .probe: false
        }
    }
}
