public import Checkpoints
import Specs

/// How an optimizer step is made of a gradient: Adam's rate over time, its second moment, and the averages of the
/// weights.
public struct OptimizerRule: Sendable {
    /// The averages that are kept.
    public enum Averages: Hashable, Sendable {
        /// One with a decay that grows to a limit: `min(β, (1 + n)/(10 + n))` at update `n`.
        case exponential(Double)
        /// One power function for each standard deviation; the first is the one that is evaluated.
        case powerFunctions([PowerFunction])
        case halfLife(HalfLife)
    }

    /// Adam's rate where nothing reduces it.
    public var rate: Double
    /// After so many steps the rate falls with the root of the steps; never if `nil`.
    public var referenceSteps: Double?
    /// Over so many examples the rate grows from 0; at once if `nil`.
    public var rampUp: Double?
    /// `β₂`, the decay of Adam's second moment; `β₁` is 0.9.
    public var beta2 = 0.999
    /// Which averages of the weights are kept; the first is evaluated.
    public var averages: Averages
    /// The gradient's norm beyond which it is scaled down.
    public var clip: Double?
    /// Examples of a step, which are the unit of training time.
    public var batch: Int

    public init(rate: Double, averages: Averages, clip: Double? = nil, batch: Int = 1) {
        (self.rate, self.averages, self.clip, self.batch) = (rate, averages, clip, batch)
    }

    /// The rule of a spec.
    init(_ spec: TrainSpec) {
        let averages: Averages =
            if let length = spec.emaHalfLife { .halfLife(HalfLife(examples: length)) } else if spec.emaStds.isEmpty {
                .exponential(spec.emaDecay)
            } else { .powerFunctions(spec.emaStds.map { PowerFunction(std: $0) }) }
        self.init(rate: spec.lr, averages: averages, clip: spec.gradClip, batch: spec.effectiveBatch)
        (referenceSteps, rampUp) = (spec.lrRefBatches, spec.lrRampup)
        beta2 = spec.adamBeta2 ?? beta2
    }

    /// The rate of the step after `steps` others: `lr / √max(n/(ref·B), 1) · min(n/rampup, 1)` with `n = steps·B`
    /// examples seen.
    ///
    /// With a ramp the first step has the rate 0, as in the reference. EDM2, CVPR 2024, Eq. (67); EDM2SE.
    public func rate(after steps: Int) -> Double { rate(seen: Double(steps) * Double(batch)) }

    /// The rate after so many examples.
    package func rate(seen: Double) -> Double {
        var rate = rate
        if let referenceSteps, referenceSteps > 0 {
            rate /= max(seen / (referenceSteps * Double(batch)), 1).squareRoot()
        }
        if let rampUp, rampUp > 0 { rate *= min(seen / rampUp, 1) }
        return rate
    }

    /// The decay of each average at update `step`, counted from 1.
    func decays(at step: Int) -> [Double] {
        switch averages {
        case .exponential(let limit): [TrainingState.decay(limit, update: step)]
        case .halfLife(let average): [average.decay(at: Double(step) * Double(batch), delta: Double(batch))]
        case .powerFunctions(let profiles):
            profiles.map { $0.decay(at: Double(step) * Double(batch), delta: Double(batch)) }
        }
    }
}
