public import Tensors

/// Sampling of a flow: the ODE whose slope is the velocity that a model predicts.
///
///     dx/dt = v(x, y, t)
///
/// With `reachesZero` the times are `N` even ones from the start to `finalTime`, and then 0: the last step is Euler's
/// and `finalTime` long, because no model was trained below it. Euler's method thus evaluates the model N times, last
/// at `finalTime`, as the reference implementation does; a method of two evaluations takes 2N − 1. Without it, N even
/// steps end at `finalTime`.
///
/// Lee et al., *FlowSE*, ICASSP 2025. The reference takes the prior at 1 also where sampling starts before; so it is
/// here with a `priorTime` of 1.
public struct VelocityFlow: Sampler {
    /// The process whose velocity the network predicts.
    public var process: any SDE
    /// How the ODE is solved.
    public var solver: ODESolver
    /// The last time at which the model is evaluated.
    public var finalTime: Double
    /// Whether a last Euler step goes from ``finalTime`` to 0, or the solution ends at ``finalTime``.
    public var reachesZero: Bool
    /// Where the solution begins; the end time of the process if `nil`.
    public var startTime: Double?
    /// The time whose standard deviation the start has; ``start`` if `nil`.
    public var priorTime: Double?
    /// The mean of the start, if not noisy speech; `[B, F, N, 2]`.
    public var priorCentre: Tensor?

    public init(
        process: any SDE = FlowMatching(), solver: ODESolver = .euler(steps: 5), finalTime: Double = 0.03,
        reachesZero: Bool = true, startTime: Double? = nil, priorTime: Double? = nil, priorCentre: Tensor? = nil
    ) {
        (self.process, self.solver, self.finalTime) = (process, solver, finalTime)
        (self.reachesZero, self.startTime, self.priorTime) = (reachesZero, startTime, priorTime)
        self.priorCentre = priorCentre
    }

    /// ``startTime``, or the end time of the process.
    public var start: Double { startTime ?? process.endTime }

    /// Not with adaptive steps, which the samples of a batch share.
    public var samplesAreIndependent: Bool { solver.samplesAreIndependent }

    /// The prior's noise is the only random draw; the number of calls depends on the solver.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        var velocity = CountedScore(predict)
        let prior = process.prior(around: priorCentre ?? y, at: priorTime ?? start, noise: &noise)
        guard reachesZero else {
            let x = solver.solve(prior, from: start, to: finalTime, observe: observe) { velocity($0, given: y, at: $1) }
            return Sample(x: x, nfe: velocity.nfe)
        }
        var (x, t, states) = (prior, start, 0)
        if let solver = solver.beforeTheLastStep {
            let count: (IntermediateState) -> Void = { state in
                states += 1
                observe?(state)
            }
            (x, t) = (
                solver.solve(prior, from: start, to: finalTime, observe: count) { velocity($0, given: y, at: $1) },
                finalTime
            )
        }
        x = RungeKutta.euler.step(x, from: t, to: 0) { velocity($0, given: y, at: $1) }
        observe?(IntermediateState(step: states, time: 0, state: x, mean: x))
        return Sample(x: x, nfe: velocity.nfe)
    }
}

extension ODESolver {
    /// The solver of all steps but the last; `nil` where there is only one.
    fileprivate var beforeTheLastStep: ODESolver? {
        guard case .fixed(let method, let steps) = self else { return self }
        return steps > 1 ? .fixed(method, steps: steps - 1) : nil
    }
}
