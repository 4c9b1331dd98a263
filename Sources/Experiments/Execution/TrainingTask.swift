import Corpora
import Foundation
import Progress
import Runs
import Specs
import Training

/// The training of one run: what it is known by, and all that it takes.
struct TrainingTask: Sendable {
    let run: SpecRun
    let data: PreparedData
    /// The file of the weights that it begins with, or takes over.
    let start: String?
    let key: RunKey

    /// - Throws: `IncompatibleParts` where the weights cannot be read that the run begins with.
    init(_ run: SpecRun, _ data: PreparedData, _ start: StartingPoint?) throws {
        self.run = run
        self.data = try data.adding(start)
        self.start = start?.path
        key = RunKey(
            identity: run.identity.hex, seed: UInt64(run.seed),
            dataFingerprint: self.data.fingerprint?.description ?? "")
    }

    /// The key by which earlier versions stored it.
    var earlierKey: RunKey? {
        data.fingerprint.map { RunKey(identity: key.identity, seed: key.seed, dataFingerprint: $0.earlier.description) }
    }

    var spec: ExperimentSpec { run.spec }

    /// The number of optimizer steps; `nil` for a number of epochs of data that is not there yet.
    var totalSteps: Int? {
        let countsEpochs = spec.train.maxSteps == nil || (spec.train.maxEpochs != nil && spec.train.maxSteps != 0)
        return data.isAbsent && countsEpochs ? nil : Trainer.totalSteps(spec.train, files: data.training.count)
    }

    /// What processes that share the store claim.
    var claim: String { "train \(key.shortID(count: 24))" }

    private var amount: String {
        if let totalSteps { return "\(totalSteps) steps" }
        let limits = [spec.train.maxEpochs.map { "\($0) epochs" }, spec.train.maxSteps.map { "\($0) steps" }]
            .compactMap(\.self)
        return limits.isEmpty ? "\(Trainer.standardEpochs) epochs" : limits.joined(separator: " or ")
    }

    /// The step of the plan that is left of the training, given what the store has of it.
    ///
    /// - Parameters:
    ///   - folder: The folder of the store.
    ///   - isNeeded: Whether the weights are still needed; called only where their file is missing.
    ///   - change: In what the training differs from an earlier one of its name.
    func step(
        _ known: StoreInventory.Training?, in folder: String, isNeeded: () throws -> Bool, change: () -> String?
    ) rethrows -> PlanStep {
        let takenOver = totalSteps == 0 ? start : nil
        var step = PlanStep(
            kind: .train, subject: run.name, detail: takenOver.map { "weights of \($0)" } ?? amount, state: .new,
            reason: "")
        let isFinished = known?.status == .finished
        let last = known?.last
        let isThere = last.map { FileManager.default.fileExists(atPath: folder + "/" + $0.path) } ?? false
        if let last, !isThere, try !isFinished || isNeeded() {
            step.reason = "missing file: \(last.path)"
        } else if isFinished {
            step.state = .cached
            step.reason =
                takenOver == nil
                ? "same spec, seed and data; trained to step \(last?.step ?? totalSteps ?? 0)"
                : "the same file; taken over"
        } else if let last {
            step.state = .resumed
            step.reason = "stopped at step \(last.step)" + (known?.reason.map { ": \($0)" } ?? "")
        } else if let reason = known?.reason {
            step.reason = "tried before, without a checkpoint to go on from: \(reason)"
        } else {
            step.reason = change() ?? (takenOver == nil ? "not trained yet" : "not taken over yet")
        }
        return step
    }
}
