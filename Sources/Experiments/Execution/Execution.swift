import Failures
import Foundation
import Logging
import Models
import Parallelism
import Progress
import Runs
import Specs
import Training

/// The execution of a plan by one process, with the state of the steps so far.
struct Execution {
    let plan: Plan
    let executor: Executor
    var summary = Executor.Summary()
    private let runs: [RunKey: RegisteredRun]
    /// How the trainings ended that this process performed or found done.
    private var trainings: [RunKey: TrainingOutcome] = [:]
    /// Failures within this process, by claim.
    private var failures: [String: Int] = [:]
    /// Claims of other processes that were reported.
    private var reported: Set<String> = []

    enum TrainingOutcome { case finished, failed }

    init(of plan: Plan, by executor: Executor, runs: [RegisteredRun]) {
        (self.plan, self.executor) = (plan, executor)
        self.runs = Dictionary(runs.map { ($0.task.key, $0) }) { first, _ in first }
        summary.runs = runs.map(\.run.id)
    }

    var workspace: Workspace { executor.workspace }
    var store: RunStore { executor.store }

    /// The run of a training, which was registered before.
    func registered(_ training: TrainingTask?) -> RegisteredRun? { training.flatMap { runs[$0.key] } }

    /// Performs all steps, those first that no other process works on.
    mutating func perform() throws -> Executor.Summary {
        var open = plan.steps
        while !open.isEmpty {
            var held: [PlannedStep] = []
            for step in open {
                try executor.interruption.check()
                if let task = step.task, try !attempt(task, step.summary) { held.append(step) }
            }
            // Other processes work on everything that is left.
            if held.count == open.count { Thread.sleep(forTimeInterval: 0.1) }
            open = held
        }
        return summary
    }

    /// Performs a step, or finds it done.
    ///
    /// - Returns: Whether nothing is left of it; false where another process works on it, or on what it needs.
    private mutating func attempt(_ task: PlannedStep.Task, _ step: PlanStep) throws -> Bool {
        if case .evaluate(let evaluation) = task, let training = evaluation.training {
            switch trainings[training.key] {
            case nil: return false
            case .failed: return true
            case .finished: break
            }
        }
        let log = log(of: task)
        let claim: Claim
        switch try store.claim(task.claim) {
        case .acquired(let mine):
            claim = mine
            Logger(label: "sgmse.experiment").debug("claimed \(step.title)")
        case .done: return true
        case .held(let holder):
            if reported.insert(task.claim).inserted { emit(.waiting(step, holder: holder.description), log) }
            return false
        }
        defer { try? store.release(claim) }
        do {
            switch task {
            case .train(let training): trainings[training.key] = try train(training)
            case .evaluate(let evaluation): try evaluate(evaluation)
            }
        } catch let error where !(FailureCategory(of: error).endsCommand || error is IncompatibleParts) {
            failures[task.claim, default: 0] += 1
            emit(.failed(step, reason: "\(error)"), log)
            guard failures[task.claim, default: 0] > task.spec.train.retries else { return false }
            summary.failed.append((step, "\(error)"))
            if case .train(let training) = task { trainings[training.key] = .failed }
        }
        return true
    }

    private func log(of task: PlannedStep.Task) -> RunLog? {
        switch task {
        case .train(let training): registered(training)?.log
        case .evaluate(let evaluation): log(of: evaluation)
        }
    }

    /// The log of the run that is evaluated; anchors have that of the plan's first run.
    func log(of evaluation: EvaluationTask) -> RunLog? { registered(evaluation.training ?? plan.trainings.first)?.log }

    /// Reports an event to the observer and to the log of the run.
    func emit(_ event: ExperimentEvent, _ log: RunLog?) {
        log?.write(event)
        executor.observe(event)
    }
}
