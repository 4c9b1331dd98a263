import Tensors

/// Tests of guidance: `w = 1` gives the conditional score, `w = 0` the unconditional one, and it is linear between.
///
/// Everything is computed without the shortcut at these scales. On a model whose conditional difference is zero all of
/// this holds for any guidance, so such a result is called vacuous.
public struct NullTests: Hashable, Sendable, Codable {
    /// `‖s₁ − s₀‖/‖s₀‖`.
    public var conditionalDifference: Double
    /// `‖g(1) − s₁‖/‖s₁‖` and `‖g(0) − s₀‖/‖s₀‖`.
    public var errorAtOne, errorAtZero: Double
    /// The largest `‖g(w ± ε) − s_w‖/‖s_w‖ − ε‖s₁ − s₀‖/‖s_w‖` at `w` = 1 and 0: what is left beyond the line.
    public var excessAtLimits: Double
    /// The slope of `g(w)` along `s₁ − s₀`, which is 1; −1 means that guidance leads away from the reference.
    public var slope: Double

    /// The largest error of the scores at w = 1 and w = 0 that passes.
    public static let tolerance = 1e-5
    static let offset = 1e-4

    /// Whether conditional and unconditional score are the same, so that these tests show nothing.
    public var isVacuous: Bool { conditionalDifference < 1e-6 }
    /// Whether guidance moves the score away from the reference.
    public var isFlipped: Bool { !isVacuous && slope < 0 }
    /// Whether all errors are within ``tolerance`` and the slope is 1 within 1 %.
    public var passes: Bool {
        let errors = [errorAtOne, errorAtZero, excessAtLimits]
        return errors.allSatisfy { $0 <= Self.tolerance } && (isVacuous || abs(slope - 1) < 1e-2)
    }

    /// The worst over some states and times.
    public init(_ subject: ProbeSubject, _ states: [ProbeState], times: [Double]) {
        (conditionalDifference, errorAtOne, errorAtZero, excessAtLimits, slope) = (0, 0, 0, 0, 1)
        var slopes: [Double] = []
        for state in states {
            for t in times {
                if let slope = add(subject, state, t) { slopes.append(slope) }
            }
        }
        if !slopes.isEmpty { slope = slopes.reduce(0, +) / Double(slopes.count) }
    }

    /// Takes in one state at one time, and gives the slope there if the conditional difference is not zero.
    private mutating func add(_ subject: ProbeSubject, _ state: ProbeState, _ t: Double) -> Double? {
        Gradients.off { () -> Double? in
            let (x, y, z) = (state.state(of: subject.model, at: t), state.noisy, state.oracle)
            let conditional = subject.score(x, y, t, z)
            let unconditional = subject.score(x, y, t, .zeros(z.shape))
            let difference = conditional - unconditional
            let square = difference.squaredNorm
            conditionalDifference = max(conditionalDifference, relative(square, to: unconditional))
            let (one, zero) = (subject.guided(x, y, t, z, 1), subject.guided(x, y, t, z, 0))
            errorAtOne = max(errorAtOne, relative((one - conditional).squaredNorm, to: conditional))
            errorAtZero = max(errorAtZero, relative((zero - unconditional).squaredNorm, to: unconditional))
            for (scale, limit) in [(1.0, conditional), (0.0, unconditional)] {
                for offset in [-Self.offset, Self.offset] {
                    let near = subject.guided(x, y, t, z, scale + offset)
                    let excess =
                        relative((near - limit).squaredNorm, to: limit) - Self.offset * relative(square, to: limit)
                    excessAtLimits = max(excessAtLimits, excess)
                }
            }
            guard square > 0 else { return nil }
            return Double((one - zero).dot(difference).item) / square
        }
    }

    private func relative(_ square: Double, to tensor: Tensor) -> Double {
        let norm = tensor.squaredNorm
        return norm > 0 ? (square / norm).squareRoot() : square > 0 ? .infinity : 0
    }
}
