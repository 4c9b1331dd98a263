public import Tensors

/// An explicit Runge–Kutta method of fixed step for `dx/dt = v(x, t)`.
///
/// With `h = s − t` and `k₁ = v(x, t)`, a step from `t` to `s` is
///
///     euler:          x + h k₁
///     midpoint:       x + h v(x + h/2 k₁, t + h/2)
///     heun:           x + h/2 (k₁ + v(x + h k₁, s))
///     threeEighths:   x + h/8 (k₁ + 3 k₂ + 3 k₃ + k₄), Kutta's 3/8 rule
///
/// Hairer, Nørsett and Wanner, *Solving Ordinary Differential Equations I*, Sec. II.1.
public enum RungeKutta: String, Hashable, Sendable, CaseIterable {
    case euler, midpoint, heun, threeEighths

    /// The order of convergence: the error falls as `h` to this power.
    public var order: Int {
        switch self {
        case .euler: 1
        case .midpoint, .heun: 2
        case .threeEighths: 4
        }
    }

    /// Evaluations of the slope per step; equal to the order for these methods.
    public var evaluationsPerStep: Int { order }

    /// The state at `s` from the state `x` at `t`.
    public func step(_ x: Tensor, from t: Double, to s: Double, slope v: (Tensor, Double) -> Tensor) -> Tensor {
        let h = s - t
        let first = v(x, t)
        switch self {
        case .euler:
            return .weighted(1, x, h, first)
        case .midpoint:
            return .weighted(1, x, h, v(.weighted(1, x, 0.5 * h, first), t + 0.5 * h))
        case .heun:
            return .weighted(1, x, 0.5 * h, first + v(.weighted(1, x, h, first), s))
        case .threeEighths:
            let second = v(.weighted(1, x, h / 3, first), t + h / 3)
            let third = v(.weighted(1, x, h, second - (1 / 3) * first), t + 2 * h / 3)
            let fourth = v(.weighted(1, x, h, first - second + third), s)
            return .weighted(1, x, h / 8, first + 3 * (second + third) + fourth)
        }
    }
}
