import Tensors

/// Sampling by the probability-flow ODE, whose solutions have the marginals of the SDE.
///
///     dx/dt = f(x, y, t) − ½ g(t)² score(x, y, t)
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Eq. (13). The ODE is solved from the start to
/// `finalTime`; if wanted, one mean step of the reverse SDE then goes to 0.
public struct ProbabilityFlow: Sampler {
    public enum Solver: Hashable, Sendable {
        /// Adaptive Dormand–Prince 5(4). The step sizes are common to the batch.
        case rk45(relativeTolerance: Double = 1e-5, absoluteTolerance: Double = 1e-5)
        /// Euler's method: one evaluation per step.
        case euler(steps: Int)
        /// Heun's method: two evaluations per step.
        case heun(steps: Int)
    }

    public var sde: any SDE
    public var solver: Solver
    public var finalTime: Double
    public var denoises: Bool
    public var startTime: Double?

    public init(
        sde: any SDE, solver: Solver = .rk45(), finalTime: Double = 0.03, denoises: Bool = true, startTime: Double? = nil
    ) {
        (self.sde, self.solver, self.finalTime) = (sde, solver, finalTime)
        (self.denoises, self.startTime) = (denoises, startTime)
    }

    public var start: Double { startTime ?? sde.endTime }

    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?, predict: @escaping Prediction
    ) -> Sample {
        var score = CountedScore(predict)
        let prior = sde.prior(around: y, at: start, noise: &noise)
        var x = switch solver {
        case .rk45(let relative, let absolute):
            adaptive(prior, given: y, from: start, relative, absolute, score: &score, observe: observe)
        case .euler(let steps):
            fixed(prior, given: y, from: start, steps: steps, corrects: false, score: &score, observe: observe)
        case .heun(let steps):
            fixed(prior, given: y, from: start, steps: steps, corrects: true, score: &score, observe: observe)
        }
        if denoises {
            let (f, s) = (sde.reverseDrift(at: finalTime), score(x, given: y, at: finalTime))
            x = Tensor.weighted(1 - f.x * finalTime, x, -f.y * finalTime, y) - (f.score * finalTime) * s
        }
        return Sample(x: x, nfe: score.nfe)
    }

    private func slope(_ x: Tensor, given y: Tensor, at t: Double, score: inout CountedScore) -> Tensor {
        let f = sde.reverseDrift(at: t, probabilityFlow: true)
        return .weighted(1, .weighted(f.x, x, f.y, y), f.score, score(x, given: y, at: t))
    }

    private func fixed(
        _ prior: Tensor, given y: Tensor, from start: Double, steps: Int, corrects: Bool, score: inout CountedScore,
        observe: ((IntermediateState) -> Void)?
    ) -> Tensor {
        precondition(steps > 0, "\(steps) steps")
        let times = timeGrid(from: start, to: finalTime, count: steps + 1)
        var x = prior
        for step in 0..<steps {
            let (t, next) = (times[step], times[step + 1])
            let first = slope(x, given: y, at: t, score: &score)
            let euler = Tensor.weighted(1, x, next - t, first)
            if corrects {
                let second = slope(euler, given: y, at: next, score: &score)
                x = .weighted(1, x, 0.5 * (next - t), first + second)
            } else {
                x = euler
            }
            observe?(IntermediateState(step: step, time: next, state: x, mean: x))
        }
        return x
    }

    /// The state is kept in `Double`, and complex values count as one component of the error, as in SciPy.
    private func adaptive(
        _ prior: Tensor, given y: Tensor, from start: Double, _ relative: Double, _ absolute: Double,
        score: inout CountedScore, observe: ((IntermediateState) -> Void)?
    ) -> Tensor {
        func tensor(_ state: [Double]) -> Tensor { Tensor(state.map(Float.init), shape: y.shape) }
        var solver = DormandPrince(
            relativeTolerance: relative, absoluteTolerance: absolute, componentWidth: y.shape.last == 2 ? 2 : 1)
        var step = 0
        let end = solver.solve(
            from: start, to: finalTime, prior.values.map(Double.init),
            observe: { t, state in
                guard let observe else { return }
                let x = tensor(state)
                observe(IntermediateState(step: step, time: t, state: x, mean: x))
                step += 1
            },
            slope: { t, state in slope(tensor(state), given: y, at: t, score: &score).values.map(Double.init) })
        return tensor(end)
    }
}
