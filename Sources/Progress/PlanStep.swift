/// One step that a spec requires, whether it is to be done, and why, in words.
public struct PlanStep: Hashable, Sendable, Codable {
    /// `train`, `evaluate` and `anchor` are computed by this program; a `corpus` is made or downloaded before them.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable { case corpus, train, evaluate, anchor }

    /// Whether anything is to be computed.
    public enum State: String, Hashable, Sendable, Codable {
        /// Done before; nothing will be computed.
        case cached
        /// Begun before; resumes where it stopped.
        case resumed
        /// To be done from the beginning.
        case new
    }

    /// What is done.
    public var kind: Kind
    /// The run's name, or the corpus's.
    public var subject: String
    /// What is done to it: the factors of an evaluation, the steps of a training.
    public var detail: String
    /// Whether it is to be done, from the beginning or from where it stopped.
    public var state: State
    /// Why it is in that state, in a few words.
    public var reason: String
    /// What it will take, in s, where a like one was measured before; 0 for what is done.
    public var seconds: Double?

    public init(
        kind: Kind, subject: String, detail: String = "", state: State, reason: String, seconds: Double? = nil
    ) {
        self.kind = kind
        self.subject = subject
        self.detail = detail
        self.state = state
        self.reason = reason
        self.seconds = seconds
    }

    /// What is done to what: "evaluate score [set=test,N=30]".
    public var title: String { "\(kind.rawValue) \(subject)" + (detail.isEmpty ? "" : " [\(detail)]") }
}
