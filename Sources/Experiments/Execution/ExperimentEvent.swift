import Synchronization

/// What happens while experiments run, for whoever shows it.
public enum ExperimentEvent: Sendable {
    /// A corpus was made, or found as it was.
    case corpus(name: String, folder: String, isNew: Bool)
    /// A step of the plan, before it is done or passed over.
    case planned(PlanStep)
    case trainingStarted(run: String, folder: String, step: Int, of: Int)
    case trained(run: String, TrainingProgress)
    case validated(run: String, step: Int, scores: [(metric: String, value: Double?)])
    case checkpoint(run: String, step: Int, path: String)
    case evaluated(label: String, file: String, done: Int, of: Int, secondsLeft: Double)
    case finished(PlanStep)
    case failed(PlanStep, reason: String)
}

/// How far a training is.
public struct TrainingProgress: Sendable {
    public var step: Int
    public var of: Int
    public var loss: Double
    public var stepsPerSecond: Double
    public var secondsLeft: Double
}

/// A wish to stop, set from a signal handler or another thread.
public final class Interruption: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public func request() { flag.store(true, ordering: .relaxed) }
    public var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// - Throws: `Interrupted` once it was requested.
    func check() throws(Interrupted) { if isRequested { throw Interrupted() } }
}

/// Work ended because someone asked for it; what was done is kept.
public struct Interrupted: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String { "interrupted; the same command goes on from here" }
}
