import Foundation

/// A noise rate that grows linearly: `β(t) = β_min + t (β_max − β_min)` and `B(t) = ∫₀ᵗ β`.
struct LinearRate: Hashable, Sendable {
    var min: Double
    var max: Double

    func callAsFunction(_ t: Double) -> Double { min + t * (max - min) }
    func integral(to t: Double) -> Double { t * (min + 0.5 * t * (max - min)) }
}

/// The variance-preserving process, conditional on noisy speech; `s` scales its noise.
///
///     f = ½ β (y − x),    g² = s² β
///     mean = e^{−B/2} x₀ + (1 − e^{−B/2}) y,    std² = s² (1 − e^{−B})
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Eq. (11), with the mean drawn to `y` instead
/// of 0. Its discretisation is the exact transition, as in ancestral sampling (App. F there).
public struct VP: SDE, Hashable {
    /// The noise rate `β` at `t` = 0 and at `t` = 1.
    public var betaMin, betaMax: Double
    /// The factor `s` of the noise; 1 in the image setting.
    public var scale: Double
    /// 1, where `β` reaches its largest value.
    public var endTime: Double { 1 }
    private var rate: LinearRate { LinearRate(min: betaMin, max: betaMax) }

    public init(betaMin: Double = 0.1, betaMax: Double = 20, scale: Double = 0.5) {
        (self.betaMin, self.betaMax, self.scale) = (betaMin, betaMax, scale)
    }

    /// `f = ½ β(t) (y − x)`.
    public func drift(at t: Double) -> (x: Double, y: Double) { (-0.5 * rate(t), 0.5 * rate(t)) }

    /// `g = s √β(t)`.
    public func diffusion(at t: Double) -> Double { scale * rate(t).squareRoot() }

    /// Mean and standard deviation above, with `B = ∫₀ᵗ β`.
    public func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let b = rate.integral(to: t)
        return (exp(-0.5 * b), -expm1(-0.5 * b), scale * (-expm1(-b)).squareRoot())
    }

    /// The exact transition from `t − step`, or from 0, to `t`.
    public func discretization(at t: Double, step: Double) -> Discretization {
        Discretization(transition(from: max(0, t - step), to: t))
    }
}

/// The sub-variance-preserving process: the mean of ``VP`` with less noise.
///
///     f = ½ β (y − x),    g² = s² β (1 − e^{−2B})
///     std² = s² (1 − e^{−B})²
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Eq. (12), conditional as ``VP`` is.
public struct SubVP: SDE, Hashable {
    /// The noise rate `β` at `t` = 0 and at `t` = 1.
    public var betaMin, betaMax: Double
    /// The factor `s` of the noise; 1 in the image setting.
    public var scale: Double
    /// 1, where `β` reaches its largest value.
    public var endTime: Double { 1 }
    private var rate: LinearRate { LinearRate(min: betaMin, max: betaMax) }

    public init(betaMin: Double = 0.1, betaMax: Double = 20, scale: Double = 0.5) {
        (self.betaMin, self.betaMax, self.scale) = (betaMin, betaMax, scale)
    }

    /// `f = ½ β(t) (y − x)`, as of ``VP``.
    public func drift(at t: Double) -> (x: Double, y: Double) { (-0.5 * rate(t), 0.5 * rate(t)) }

    /// `g = s √(β(t) (1 − e^{−2B}))`.
    public func diffusion(at t: Double) -> Double {
        scale * (rate(t) * -expm1(-2 * rate.integral(to: t))).squareRoot()
    }

    /// The mean of ``VP``, and `std = s (1 − e^{−B})`.
    public func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let b = rate.integral(to: t)
        return (exp(-0.5 * b), -expm1(-0.5 * b), scale * -expm1(-b))
    }

    /// The exact transition from `t − step`, or from 0, to `t`.
    public func discretization(at t: Double, step: Double) -> Discretization {
        Discretization(transition(from: max(0, t - step), to: t))
    }
}

extension Discretization {
    /// The transition `a·x + b·y + G z` as an increment.
    fileprivate init(_ transition: Transition) {
        self.init(x: transition.x - 1, y: transition.y, std: transition.std)
    }
}

extension SDE where Self == VP {
    /// The variance-preserving process.
    public static func vp(betaMin: Double = 0.1, betaMax: Double = 20, scale: Double = 0.5) -> VP {
        VP(betaMin: betaMin, betaMax: betaMax, scale: scale)
    }
}

extension SDE where Self == SubVP {
    /// The sub-VP process.
    public static func subvp(betaMin: Double = 0.1, betaMax: Double = 20, scale: Double = 0.5) -> SubVP {
        SubVP(betaMin: betaMin, betaMax: betaMax, scale: scale)
    }
}
