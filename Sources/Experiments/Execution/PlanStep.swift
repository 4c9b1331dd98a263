import Training

/// One thing that a spec asks for, and whether it must be done.
public struct PlanStep: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable { case corpus, train, evaluate, anchor }

    public enum State: String, Hashable, Sendable, Codable {
        /// Done before; nothing will be computed.
        case cached
        /// Begun before; goes on from where it stopped.
        case resumed
        /// To be done from the beginning.
        case new
    }

    public var kind: Kind
    /// The run's name, or the corpus's.
    public var subject: String
    /// What is done to it: the factors of an evaluation, the steps of a training.
    public var detail: String
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
}

// MARK: - Decisions, the same in a plan and in its execution

extension PlanStep {
    /// How far a training came.
    struct TrainingState {
        var isFinished: Bool
        /// The last checkpoint's step, if its file is there.
        var reached: Int?
        /// Why it ended before it was finished.
        var reason: String?
        /// A checkpoint that is needed and not on the disk.
        var missingFile: String?
    }

    /// - Parameters:
    ///   - file: The weights that a training without steps takes over.
    ///   - change: In what the training differs from an earlier one of its name.
    static func training(
        _ name: String, steps total: Int, from file: String?, _ state: TrainingState?, change: @autoclosure () -> String?
    ) -> PlanStep {
        let taken = total == 0 ? file : nil
        var step = PlanStep(
            kind: .train, subject: name, detail: taken.map { "weights of \($0)" } ?? "\(total) steps", state: .new, reason: "")
        switch state {
        case let state? where state.missingFile != nil:
            step.reason = "missing file: \(state.missingFile ?? "")"
        case let state? where state.isFinished:
            step.state = .cached
            step.reason =
                taken == nil ? "same spec, seed and data; trained to step \(state.reached ?? total)" : "the same file; taken over"
        case let state? where state.reached != nil:
            step.state = .resumed
            step.reason = "stopped at step \(state.reached ?? 0)" + (state.reason.map { ": \($0)" } ?? "")
        case let state? where state.reason != nil:
            step.reason = "tried before, without a checkpoint to go on from: \(state.reason ?? "")"
        default:
            step.reason = change() ?? (taken == nil ? "not trained yet" : "not taken over yet")
        }
        return step
    }

    /// - Parameters:
    ///   - files: The files of the set.
    ///   - missing: Those that lack a metric.
    ///   - isBegun: Whether any has a score.
    ///   - knowsOtherAudio: Whether the same was evaluated on other audio, or on what the audio was before.
    ///   - lacksAudio: Whether the spec keeps audio that the evaluation, when it was made, did not.
    static func scoring(
        _ kind: Kind, _ subject: String, _ detail: String, files: Int, missing: Int, isBegun: Bool, lacksAudio: Bool = false,
        knowsOtherAudio: @autoclosure () throws -> Bool = false
    ) rethrows -> PlanStep {
        if missing == 0 {
            // Scores are never computed again for the sake of audio; nobody may believe that it lies there.
            let note = lacksAudio ? "; their audio was not kept and is not made again: sgmse enhance makes it" : ""
            return PlanStep(
                kind: kind, subject: subject, detail: detail, state: .cached, reason: "all \(files) files have every metric" + note)
        }
        guard isBegun else {
            let reason = try knowsOtherAudio() ? "not evaluated on this audio yet: a set's files changed, or it is another set" : "not evaluated yet"
            return PlanStep(kind: kind, subject: subject, detail: detail, state: .new, reason: reason)
        }
        return PlanStep(
            kind: kind, subject: subject, detail: detail, state: .resumed, reason: "\(missing) of \(files) files lack a metric")
    }

    /// What is done to what: "evaluate score [set=test,N=30]".
    public var title: String { "\(kind.rawValue) \(subject)" + (detail.isEmpty ? "" : " [\(detail)]") }
}
