public import Foundation

/// What one optimizer step of a run gave.
public struct StepRecord: Hashable, Sendable {
    /// Optimizer steps from 1.
    public var step: Int
    /// The mean over the batch; NaN where it was not a number or the log of an imported run lacks it.
    public var loss: Double
    /// The terms that `loss` sums, and what else was measured in the step, by name.
    public var terms: [String: Double]
    /// The Euclidean norm of all gradients before clipping; NaN where an imported log lacks it.
    public var gradientNorm: Double
    /// As the schedule gave it for this step; NaN where an imported log lacks it.
    public var learningRate: Double
    /// Wall-clock seconds.
    public var seconds: Double

    public init(
        step: Int, loss: Double, terms: [String: Double] = [:], gradientNorm: Double, learningRate: Double,
        seconds: Double
    ) {
        (self.step, self.loss, self.terms) = (step, loss, terms)
        (self.gradientNorm, self.learningRate, self.seconds) = (gradientNorm, learningRate, seconds)
    }
}

/// The mean of one metric over `n` validation files after a step; nil where no file gave a number.
public struct ValidationRecord: Hashable, Sendable {
    /// The optimizer step after which it was measured.
    public var step: Int
    /// The metric's name, such as `pesq`, or `valid_loss`.
    public var metric: String
    /// The mean over the files that gave a number.
    public var value: Double?
    /// How many files gave a number; 0 for imported logs, which do not say it.
    public var n: Int

    public init(step: Int, metric: String, value: Double?, n: Int) {
        (self.step, self.metric, self.value, self.n) = (step, metric, value, n)
    }
}

/// A file of weights and training state; its row is written after the file is safe on disk.
public struct CheckpointRecord: Hashable, Sendable {
    /// Its row number in one store.
    public typealias ID = StoreID<CheckpointRecord>

    /// What the checkpoint is kept for.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case last
        case bestPESQ = "best_pesq"
        case bestSISDR = "best_si_sdr"
        /// Kept for good, every `checkpoint_every` steps.
        case step
    }

    /// nil until recorded.
    public var id: ID?
    /// The optimizer step after which it was written.
    public var step: Int
    /// A run has one current checkpoint of each kind but `step`.
    public var kind: Kind
    /// Relative to the store's folder.
    public var path: String
    /// The SHA-256 digest of the file, in hexadecimal digits.
    public var sha256: String
    /// The size of the file.
    public var bytes: Int
    /// How many updates the moving average of the weights has had.
    public var emaUpdates: Int
    /// The validation score by which the checkpoint is best.
    public var value: Double?
    /// When the file was written.
    public var time: Date
    /// Whether a later checkpoint of its kind has taken its place; the file may then be gone.
    public var isSuperseded: Bool

    public init(
        id: ID? = nil, step: Int, kind: Kind, path: String, sha256: String, bytes: Int, emaUpdates: Int,
        value: Double? = nil, time: Date = Date(), isSuperseded: Bool = false
    ) {
        (self.id, self.step, self.kind, self.path, self.sha256) = (id, step, kind, path, sha256)
        (self.bytes, self.emaUpdates, self.value) = (bytes, emaUpdates, value)
        (self.time, self.isSuperseded) = (time, isSuperseded)
    }
}

/// Something that happened to a run.
public struct EventRecord: Hashable, Sendable {
    /// When it happened, by the clock of the machine.
    public var time: Date
    /// A short word, such as "started", "resumed", "failed" or "converted".
    public var kind: String
    /// For a person: a reason or a command line; "" where there is nothing to say.
    public var message: String

    public init(time: Date = Date(), kind: String, message: String) {
        (self.time, self.kind, self.message) = (time, kind, message)
    }
}

/// What a trainer has to record since the last time; written whole or not at all.
public struct TrainingBatch: Sendable {
    /// New optimizer steps.
    public var steps: [StepRecord]
    /// New validation scores.
    public var validations: [ValidationRecord]
    /// Files that are complete on disk.
    public var checkpoints: [CheckpointRecord]
    /// What happened since the last batch.
    public var events: [EventRecord]

    public init(
        steps: [StepRecord] = [], validations: [ValidationRecord] = [], checkpoints: [CheckpointRecord] = [],
        events: [EventRecord] = []
    ) {
        (self.steps, self.validations) = (steps, validations)
        (self.checkpoints, self.events) = (checkpoints, events)
    }
}
