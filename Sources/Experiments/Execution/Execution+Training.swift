import Failures
import Foundation
import Kernels
import Models
import Parallelism
import Progress
import Runs
import Specs
import Training

extension Execution {
    /// Trains a run from its last checkpoint, or from the beginning.
    ///
    /// - Returns: How it ended: failed where it failed more often than its spec retries.
    mutating func train(_ task: TrainingTask) throws -> TrainingOutcome {
        // Another process may have worked on it since it was planned, or ended while it did.
        try store.takeOverAbandonedWork()
        guard let registered = registered(task) else { return .failed }
        let (run, log) = (registered.run, registered.log)
        let step = try step(of: task, run)
        if step.state != .cached, let last = try exhaustedRetries(of: run, retries: task.spec.train.retries) {
            // The process that failed has reported it; a process that was killed is reported by those that find it.
            if !last.wasReported { emit(.failed(step, reason: last.reason), log) }
            summary.failed.append((step, last.reason))
            return .failed
        }
        emit(.planned(step), log)
        guard step.state != .cached else {
            summary.cached += 1
            return .finished
        }
        try store.begin(run.id, provenance: workspace.provenance)
        try store.record(TrainingBatch(events: [.init(kind: "reason", message: "train: \(step.reason)")]), of: run.id)
        do {
            try task.spec.train.precision.ofProducts.apply { try trainer(of: task, run, log).train() }
        } catch {
            // An error of the machine is no failure of the run: the run can be resumed.
            let isFault = !FailureCategory(of: error).endsCommand
            try? store.end(run.id, as: isFault ? .failed : .interrupted, reason: "\(error)")
            throw error
        }
        try store.end(run.id, as: .finished)
        emit(.finished(step), log)
        summary.done += 1
        return .finished
    }

    private func trainer(of task: TrainingTask, _ run: Run, _ log: RunLog) -> Trainer {
        Trainer(
            workspace: workspace, run: run, builder: ModelBuilder(spec: task.spec, catalog: workspace.catalog),
            identity: task.key.identity, seed: task.key.seed, training: task.data.training,
            validation: task.data.validation,
            interruption: executor.interruption, observe: { [self] in emit(ExperimentEvent($0, of: run.name), log) })
    }

    /// What is to be done of the training now.
    private func step(of task: TrainingTask, _ run: Run) throws -> PlanStep {
        try task.step(
            store.training(task.key), in: workspace.folder,
            isNeeded: {
                try plan.evaluations(of: task).contains { evaluation in
                    try store.evaluation(identity: evaluation.key.stored)?.status != .finished
                }
            },
            change: {
                (try? Predecessor.find(of: task.spec, name: task.run.name, key: task.key, before: run.id, in: store))??
                    .description
            })
    }

    /// Why a run is not tried again within this command: it failed, or its processes ended, more often than the spec
    /// retries; nil where it may be tried again.
    private func exhaustedRetries(of run: Run, retries: Int) throws -> (reason: String, wasReported: Bool)? {
        let events = try store.events(of: run.id).filter { $0.time >= executor.began }
        let failures = events.filter { $0.kind == RunStatus.failed.rawValue }
        if failures.count > retries { return (failures.last?.message ?? "it failed", true) }
        let deaths = events.filter {
            $0.kind == RunStatus.interrupted.rawValue && $0.message.hasSuffix(Owner.endedSuffix)
        }
        return deaths.count > retries + 1 ? ("\(deaths.count) processes ended while training it", false) : nil
    }
}
