import Foundation

/// The embedded Runge–Kutta pair of orders 5 and 4 with adaptive steps.
///
/// Dormand and Prince, *A family of embedded Runge–Kutta formulae*, 1980. First step and step control follow Hairer,
/// Nørsett and Wanner, *Solving Ordinary Differential Equations I*, II.4, with the constants of SciPy's `RK45`, so that
/// the number of evaluations is comparable. A component's error is measured against
/// `absoluteTolerance + relativeTolerance · max(|x|, |x_new|)`, and the step's error is the root mean square.
struct DormandPrince {
    var relativeTolerance: Double
    var absoluteTolerance: Double
    private(set) var acceptedSteps = 0
    private(set) var rejectedSteps = 0

    init(relativeTolerance: Double, absoluteTolerance: Double) {
        self.relativeTolerance = max(relativeTolerance, 100 * Double.ulpOfOne)
        self.absoluteTolerance = absoluteTolerance
    }

    private static let nodes: [Double] = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1]
    /// Row `s` weighs the slopes before stage `s`; the last row gives the solution, so its slope opens the next step.
    private static let weights: [[Double]] = [
        [],
        [1 / 5],
        [3 / 40, 9 / 40],
        [44 / 45, -56 / 15, 32 / 9],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
    /// The solution of order 4 less that of order 5.
    private static let errorWeights: [Double] = [
        -71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339_200, -22 / 525, 1 / 40,
    ]

    /// Solves from `start` to `end`, in either direction; `observe` is called with every accepted state.
    mutating func solve<State: SolvedState>(
        from start: Double, to end: Double, _ initial: State, observe: (Double, State) -> Void = { _, _ in },
        slope: (Double, State) -> State
    ) -> State {
        guard start != end, !initial.isEmpty else { return initial }
        let direction: Double = end > start ? 1 : -1
        var (t, x) = (start, initial)
        var first = slope(t, x)
        var size = firstStep(at: t, x, first, to: end, direction, slope)
        while direction * (end - t) > 0 {
            let smallest = 10 * t.ulp
            size = max(size, smallest)
            var wasRejected = false
            while true {
                let next = direction * (t + direction * size - end) > 0 ? end : t + direction * size
                let h = next - t
                size = abs(h)
                let (candidate, slopes) = stages(at: t, x, first, h, slope)
                let error = errorNorm(slopes, h, x, candidate)
                // A NaN error ends the refinement too: no smaller step would remove it.
                if error < 1 || error.isNaN || size <= smallest {
                    let growth = error == 0 ? 10 : min(10, 0.9 * pow(error, -0.2))
                    size *= wasRejected ? min(1, growth) : growth
                    (t, x, first) = (next, candidate, slopes[6])
                    acceptedSteps += 1
                    break
                }
                size *= max(0.2, 0.9 * pow(error, -0.2))
                wasRejected = true
                rejectedSteps += 1
            }
            observe(t, x)
        }
        return x
    }

    private func stages<State: SolvedState>(
        at t: Double, _ x: State, _ first: State, _ h: Double, _ slope: (Double, State) -> State
    ) -> (solution: State, slopes: [State]) {
        var slopes = [first]
        var state = x
        for stage in 1...6 {
            state = x
            for (weight, slope) in zip(Self.weights[stage], slopes) where weight != 0 { state.add(h * weight, slope) }
            slopes.append(slope(t + Self.nodes[stage] * h, state))
        }
        return (state, slopes)
    }

    private func errorNorm<State: SolvedState>(_ slopes: [State], _ h: Double, _ old: State, _ new: State) -> Double {
        var error = old.zeros
        for (weight, slope) in zip(Self.errorWeights, slopes) where weight != 0 { error.add(h * weight, slope) }
        return norm(error, old, new)
    }

    private func firstStep<State: SolvedState>(
        at t: Double, _ x: State, _ first: State, to end: Double, _ direction: Double, _ slope: (Double, State) -> State
    ) -> Double {
        let length = abs(end - t)
        let (size, speed) = (norm(x, x, x), norm(first, x, x))
        let guess = min(length, size < 1e-5 || speed < 1e-5 ? 1e-6 : 0.01 * size / speed)
        var probe = x
        probe.add(guess * direction, first)
        var change = slope(t + guess * direction, probe)
        change.add(-1, first)
        let curvature = norm(change, x, x) / guess
        let steepest = max(speed, curvature)
        let limit = steepest <= 1e-15 ? max(1e-6, 1e-3 * guess) : pow(0.01 / steepest, 0.2)
        return min(100 * guess, limit, length)
    }

    private func norm<State: SolvedState>(_ values: State, _ a: State, _ b: State) -> Double {
        values.norm(beside: a, b, absolute: absoluteTolerance, relative: relativeTolerance)
    }
}
