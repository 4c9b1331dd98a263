import Parallelism
import Runs
import Specs

/// When a training validates, and which checkpoints it writes besides the best ones.
struct CheckpointSchedule {
    private let spec: TrainSpec
    private let total: Int
    private let validateEvery: Int
    private var lastCheckpoint = ContinuousClock.now

    /// - Parameters:
    ///   - total: The last step.
    ///   - files: Files in an epoch; training validates once per epoch where the spec gives no number of steps.
    init(_ spec: TrainSpec, total: Int, files: Int) {
        (self.spec, self.total) = (spec, total)
        validateEvery = spec.validateEvery ?? max(1, files / spec.effectiveBatch)
    }

    func validates(after step: Int) -> Bool { step % validateEvery == 0 || step == total }

    /// The kinds of checkpoint that are due after a step without validation.
    func due(after step: Int) -> Set<CheckpointRecord.Kind> {
        var kinds: Set<CheckpointRecord.Kind> = []
        if step % spec.checkpointEvery == 0 { kinds.insert(.step) }
        if let every = spec.resumeSteps, step % every == 0 { kinds.insert(.last) }
        if lastCheckpoint.secondsUntilNow > 60 * spec.resumeMinutes { kinds.insert(.last) }
        return kinds
    }

    /// Records that checkpoints of these kinds were written.
    mutating func recordWritten(_ kinds: Set<CheckpointRecord.Kind>) {
        if kinds.contains(.last) { lastCheckpoint = .now }
    }
}
