import Reported
import Runs

/// What is known of one cell in one metric: its mean, its spread, and how it was made.
public struct MeasuredCell: Hashable, Sendable {
    public var label: String
    public var mean: Double
    /// The decimals that its source prints.
    public var digits: Int
    /// The standard deviation over files; nil where the source gives none.
    public var std: Double?
    /// How many files; nil where the source does not say.
    public var count: Int?
    /// Whether `count` was assumed.
    public var isCountAssumed = false
    /// How many trainings the mean is over; 0 for what is no training.
    public var runs: Int
    /// The mean of each training, where they are known.
    public var runMeans: [Double] = []
    /// The scores of each training by file, where they are known.
    public var files: [[TestFile.ID: Double]] = []
    public var speakers: [TestFile.ID: String] = [:]
    /// By path.
    public var settings: [String: String]
    /// Where it stands: file and line, or runs.
    public var place: String
    /// V, V2 or C of a reported figure.
    public var mark: ReportedMark?
    /// Whether it follows from how a set was made, without error.
    public var isExact = false
    /// Which cells may tell of its spread: of one paper and set, or of one set of the store.
    public var family: String
    /// The test set, as its source calls it.
    public var set: String

    /// `'PoC, p 0.2' (0.8, one run)`.
    var text: String {
        let number = runs > 0 || mark != nil ? mean.fixed(digits) : mean.fixed(1)
        let runsText: String? = switch runs {
        case 0: nil
        case 1: mark == nil || !settings.isEmpty ? "one run" : nil
        default: "\(runs) runs"
        }
        let notes = [number, runsText, mark == .quoted ? "quoted" : nil].compactMap(\.self)
        return "\(label) (\(notes.joined(separator: ", ")))"
    }

    init(
        label: String, mean: Double, digits: Int = 2, std: Double? = nil, count: Int? = nil, runs: Int = 1,
        settings: [String: String] = [:], place: String = "", mark: ReportedMark? = nil, family: String = "", set: String = ""
    ) {
        (self.label, self.mean, self.digits, self.std, self.count, self.runs) = (label, mean, digits, std, count, runs)
        (self.settings, self.place, self.mark, self.family, self.set) = (settings, place, mark, family, set)
    }
}

/// Why a cell has no number.
public struct AbsentCell: Error, Hashable, Sendable {
    public var label: String
    public var reason: String
    /// What would measure it.
    public var need: Need?
}
