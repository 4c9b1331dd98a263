/// A failure as a person needs it: where it is, what is wrong, and what to do about it.
///
/// The text, the JSON and the exit code of a command follow from these four, so that no upper layer lists types of
/// errors.
public protocol Diagnostic: Error, CustomStringConvertible {
    /// The file, folder or thing concerned, where one is.
    var place: String? { get }
    /// What is wrong, in one sentence.
    var summary: String { get }
    /// What to do about it.
    var hint: String? { get }
    var category: FailureCategory { get }
}

extension Diagnostic {
    public var place: String? { nil }
    public var hint: String? { nil }

    /// The message as compilers write it: `place: error: summary`, and the hint below.
    public var message: String {
        (place.map { $0 + ": " } ?? "") + "error: " + summary + (hint.map { "\n    " + $0 } ?? "")
    }

    /// The message in one line, for lists: `place: summary; hint`.
    public var line: String {
        (place.map { $0 + ": " } ?? "") + summary + (hint.map { "; " + $0 } ?? "")
    }

    public var description: String { message }
}

/// Whose the fault is, which decides how a command ends.
public enum FailureCategory: String, Hashable, Sendable, CaseIterable {
    /// What was asked for: a spec, an option, a name.
    case request
    /// What was read: audio, weights, tables.
    case data
    /// What was computed: a training or an evaluation.
    case work
    /// The machine: a full disk, a busy or damaged store. What was committed stays.
    case machine
    /// Another process of the same training ended. What was committed stays.
    case team
    /// A person, by a signal.
    case interruption

    /// The exit code of a command that such a failure ends.
    public var exitCode: Int32 {
        switch self {
        case .work, .team: 1
        case .request: 2
        case .data: 3
        case .machine: 5
        case .interruption: 130
        }
    }

    /// Whether the work itself is in order: the command ends, and the same command goes on from what is stored.
    public var endsCommand: Bool { self == .machine || self == .team || self == .interruption }
}
