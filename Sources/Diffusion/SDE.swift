/// A diffusion that carries clean speech `x₀` toward noisy speech `y`.
///
///     dx = f(x, y, t) dt + g(t) dw,    0 ≤ t ≤ endTime
///
/// Coefficients are scalars, in `Double`; only losses and samplers apply them to spectrograms.
public protocol SDE: Sendable {
    var endTime: Double { get }
    /// The drift `f(x, y, t)`, as the weights of `x` and `y`.
    func drift(at t: Double) -> (x: Double, y: Double)
    /// The diffusion coefficient `g(t)`.
    func diffusion(at t: Double) -> Double
    /// The marginal `p(x_t | x₀, y)`: the mean's weights and the standard deviation.
    func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double)
    /// One forward step over `step` that ends at `t`; Euler–Maruyama unless the diffusion brings its own.
    func discretization(at t: Double, step: Double) -> Discretization
    /// The time derivative of the marginal's weights: the velocity of `x_t` for given `x₀`, `y` and noise.
    ///
    ///     dx_t/dt = clean(t) x₀ + noisy(t) y + std(t) z
    func velocity(at t: Double) -> (clean: Double, noisy: Double, std: Double)
    /// The standard deviation of the sampling start `y + std·z` at time `t`, usually the marginal's.
    func priorStd(at t: Double) -> Double
    /// The weight of `y` in the sampling start: 1, or 0 for a process that starts from noise alone.
    var priorMean: Double { get }
}

/// A forward step `x ↦ x + (a·x + b·y) + G z`.
public struct Discretization: Hashable, Sendable {
    /// The weights `a` and `b` of the increment.
    public var x, y: Double
    /// The noise's standard deviation `G`.
    public var std: Double

    public init(x: Double, y: Double, std: Double) { (self.x, self.y, self.std) = (x, y, std) }
}

/// The transition `p(x_t | x_s, y)` for `s < t`: `x_t = a·x_s + b·y + G z`.
public struct Transition: Hashable, Sendable {
    /// The weights `a` and `b`.
    public var x, y: Double
    /// The noise's standard deviation `G`.
    public var std: Double
}

extension SDE {
    /// Euler–Maruyama: drift times step, diffusion times its root.
    public func discretization(at t: Double, step: Double) -> Discretization {
        let f = drift(at: t)
        return Discretization(x: f.x * step, y: f.y * step, std: diffusion(at: t) * step.squareRoot())
    }

    /// From the ODEs of mean and variance; for `t` > 0, where the variance does not vanish.
    public func velocity(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let (f, g, p) = (drift(at: t), diffusion(at: t), marginal(at: t))
        return (f.x * p.clean, f.x * p.noisy + f.y, f.x * p.std + 0.5 * g * g / p.std)
    }

    /// That of the marginal, unless a process says otherwise.
    public func priorStd(at t: Double) -> Double { marginal(at: t).std }

    /// All of `y`, unless a process says otherwise.
    public var priorMean: Double { 1 }

    /// The weights of `x`, `y` and the score in the drift of the reverse SDE, or of the probability-flow ODE.
    ///
    ///     f − g² ∇log p    or    f − ½ g² ∇log p
    ///
    /// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Eq. (6) and (13).
    public func reverseDrift(
        at t: Double, probabilityFlow: Bool = false
    ) -> (x: Double, y: Double, score: Double) {
        let (f, g) = (drift(at: t), diffusion(at: t))
        return (f.x, f.y, -g * g * (probabilityFlow ? 0.5 : 1))
    }

    /// The exact transition from `s` to `t`; it follows from the marginals because the drift is linear.
    ///
    ///     a = clean(t) / clean(s),    b = noisy(t) − a noisy(s),    G² = std(t)² − a² std(s)²
    public func transition(from s: Double, to t: Double) -> Transition {
        let (early, late) = (marginal(at: s), marginal(at: t))
        let a = late.clean / early.clean
        let variance = late.std * late.std - a * a * early.std * early.std
        return Transition(x: a, y: late.noisy - a * early.noisy, std: max(0, variance).squareRoot())
    }

    /// How far the sampling start's mean `y` is from the marginal's at `t`: the residual weight of `x₀ − y`.
    ///
    /// Training ends its paths there, sampling begins at `y`; the difference is never learned.
    public func priorMismatch(at t: Double? = nil) -> Double { marginal(at: t ?? endTime).clean }
}
