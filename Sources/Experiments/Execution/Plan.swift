public import Corpora
public import Progress
import Runs
public import Specs

/// The steps that a spec requires, with the reason for each: made once by a ``Planner``, shown by `sgmse plan`, and
/// performed by an ``Executor``.
public struct Plan: Sendable {
    /// In the order of execution; a step that several runs share is listed once.
    public internal(set) var steps: [PlannedStep] = []
    /// What the protocol's gates found and let pass.
    public internal(set) var findings: [Finding] = []
    /// The spec with all its runs, as it was loaded.
    public let spec: LoadedSpec
    /// The trainings of the spec's runs, in their order; runs that differ in their evaluations alone share one.
    var trainings: [TrainingTask] = []

    init(of spec: LoadedSpec) { self.spec = spec }

    /// How many runs the spec has: combinations of its sweep × seeds.
    public var runs: Int { spec.runs.count }
    /// Steps that are not done yet.
    public var pending: [PlannedStep] { steps.filter { $0.state != .cached } }
    /// s for all pending steps that were measured before.
    public var seconds: Double { steps.reduce(0) { $0 + ($1.seconds ?? 0) } }
    /// Pending steps, anchors apart, that nothing like has been measured for.
    public var unmeasured: Int {
        steps.count { $0.state != .cached && $0.seconds == nil && ($0.kind == .train || $0.kind == .evaluate) }
    }
    /// Whether every corpus is on the disk; without it, the steps that need it cannot be listed in full.
    var hasItsData: Bool { !steps.contains { $0.kind == .corpus } }

    /// The audio that it reads, under the names that stores of earlier versions have for it.
    var renamedAudio: [String: String] {
        var all = trainings.compactMap(\.data.fingerprint) + trainings.flatMap(\.data.references.values)
        for step in steps { if case .evaluate(let task)? = step.task { all.append(task.test.fingerprint) } }
        return Dictionary(Set(all).map { ("\($0.earlier)", "\($0)") }) { first, _ in first }
    }

    /// How many evaluations are to be done of each training that anything is to be done for.
    var openEvaluations: [RunKey: Int] {
        pending.reduce(into: [:]) { counts, step in
            switch step.task {
            case .train(let training): counts[training.key, default: 0] += 0
            case .evaluate(let evaluation): if let key = evaluation.training?.key { counts[key, default: 0] += 1 }
            case nil: break
            }
        }
    }

    /// The evaluations that need the weights of a training.
    func evaluations(of training: TrainingTask) -> [EvaluationTask] {
        steps.compactMap { step in
            guard case .evaluate(let task)? = step.task, task.training?.key == training.key else { return nil }
            return task
        }
    }
}

/// A step of a plan: its summary for people, and the task that performs it.
@dynamicMemberLookup
public struct PlannedStep: Sendable {
    /// What it does; `nil` for a corpus, and for what waits for a corpus that is not there yet.
    enum Task: Sendable {
        case train(TrainingTask)
        /// A checkpoint or an anchor.
        case evaluate(EvaluationTask)

        /// What processes that share the store claim before they do it.
        var claim: String {
            switch self {
            case .train(let task): task.claim
            case .evaluate(let task): task.claim
            }
        }

        var spec: ExperimentSpec {
            switch self {
            case .train(let task): task.spec
            case .evaluate(let task): task.spec
            }
        }
    }

    public internal(set) var summary: PlanStep
    let task: Task?

    init(_ summary: PlanStep, _ task: Task? = nil) { (self.summary, self.task) = (summary, task) }

    /// The fields of ``summary``, so that `step.state` can be written.
    public subscript<Value>(dynamicMember part: KeyPath<PlanStep, Value>) -> Value { summary[keyPath: part] }
}
