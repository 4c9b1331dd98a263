public import Tensors

/// Sampling of the Schrödinger bridge as EDM2SE does it: the network is evaluated at the time at which a step starts,
/// and its last output is the result.
///
/// The times are `N + 1` even ones from the bridge's end to 0. From `t` to `s`, with the prediction `x̂₀` at `t`,
///
///     sde:  x_s = (σ_s²/(σ_t² + ε)) x_t + (1 − σ_s²/(σ_t² + ε)) x̂₀ + σ_s √(1 − σ_s²/(σ_t² + ε)) z
///     ode:  x_s = (σ_s σ̄_s/(σ_t σ̄_t + ε)) x_t + (σ̄_s² − σ̄_t σ_s σ̄_s/(σ_t + ε)) x̂₀/(σ_T² + ε)
///                 + (σ_s² − σ_t σ_s σ̄_s/(σ̄_t + ε)) y/(σ_T² + ε)
///
/// where `σ²` includes ε at the start too. The step to 0 changes nothing, so with N = 1 the result is one call at the
/// end. At the end `σ̄_t` is 10⁻⁴, and the first step of the ode weighs state and noisy speech by about ±10³, where a
/// sum in single precision is off by 2·10⁻⁴ to 10⁻³. So the difference of state and noisy speech, which is 0 there,
/// gets the state's weight, and noisy speech the sum of both weights.
///
/// EDM2SE (ICASSP 2026, arXiv 2505.05216), after Jukić et al., Interspeech 2024, Eq. (12) and (13); ``BridgeSampler``
/// evaluates it at the time at which a step ends.
public struct LastPredictionSampler: Sampler, Hashable {
    /// The bridge, whose coefficients decide the weights of every step.
    public var bridge: SBVE
    /// Whether a step adds noise (`sde`) or not (`ode`).
    public var process: BridgeSampler.Process
    /// The number of steps `N`, which is also the number of evaluations.
    public var steps: Int

    public init(bridge: SBVE = SBVE(), process: BridgeSampler.Process = .ode, steps: Int = 50) {
        precondition(steps > 0, "\(steps) steps")
        (self.bridge, self.process, self.steps) = (bridge, process, steps)
    }

    /// The bridge's end, where the state is `y` itself.
    public var start: Double { bridge.endTime }

    /// `N` calls of a model that predicts clean speech, at the times that the steps leave; the last prediction is the
    /// result.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        var clean = CountedScore(predict)
        let times = timeGrid(from: bridge.endTime, to: 0, count: steps + 1)
        var (x, estimate) = (y, y)
        for step in 0..<steps {
            let (t, s) = (times[step], times[step + 1])
            estimate = clean(x, given: y, at: t)
            let mean: Tensor
            switch process {
            case .ode:
                let weights = odeWeights(from: t, to: s)
                let kept = Tensor.weighted(weights.state, x - y, weights.state + weights.noisy, y)
                mean = .weighted(1, kept, weights.clean, estimate)
                x = mean
            case .sde:
                let weights = sdeWeights(from: t, to: s)
                mean = .weighted(weights.state, x, weights.clean, estimate)
                x = .weighted(1, mean, weights.std, noise.increment(from: t, to: s, like: x))
            }
            let isLast = step == steps - 1
            observe?(
                IntermediateState(step: step, time: s, state: isLast ? estimate : x, mean: isLast ? estimate : mean))
        }
        return Sample(x: estimate, nfe: clean.nfe)
    }

    /// `σ_t²`, with ε at the start.
    private func variance(_ t: Double) -> Double { bridge.variance(at: t) + bridge.epsilon }

    func sdeWeights(from t: Double, to s: Double) -> (state: Double, clean: Double, std: Double) {
        let kept = variance(s) / (variance(t) + bridge.epsilon)
        return (kept, 1 - kept, bridge.noiseScale * (variance(s) * max(0, 1 - kept)).squareRoot())
    }

    func odeWeights(from t: Double, to s: Double) -> (state: Double, clean: Double, noisy: Double) {
        let epsilon = bridge.epsilon
        let whole = variance(bridge.endTime) + epsilon
        let past = (old: variance(t).squareRoot(), new: variance(s).squareRoot())
        let future = (
            old: bridge.remainingVariance(at: t).squareRoot(), new: bridge.remainingVariance(at: s).squareRoot()
        )
        let product = past.new * future.new
        return (
            product / (past.old * future.old + epsilon),
            (future.new * future.new - future.old * product / (past.old + epsilon)) / whole,
            (past.new * past.new - past.old * product / (future.old + epsilon)) / whole
        )
    }
}
