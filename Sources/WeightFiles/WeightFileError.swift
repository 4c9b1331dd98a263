public import Failures

/// Why a file of weights could not be read or written.
public struct WeightFileError: Diagnostic, Hashable, Sendable {
    /// What went wrong, for callers that react to it.
    public enum Reason: String, Hashable, Sendable {
        /// The file system refused.
        case unreadable, unwritable
        /// The file ends before the length that it states.
        case truncated
        /// The bytes contradict the format or each other.
        case malformed
        /// A valid file of a kind that is not read here.
        case unsupported
        /// Reading would have to execute code.
        case refused
        /// A stated size beyond the limits of the reader.
        case tooLarge
        /// The requested part is not in the file.
        case missing
    }

    /// What went wrong, for callers that handle some cases; ``summary`` says it to a person.
    public var reason: Reason
    /// The path of the file.
    public var file: String
    /// The part of the file, such as `tensor 'a.weight'` or `byte 812 of data.pkl`.
    public var place: String?
    public var summary: String
    public var hint: String?

    public init(_ reason: Reason, file: String, place: String? = nil, _ summary: String, hint: String? = nil) {
        self.reason = reason
        self.file = file
        self.place = place
        self.summary = summary
        self.hint = hint
    }

    public var category: FailureCategory {
        switch reason {
        case .unwritable: .machine
        case .unreadable: .work
        default: .data
        }
    }

    public var description: String {
        let head = [file, place].compactMap { $0 }.joined(separator: ": ")
        return "\(head): \(summary)" + (hint.map { " (\($0))" } ?? "")
    }
}
