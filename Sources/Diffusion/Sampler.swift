public import Tensors

/// A method that samples clean speech for noisy speech by the reverse process.
public protocol Sampler: Sendable {
    /// The time that sampling starts at.
    var start: Double { get }
    /// Whether a sample's result is the same in any batch: not where samples share step sizes.
    var samplesAreIndependent: Bool { get }
    /// Samples clean speech for `y`, `[B, F, N, 2]`.
    ///
    /// - Parameters:
    ///   - noise: Where the random numbers come from.
    ///   - observe: Called with every intermediate state, if given.
    ///   - predict: The score, or for a bridge the clean speech.
    func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample
}

extension Sampler {
    /// Every step treats the samples of a batch alike.
    public var samplesAreIndependent: Bool { true }

    /// Sampling without an observer of the states.
    public func sample(given y: Tensor, noise: inout NoiseSource, predict: @escaping Prediction) -> Sample {
        sample(given: y, noise: &noise, observe: nil, predict: predict)
    }
}

/// The result of a sampler.
public struct Sample: Sendable {
    /// The estimate of clean speech, in the shape of `y`.
    public var x: Tensor
    /// How often the model was called.
    public var nfe: Int

    public init(x: Tensor, nfe: Int) { (self.x, self.nfe) = (x, nfe) }
}

/// An intermediate state, after a step.
public struct IntermediateState: Sendable {
    /// The number of the step, from 0.
    public var step: Int
    /// The time that the step ends at.
    public var time: Double
    /// `x` after the step, with its noise, `[B, F, N, 2]`.
    public var state: Tensor
    /// The state without the step's last noise.
    public var mean: Tensor
}

/// `count` times from `start` to `end`, evenly spaced, both included; a single time is `start`.
func timeGrid(from start: Double, to end: Double, count: Int) -> [Double] {
    guard count > 1 else { return [start] }
    return (0..<count).map { index in
        let share = Double(index) / Double(count - 1)
        return index == count - 1 ? end : start + (end - start) * share
    }
}
