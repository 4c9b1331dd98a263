public import Tensors

/// What a model of two times predicts: the average velocity over the interval from `t` down to `r`, at the state `x` of
/// `t`.
public typealias IntervalPrediction = (_ x: Tensor, _ y: Tensor, _ t: Double, _ r: Double) -> Tensor

/// A sampler that evaluates a model of two times.
public protocol IntervalSampler: Sampler {
    /// Samples clean speech for `y`, `[B, F, N, 2]`; as ``Sampler/sample(given:noise:observe:predict:)``.
    func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        average: @escaping IntervalPrediction
    ) -> Sample
}

/// Sampling by average velocities: with exact ones a step of any length is exact, so that one step can suffice.
///
///     x_r = x_t − (t − r) u(x_t, r, t)
///
/// over `N + 1` even times from the start to 0. With a model of one time it is Euler's method.
///
/// Geng et al., *Mean Flows for One-step Generative Modeling*, 2025, Eq. (13).
public struct MeanFlowSampler: IntervalSampler {
    /// The process that gives the prior, from which the first step starts.
    public var process: any SDE
    /// The number of steps, and of evaluations.
    public var steps: Int
    /// Where sampling begins; the end time of the process if `nil`.
    public var startTime: Double?

    public init(process: any SDE = FlowMatching(), steps: Int = 1, startTime: Double? = nil) {
        precondition(steps > 0, "\(steps) steps")
        (self.process, self.steps, self.startTime) = (process, steps, startTime)
    }

    /// ``startTime``, or the end time of the process.
    public var start: Double { startTime ?? process.endTime }

    /// `N` calls, one per step.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        average: @escaping IntervalPrediction
    ) -> Sample {
        let times = timeGrid(from: start, to: 0, count: steps + 1)
        var x = process.prior(around: y, at: start, noise: &noise)
        var nfe = 0
        for step in 0..<steps {
            let (t, r) = (times[step], times[step + 1])
            x = .weighted(1, x, r - t, average(x, y, t, r))
            nfe += 1
            observe?(IntermediateState(step: step, time: r, state: x, mean: x))
        }
        return Sample(x: x, nfe: nfe)
    }

    /// The same with a model of one time, whose velocity at `t` stands for the average over the step.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        sample(given: y, noise: &noise, observe: observe) { x, y, t, _ in predict(x, y, t) }
    }
}
