public import Failures

/// Why a metric has no value for a pair.
///
/// A failure is stored beside the missing number, with `code` as its stable name and `description` as the text for
/// people.
public enum MetricFailure: Diagnostic, Hashable, Sendable, Codable {
    case empty(PairSignal)
    /// A sample is NaN or infinite; the first such index.
    case notFinite(PairSignal, index: Int)
    case lengthMismatch(PairSignal, count: Int, clean: Int)
    case missing(PairSignal)
    /// The metric is not defined at this rate, and was not allowed to convert it.
    case sampleRate(Int, accepted: [Int])
    case cannotResample(String)
    /// Too few samples, or too few frames after silence is removed.
    case tooShort(count: Int, minimum: Int, of: String)
    /// Every sample is zero, or too small for any power to be left.
    case silent(PairSignal)
    /// Every sample has the same value, so there is nothing to compare.
    case constant(PairSignal)
    case noUtterances
    /// A file could not be read, or files do not fit together.
    case unreadable(String)
    /// The formula gave no usable number, such as `−∞`.
    case undefined(String)

    /// A stable name for tables and databases.
    public var code: String {
        switch self {
        case .empty: "empty"
        case .notFinite: "not_finite"
        case .lengthMismatch: "length_mismatch"
        case .missing: "missing_signal"
        case .sampleRate: "sample_rate"
        case .cannotResample: "cannot_resample"
        case .tooShort: "too_short"
        case .silent: "silent"
        case .constant: "constant"
        case .noUtterances: "no_utterances"
        case .unreadable: "unreadable"
        case .undefined: "undefined"
        }
    }
}

extension MetricFailure {
    public var category: FailureCategory { .work }
    public var description: String { summary }

    public var summary: String {
        switch self {
        case .empty(let signal): "the \(signal.rawValue) signal has no samples"
        case .notFinite(let signal, let index):
            "sample \(index) of the \(signal.rawValue) signal is not a finite number"
        case .lengthMismatch(let signal, let count, let clean):
            "the \(signal.rawValue) signal has \(count) samples, the clean one \(clean); align the files first"
        case .missing(let signal):
            "needs the \(signal.rawValue) signal, which the pair does not have"
        case .sampleRate(let rate, let accepted):
            "not defined at \(rate) Hz, only at \(accepted.map(String.init).joined(separator: " or ")) Hz"
        case .cannotResample(let reason): reason
        case .tooShort(let count, let minimum, let what):
            "\(count) \(what), where at least \(minimum) are needed"
        case .silent(let signal): "the \(signal.rawValue) signal is silent"
        case .constant(let signal): "the \(signal.rawValue) signal is constant"
        case .noUtterances: "no utterances detected in the clean signal"
        case .unreadable(let reason): reason
        case .undefined(let reason): reason
        }
    }
}
