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
    /// The adjacent numbers that make one component: 2 where the state is complex.
    var componentWidth = 1
    private(set) var acceptedSteps = 0
    private(set) var rejectedSteps = 0

    init(relativeTolerance: Double, absoluteTolerance: Double, componentWidth: Int = 1) {
        self.relativeTolerance = max(relativeTolerance, 100 * Double.ulpOfOne)
        (self.absoluteTolerance, self.componentWidth) = (absoluteTolerance, componentWidth)
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
    mutating func solve(
        from start: Double, to end: Double, _ initial: [Double], observe: (Double, [Double]) -> Void = { _, _ in },
        slope: (Double, [Double]) -> [Double]
    ) -> [Double] {
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
                // An error that is not a number ends the refinement too: no smaller step would mend it.
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

    private func stages(
        at t: Double, _ x: [Double], _ first: [Double], _ h: Double, _ slope: (Double, [Double]) -> [Double]
    ) -> (solution: [Double], slopes: [[Double]]) {
        var slopes = [first]
        var state = x
        for stage in 1...6 {
            state = x
            for (weight, slope) in zip(Self.weights[stage], slopes) where weight != 0 {
                let factor = h * weight
                for index in state.indices { state[index] += factor * slope[index] }
            }
            slopes.append(slope(t + Self.nodes[stage] * h, state))
        }
        return (state, slopes)
    }

    private func errorNorm(_ slopes: [[Double]], _ h: Double, _ old: [Double], _ new: [Double]) -> Double {
        var error = [Double](repeating: 0, count: old.count)
        for (weight, slope) in zip(Self.errorWeights, slopes) where weight != 0 {
            for index in error.indices { error[index] += h * weight * slope[index] }
        }
        return norm(error, scale: scale(old, new))
    }

    private func firstStep(
        at t: Double, _ x: [Double], _ first: [Double], to end: Double, _ direction: Double,
        _ slope: (Double, [Double]) -> [Double]
    ) -> Double {
        let (length, scale) = (abs(end - t), scale(x, x))
        let (size, speed) = (norm(x, scale: scale), norm(first, scale: scale))
        let guess = min(length, size < 1e-5 || speed < 1e-5 ? 1e-6 : 0.01 * size / speed)
        let probe = zip(x, first).map { $0 + guess * direction * $1 }
        let change = zip(slope(t + guess * direction, probe), first).map { $0 - $1 }
        let curvature = norm(change, scale: scale) / guess
        let steepest = max(speed, curvature)
        let limit = steepest <= 1e-15 ? max(1e-6, 1e-3 * guess) : pow(0.01 / steepest, 0.2)
        return min(100 * guess, limit, length)
    }

    // MARK: Components

    private func magnitude(_ values: [Double], _ component: Int) -> Double {
        guard componentWidth == 2 else { return abs(values[component]) }
        return hypot(values[2 * component], values[2 * component + 1])
    }

    private func scale(_ a: [Double], _ b: [Double]) -> [Double] {
        (0..<a.count / componentWidth).map {
            absoluteTolerance + relativeTolerance * max(magnitude(a, $0), magnitude(b, $0))
        }
    }

    private func norm(_ values: [Double], scale: [Double]) -> Double {
        var sum = 0.0
        for component in scale.indices {
            let share = magnitude(values, component) / scale[component]
            sum += share * share
        }
        return (sum / Double(scale.count)).squareRoot()
    }
}
