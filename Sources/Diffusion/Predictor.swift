public import Tensors

/// One step of the reverse SDE, from `t` to an earlier `s`.
public protocol Predictor: Sendable {
    func step(
        _ x: Tensor, given y: Tensor, from t: Double, to s: Double, of sde: any SDE, score: inout CountedScore,
        noise: inout NoiseSource
    ) -> PredictorStep

    /// The predictor for a sampling of `steps` steps.
    func prepared(for steps: Int) -> any Predictor
}

extension Predictor {
    /// Unchanged: most predictors do not depend on the number of steps.
    public func prepared(for steps: Int) -> any Predictor { self }
}

/// The outcome of a predictor: the mean, and the mean with the step's noise.
public struct PredictorStep: Sendable {
    /// The next state without its noise, `[B, F, N, 2]`.
    public var mean: Tensor
    /// The next state with its noise, `[B, F, N, 2]`.
    public var sample: Tensor

    public init(mean: Tensor, sample: Tensor) { (self.mean, self.sample) = (mean, sample) }
}

/// Euler–Maruyama on the reverse-time SDE.
///
///     x_s = x_t − [f(x_t, y, t) − g(t)² score(x_t, y, t)] (t − s) + g(t) √(t − s) z
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Eq. (6). The reference implementation steps
/// by 1/N whatever the grid is, and cannot run it; here the step is the grid's unless it is told to be 1/N.
public struct EulerMaruyama: Predictor, Hashable {
    /// Steps by 1/N whatever the grid is, as StoRM does.
    public var stepsByShare: Bool
    private var size: Double?

    public init(stepsByShare: Bool = false) { self.stepsByShare = stepsByShare }

    /// Fixes the step size at 1/N where ``stepsByShare`` is set.
    public func prepared(for steps: Int) -> any Predictor {
        var copy = self
        if stepsByShare { copy.size = 1 / Double(steps) }
        return copy
    }

    /// One call of the score at `t`, one draw of noise.
    public func step(
        _ x: Tensor, given y: Tensor, from t: Double, to s: Double, of sde: any SDE, score: inout CountedScore,
        noise: inout NoiseSource
    ) -> PredictorStep {
        let (dt, f) = (size ?? t - s, sde.reverseDrift(at: t))
        let drifted = Tensor.weighted(1 - f.x * dt, x, -f.y * dt, y)
        let mean = Tensor.weighted(1, drifted, -f.score * dt, score(x, given: y, at: t))
        let z = noise.increment(from: t, to: s, like: x)
        return PredictorStep(mean: mean, sample: .weighted(1, mean, sde.diffusion(at: t) * dt.squareRoot(), z))
    }
}

/// The reverse of the SDE's own discretisation `x ↦ x + (a x + b y) + G z`.
///
///     x_s = x_t − (a x_t + b y) + G² score(x_t, y, t) + G z
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, App. E. Where the SDE's discretisation is
/// Euler–Maruyama's, so is this.
public struct ReverseDiffusion: Predictor, Hashable {
    /// Steps by 1/N whatever the grid is, as StoRM does.
    public var stepsByShare: Bool
    private var size: Double?

    public init(stepsByShare: Bool = false) { self.stepsByShare = stepsByShare }

    /// Fixes the step size at 1/N where ``stepsByShare`` is set.
    public func prepared(for steps: Int) -> any Predictor {
        var copy = self
        if stepsByShare { copy.size = 1 / Double(steps) }
        return copy
    }

    /// One call of the score at `t`, one draw of noise; drift and diffusion are those of
    /// ``SDE/discretization(at:step:)``.
    public func step(
        _ x: Tensor, given y: Tensor, from t: Double, to s: Double, of sde: any SDE, score: inout CountedScore,
        noise: inout NoiseSource
    ) -> PredictorStep {
        let forward = sde.discretization(at: t, step: size ?? t - s)
        let drifted = Tensor.weighted(1 - forward.x, x, -forward.y, y)
        let mean = Tensor.weighted(1, drifted, forward.std * forward.std, score(x, given: y, at: t))
        let z = noise.increment(from: t, to: s, like: x)
        return PredictorStep(mean: mean, sample: .weighted(1, mean, forward.std, z))
    }
}

/// Ancestral sampling: the posterior of `x_s` given `x_t` and the clean speech that the score implies.
///
///     x_s = (x_t − b y + G² score(x_t, y, t)) / a + (G std(s) / std(t)) z
///
/// with the exact transition `x_t = a x_s + b y + G z`. Ho et al., *Denoising Diffusion Probabilistic Models*, NeurIPS
/// 2020, Eq. (7), for a mean that moves to `y`. Exact in one step when the clean speech is certain.
public struct Ancestral: Predictor, Hashable {
    public init() {}

    /// One call of the score at `t`, one draw of noise.
    public func step(
        _ x: Tensor, given y: Tensor, from t: Double, to s: Double, of sde: any SDE, score: inout CountedScore,
        noise: inout NoiseSource
    ) -> PredictorStep {
        let forward = sde.transition(from: s, to: t)
        let std = (early: sde.marginal(at: s).std, late: sde.marginal(at: t).std)
        let back = Tensor.weighted(1 / forward.x, x, -forward.y / forward.x, y)
        let pull = forward.std * forward.std / forward.x
        let mean = Tensor.weighted(1, back, pull, score(x, given: y, at: t))
        let z = noise.increment(from: t, to: s, like: x)
        return PredictorStep(mean: mean, sample: .weighted(1, mean, forward.std * std.early / std.late, z))
    }
}

/// No prediction: the corrector alone moves the state. Draws nothing and calls nothing.
public struct NoPredictor: Predictor, Hashable {
    public init() {}

    /// The state unchanged, as mean and as sample.
    public func step(
        _ x: Tensor, given y: Tensor, from t: Double, to s: Double, of sde: any SDE, score: inout CountedScore,
        noise: inout NoiseSource
    ) -> PredictorStep {
        PredictorStep(mean: x, sample: x)
    }
}

extension Predictor where Self == EulerMaruyama {
    /// Euler–Maruyama on the reverse SDE.
    public static var eulerMaruyama: EulerMaruyama { EulerMaruyama() }
}

extension Predictor where Self == ReverseDiffusion {
    /// The reverse of the forward discretisation.
    public static var reverseDiffusion: ReverseDiffusion { ReverseDiffusion() }
}

extension Predictor where Self == Ancestral {
    /// Ancestral sampling.
    public static var ancestral: Ancestral { Ancestral() }
}

extension Predictor where Self == NoPredictor {
    /// No prediction: the state is left to the corrector.
    public static var none: NoPredictor { NoPredictor() }
}
