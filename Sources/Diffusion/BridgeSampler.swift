public import Tensors

/// Sampling of the Schrödinger bridge with a model that predicts clean speech.
///
/// The times are `N + 1` even ones from the bridge's end to `finalTime`. From `t` to `s`, with the prediction `x̂₀`,
///
///     sde:  x_s = (σ_s²/σ_t²) x_t + (1 − σ_s²/σ_t²) x̂₀ + σ_s √(1 − σ_s²/σ_t²) z
///     ode:  x_s = (σ_s σ̄_s / σ_t σ̄_t) x_t + (σ̄_s² − σ̄_t σ_s σ̄_s / σ_t) x̂₀ / σ_T²
///                 + (σ_s² − σ_t σ_s σ̄_s / σ̄_t) y / σ_T²
///
/// Jukić et al., *Schrödinger Bridge for Generative Speech Enhancement*, Interspeech 2024, Eq. (12) and (13), with the
/// ε of ``SBVE`` in the denominators where the reference implementation has it.
///
/// Training draws `t ≥ t_eps`; with the usual `finalTime` of 1e-4 the last calls are at times below the training range,
/// and the last one contributes most of the result. Hence the end time is a parameter.
public struct BridgeSampler: Sampler, Hashable {
    /// Which of two processes with the bridge's marginals is followed: the ODE without noise, or the SDE with new noise
    /// in every step.
    public enum Process: String, Hashable, Sendable, CaseIterable {
        case ode, sde
    }

    /// The bridge, whose coefficients decide the weights of every step.
    public var bridge: SBVE
    /// `ode` is deterministic and takes no random numbers; `sde` draws noise in every step and does not add the last
    /// draw.
    public var process: Process
    /// The number of steps `N`, which is also the number of evaluations.
    public var steps: Int
    /// The last grid time, above or equal to 0, at which the model is called once more.
    public var finalTime: Double

    public init(bridge: SBVE = SBVE(), process: Process = .ode, steps: Int = 50, finalTime: Double = 1e-4) {
        precondition(steps > 0, "\(steps) steps")
        (self.bridge, self.process, self.steps, self.finalTime) = (bridge, process, steps, finalTime)
    }

    /// The bridge's end, where the state is `y` itself.
    public var start: Double { bridge.endTime }

    /// `N` calls of a model that predicts clean speech, at the times that the steps reach.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        var clean = CountedScore(predict)
        let times = timeGrid(from: bridge.endTime, to: finalTime, count: steps + 1)
        var x = y
        for step in 0..<steps {
            let (t, s) = (times[step], times[step + 1])
            let estimate = clean(x, given: y, at: s)
            let mean: Tensor
            switch process {
            case .ode:
                let weights = odeWeights(from: t, to: s)
                mean = .weighted(1, .weighted(weights.state, x, weights.noisy, y), weights.clean, estimate)
                x = mean
            case .sde:
                let weights = sdeWeights(from: t, to: s)
                mean = .weighted(weights.state, x, weights.clean, estimate)
                // The last step adds no noise; its noise is drawn nevertheless, as in the reference.
                let z = noise.increment(from: t, to: s, like: x)
                x = step == steps - 1 ? mean : .weighted(1, mean, weights.std, z)
            }
            observe?(IntermediateState(step: step, time: s, state: x, mean: mean))
        }
        return Sample(x: x, nfe: clean.nfe)
    }

    func sdeWeights(from t: Double, to s: Double) -> (state: Double, clean: Double, std: Double) {
        let (old, new) = (bridge.variance(at: t), bridge.variance(at: s))
        let kept = new / (old + bridge.epsilon)
        return (kept, 1 - kept, (new * max(0, 1 - kept)).squareRoot())
    }

    func odeWeights(from t: Double, to s: Double) -> (state: Double, clean: Double, noisy: Double) {
        let epsilon = bridge.epsilon
        let whole = bridge.variance(at: bridge.endTime) + epsilon
        let past = (old: bridge.variance(at: t).squareRoot(), new: bridge.variance(at: s).squareRoot())
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
