public import Reported
import Reports
public import Runs

/// One cell in one metric: its mean, its spread, and how it was made.
public struct MeasuredCell: Hashable, Sendable {
    /// What sentences call it.
    public var label: String
    /// In the metric's unit; the mean of the trainings' means where there are several.
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
    /// What each of them is called, such as `seed 2`.
    public var runNames: [String] = []
    /// The scores of each training by file, where they are known.
    public var files: [[TestFile.ID: Double]] = []
    /// The speaker of each file, where it is known.
    public var speakers: [TestFile.ID: String] = [:]
    /// By path.
    public var settings: [String: String]
    /// Where the numbers come from: file and line, or runs.
    public var place: String
    /// V, V2 or C of a reported figure.
    public var mark: ReportedMark?
    /// Whether it follows from how a set was made, without error.
    public var isExact = false
    /// From which cells its spread may be estimated: of one paper and set, or of one set of the store.
    public var family: String
    /// The test set, as its source calls it.
    public var set: String

    /// `'PoC, p 0.2' (0.8, one run)`.
    var text: String {
        let number = runs > 0 || mark != nil ? mean.fixed(digits) : mean.fixed(1)
        let runsText: String? =
            switch runs {
            case 0: nil
            case 1: mark == nil || !settings.isEmpty ? "one run" : nil
            default: "\(runs) runs"
            }
        let notes = [number, runsText, mark == .quoted ? "quoted" : nil].compactMap(\.self)
        return "\(label) (\(notes.joined(separator: ", ")))"
    }

    init(
        label: String, mean: Double, digits: Int = 2, std: Double? = nil, count: Int? = nil, runs: Int = 1,
        settings: [String: String] = [:], place: String = "", mark: ReportedMark? = nil, family: String = "",
        set: String = ""
    ) {
        (self.label, self.mean, self.digits, self.std, self.count, self.runs) = (label, mean, digits, std, count, runs)
        (self.settings, self.place, self.mark, self.family, self.set) = (settings, place, mark, family, set)
    }
}

extension MeasuredCell {
    /// Cells over the files that all of them have a score of, where their scores by file are known.
    static func onSharedFiles(_ cells: [MeasuredCell]) -> [MeasuredCell] {
        let sets = cells.flatMap(\.files).map { Set($0.keys) }
        guard cells.allSatisfy({ !$0.files.isEmpty }), let first = sets.first else { return cells }
        let shared = sets.dropFirst().reduce(first) { $0.intersection($1) }
        return shared.isEmpty || sets.allSatisfy { $0 == shared } ? cells : cells.map { $0.restricted(to: shared) }
    }

    private func restricted(to shared: Set<TestFile.ID>) -> MeasuredCell {
        var cell = self
        cell.files = files.map { $0.filter { shared.contains($0.key) } }
        cell.summarize()
        return cell
    }

    /// Sets mean, spread and count from the scores by file, which are added in one order: equal scores have equal
    /// means.
    mutating func summarize() {
        let values = files.map { one in one.sorted { $0.key < $1.key }.map(\.value) }
        let means = values.map { $0.reduce(0, +) / Double($0.count) }
        mean = means.reduce(0, +) / Double(means.count)
        let first = values[0]
        count = first.count
        std =
            first.count > 1
            ? (first.reduce(0) { $0 + ($1 - means[0]) * ($1 - means[0]) } / Double(first.count - 1)).squareRoot() : 0
        if !runMeans.isEmpty { runMeans = means }
    }
}

/// Why a cell has no number.
public struct AbsentCell: Error, Hashable, Sendable {
    /// What sentences call the cell.
    public var label: String
    /// The rest of a sentence that begins with the label.
    public var reason: String
    /// What would measure it.
    public var measurement: MissingMeasurement?
}
