public import Tensors

/// Sampling by the probability-flow ODE, whose solutions have the marginals of the SDE.
///
///     dx/dt = f(x, y, t) − ½ g(t)² score(x, y, t)
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Eq. (13). The ODE is solved from the start
/// to `finalTime`; if wanted, one mean step of the reverse SDE then goes to 0.
public struct ProbabilityFlow: Sampler {
    /// The process whose probability flow is followed.
    public var sde: any SDE
    /// How the ODE is solved.
    public var solver: ODESolver
    /// The time at which the solution ends, above 0.
    public var finalTime: Double
    /// Whether a last step without noise follows.
    public var denoises: Bool
    /// Where the solution begins; the end time of the process if `nil`.
    public var startTime: Double?

    public init(
        sde: any SDE, solver: ODESolver = .rk45(), finalTime: Double = 0.03, denoises: Bool = true,
        startTime: Double? = nil
    ) {
        (self.sde, self.solver, self.finalTime) = (sde, solver, finalTime)
        (self.denoises, self.startTime) = (denoises, startTime)
    }

    /// ``startTime``, or the end time of the SDE.
    public var start: Double { startTime ?? sde.endTime }

    /// Not with adaptive steps, which the samples of a batch share.
    public var samplesAreIndependent: Bool { solver.samplesAreIndependent }

    /// The prior's noise is the only random draw; the number of calls depends on the solver.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        var score = CountedScore(predict)
        let prior = sde.prior(around: y, at: start, noise: &noise)
        var x = solver.solve(prior, from: start, to: finalTime, observe: observe) {
            slope($0, given: y, at: $1, score: &score)
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
}
