public import SpecLanguage

/// Where the numbers of a cell come from.
public struct CellSource: Hashable, Sendable {
    /// The three ways in which a cell may get its number.
    public enum Origin: Hashable, Sendable {
        /// A figure that a paper or an older experiment reports.
        case reported(paper: String, system: String, set: String, conditions: String?)
        /// Evaluations of runs in the store, all seeds of one name, at the factors that are given.
        case stored(StoredCell)
        /// A value that follows from how a set was made.
        case known(value: Double, reason: String)
    }

    /// Where the number is looked up.
    public var origin: Origin
    /// What sentences call it.
    public var label: String
    /// How many files a source is taken to mean that does not say so.
    public var assumedCount: Int?
    /// How many trainings a reported mean is over; 0 for what is no training, as the unprocessed input.
    public var runs = 1
    public var place: Mark
}

/// Which evaluations of the store a cell is.
public struct StoredCell: Hashable, Sendable {
    /// A run's name, a sweep's, or an anchor's.
    public var run: String
    /// The spec that makes the run where the store has none, relative to the working folder; nil where none is
    /// declared.
    public var spec: String?
    /// The name of the test set.
    public var set: String
    /// Factors of the evaluation by their names (`N`, `guidance`, `weights`, ...); what is not named is any one value.
    public var factors: [String: String]
    /// Overrides that the command takes besides the factors.
    public var overrides: [String]
}
