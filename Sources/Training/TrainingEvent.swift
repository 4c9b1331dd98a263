/// What happens while a run is trained.
public enum TrainingEvent: Sendable {
    /// Training begins behind `step`; checkpoints go into `folder`.
    case started(folder: String, step: Int, of: Int)
    case trained(TrainingProgress)
    case validated(step: Int, scores: [MetricValue])
    case checkpoint(step: Int, path: String)
    /// A message for the user, such as why training ends early.
    case noted(String)
}

/// A mean over validation files; `nil` where no file gave a number.
public struct MetricValue: Sendable, Codable, Hashable {
    /// The metric's name, or `valid_loss`.
    public var metric: String
    /// In the metric's unit; `nil` where no file gave a finite value.
    public var value: Double?
    /// That of the noisy input of the same files, where the metric is one of enhanced files.
    public var noisy: Double?

    public init(metric: String, value: Double?, noisy: Double? = nil) {
        (self.metric, self.value, self.noisy) = (metric, value, noisy)
    }
}

/// The progress of a training.
public struct TrainingProgress: Sendable, Codable, Hashable {
    /// Optimizer steps done.
    public var step: Int
    /// Optimizer steps at the end of the training.
    public var of: Int
    /// The loss of this step, averaged over its batches.
    public var loss: Double
    /// Steps per second of wall-clock time, over the last steps.
    public var stepsPerSecond: Double
    /// Estimated wall-clock time to the last step, in s.
    public var secondsLeft: Double

    public init(step: Int, of total: Int, loss: Double, stepsPerSecond: Double, secondsLeft: Double) {
        (self.step, self.of, self.loss) = (step, total, loss)
        (self.stepsPerSecond, self.secondsLeft) = (stepsPerSecond, secondsLeft)
    }
}
