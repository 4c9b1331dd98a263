public import Foundation

/// What one optimizer step of a run gave.
public struct StepRecord: Hashable, Sendable {
    public var step: Int
    public var loss: Double
    /// The terms that `loss` sums, and what else was measured in the step, by name.
    public var terms: [String: Double]
    public var gradientNorm: Double
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
    public var step: Int
    public var metric: String
    public var value: Double?
    public var n: Int

    public init(step: Int, metric: String, value: Double?, n: Int) {
        (self.step, self.metric, self.value, self.n) = (step, metric, value, n)
    }
}

/// A file of weights and training state; its row is written after the file is safe on disk.
public struct CheckpointRecord: Hashable, Sendable {
    public typealias ID = StoreID<CheckpointRecord>

    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case last
        case bestPESQ = "best_pesq"
        case bestSISDR = "best_si_sdr"
        /// Kept for good, at every so many steps.
        case step
    }

    /// nil until recorded.
    public var id: ID?
    public var step: Int
    public var kind: Kind
    /// Relative to the store's folder.
    public var path: String
    public var sha256: String
    public var bytes: Int
    /// How many updates the moving average of the weights has seen.
    public var emaUpdates: Int
    /// The validation score by which the checkpoint is best.
    public var value: Double?
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
    public var time: Date
    /// A short word, such as "started", "resumed", "failed" or "converted".
    public var kind: String
    public var message: String

    public init(time: Date = Date(), kind: String, message: String) {
        (self.time, self.kind, self.message) = (time, kind, message)
    }
}

/// What a trainer has to record since the last time; written whole or not at all.
public struct TrainingBatch: Sendable {
    public var steps: [StepRecord]
    public var validations: [ValidationRecord]
    public var checkpoints: [CheckpointRecord]
    public var events: [EventRecord]

    public init(
        steps: [StepRecord] = [], validations: [ValidationRecord] = [], checkpoints: [CheckpointRecord] = [],
        events: [EventRecord] = []
    ) {
        (self.steps, self.validations) = (steps, validations)
        (self.checkpoints, self.events) = (checkpoints, events)
    }
}
