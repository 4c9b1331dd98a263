public import Tensors

/// Predictor–corrector sampling of the reverse SDE.
///
/// The times are `N` even ones from the start to `finalTime`. At each of them the corrector acts first, then the
/// predictor steps to the next time; the last step goes from `finalTime` to 0.
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Alg. 1, in the order of the SGMSE family.
public struct PredictorCorrector: Sampler {
    /// The process that is reversed.
    public var sde: any SDE
    /// The step from one time to the next.
    public var predictor: any Predictor
    /// The steps that correct the state at one time.
    public var corrector: any Corrector
    /// Steps of the corrector before each step of the predictor.
    public var correctorSteps: Int
    /// The number of steps `N`.
    public var steps: Int
    /// `t_eps`, the last time at which the model is evaluated.
    public var finalTime: Double
    /// Whether the result is the last mean instead of the last noisy state.
    public var denoises: Bool
    /// Where the reverse process starts, the SDE's end unless set; `bbed` starts in the middle for half the cost.
    public var startTime: Double?

    public init(
        sde: any SDE, predictor: any Predictor = .reverseDiffusion, corrector: any Corrector = .ald(),
        correctorSteps: Int = 1, steps: Int = 30, finalTime: Double = 0.03, denoises: Bool = true,
        startTime: Double? = nil
    ) {
        precondition(steps > 0 && correctorSteps >= 0, "\(steps) steps with \(correctorSteps) corrections each")
        (self.sde, self.predictor, self.corrector) = (sde, predictor, corrector)
        (self.correctorSteps, self.steps, self.finalTime) = (correctorSteps, steps, finalTime)
        (self.denoises, self.startTime) = (denoises, startTime)
    }

    /// ``startTime``, or the end time of the SDE.
    public var start: Double { startTime ?? sde.endTime }

    /// As the corrector's steps are.
    public var samplesAreIndependent: Bool { correctorSteps == 0 || corrector.samplesAreIndependent }

    /// What the reference implementation reports: one evaluation per step and correction, made or not.
    public var nominalEvaluations: Int { steps * (1 + correctorSteps * corrector.evaluationsPerStep) }

    /// At each of `N` grid times first the corrections, then one predictor step. The result is the last mean, or the
    /// last sample without ``denoises``.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        var score = CountedScore(predict)
        let predictor = predictor.prepared(for: steps)
        let times = timeGrid(from: start, to: finalTime, count: steps)
        var x = sde.prior(around: y, at: start, noise: &noise)
        var mean = x
        for (step, t) in times.enumerated() {
            for substep in 0..<correctorSteps {
                x = corrector.step(
                    x, given: y, at: t, step: step, substep: substep, of: sde, score: &score, noise: &noise)
            }
            let next = step + 1 < times.count ? times[step + 1] : 0
            let result = predictor.step(x, given: y, from: t, to: next, of: sde, score: &score, noise: &noise)
            (x, mean) = (result.sample, result.mean)
            observe?(IntermediateState(step: step, time: next, state: x, mean: mean))
        }
        return Sample(x: denoises ? mean : x, nfe: score.nfe)
    }
}

extension SDE {
    /// A draw of the sampling start `y + std·z`, or `std·z` for a process that starts from noise; none where `std` is
    /// 0.
    func prior(around y: Tensor, at t: Double, noise: inout NoiseSource) -> Tensor {
        let std = priorStd(at: t)
        return std == 0 ? y : .weighted(priorMean, y, std, noise.prior(like: y))
    }
}
