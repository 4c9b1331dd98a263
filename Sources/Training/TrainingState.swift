import Backbones
import Checkpoints
package import Collectives
import Diffusion
public import Failures
import Foundation
import Kernels
import Layers
public import Models
public import Objectives
public import Tensors

/// The result of an optimizer step.
public struct StepResult: Sendable {
    /// The mean over the batches of the step.
    public var loss: Double
    /// The loss's terms, and of a conditioned model the share of dropped references (`cond_dropped`) and the norm of
    /// the gradient that reaches the encoder (`encoder_gradient_norm`).
    public var terms: [String: Double]
    /// The norm of the mean gradient over all trained weights, before clipping.
    public var gradientNorm: Double
}

/// The state that training changes: weights, Adam's moments and the moving average of the weights.
public final class TrainingState {
    /// The networks whose weights ``update(_:)`` changes.
    public var model: ScoreModel { objective.model }
    let objective: TrainingObjective
    private let rule: OptimizerRule
    var weights: [ModelWeight] { objective.weights }
    /// Adam's moments of the trained parameters, and the averages of all, in the order of the model's weights.
    public private(set) var moments: [(first: Tensor, second: Tensor)?]
    /// The moving averages of all weights, in the order of the model's weights; they begin as copies of the weights.
    public private(set) var averages: [Tensor]
    /// Power-function averages after the first, kept for `CheckpointAverage`: the standard deviation of each, and its
    /// weights.
    public private(set) var furtherAverages: [(std: Double, weights: [Tensor])]
    /// Optimizer steps made.
    public private(set) var step = 0
    /// The sums of the gradients of several processes, once they have begun a step together.
    var exchange: GradientExchange?
    /// Numbers of a piece of gradients; the usual ones where `nil`.
    package var pieceSize: Int?
    /// Pieces in which gradients are exchanged; 0 before the first step of several processes.
    package var exchangedPieces: Int { exchange?.count ?? 0 }
    /// How long exchanges of gradients took, and how long steps waited for them.
    package var exchangeTimes: PieceExchange.Times { exchange?.times ?? .init() }
    /// Steps that the moments had seen before this training began.
    public private(set) var warmSteps = 0

    public convenience init(
        model: ScoreModel, loss: any TrainingLoss, rate: Double, averageDecay: Double, clip: Double? = nil
    ) {
        self.init(
            model: model, loss: loss, rule: OptimizerRule(rate: rate, averages: .exponential(averageDecay), clip: clip))
    }

    public init(model: ScoreModel, loss: any TrainingLoss, rule: OptimizerRule) {
        objective = TrainingObjective(model: model, loss: loss)
        self.rule = rule
        let weights = objective.weights
        moments = weights.map { $0.isTrained ? (.zeros($0.parameter.shape), .zeros($0.parameter.shape)) : nil }
        averages = weights.map { $0.parameter.tensor.copied() }
        var further: [PowerFunction] = []
        if case .powerFunctions(let profiles) = rule.averages { further = Array(profiles.dropFirst()) }
        furtherAverages = further.map { ($0.std, weights.map { $0.parameter.tensor.copied() }) }
    }

    /// The rate of the next step.
    public var nextRate: Double { rule.rate(after: step) }

    /// The moving average's decay at update `n`, counted from 1: `min(β, (1 + n)/(10 + n))`.
    public static func decay(_ limit: Double, update n: Int) -> Double { min(limit, Double(1 + n) / Double(10 + n)) }

    /// One optimizer step over batches of equal size whose gradients are averaged.
    ///
    /// - Throws: `TrainingFailure` before anything changes, if the loss or the gradient is not finite.
    public func update(_ batches: [TrainingBatchInput]) throws(TrainingFailure) -> StepResult {
        var sums = [Tensor?](repeating: nil, count: weights.count)
        var (total, terms) = (0.0, [String: Double]())
        let share = 1 / Double(batches.count)
        for (place, batch) in batches.enumerated() {
            let one = Magnitude.$keepsWeights.withValue(place > 0) { objective.gradient(of: batch) }
            guard one.loss.isFinite else { throw TrainingFailure(step: step + 1, reason: .loss(one.loss)) }
            total += one.loss * share
            for (name, term) in one.terms { terms[name, default: 0] += term * share }
            for (index, gradient) in one.gradients.enumerated() {
                guard let gradient else { continue }
                sums[index] = sums[index].map { $0 + gradient } ?? gradient
            }
        }
        return try apply(sums, share: share, loss: total, terms)
    }

    /// Adam on the weights, from the sums of their gradients over all batches.
    ///
    /// - Parameters:
    ///   - share: One over the number of batches.
    ///   - terms: Of the loss, averaged over the batches.
    func apply(_ sums: [Tensor?], share: Double, loss: Double, _ terms: [String: Double]) throws(TrainingFailure)
        -> StepResult
    {
        var terms = terms
        let squares = Self.squares(of: sums)
        let norm = share * squares.reduce(0, +).squareRoot()
        guard norm.isFinite else { throw TrainingFailure(step: step + 1, reason: .gradient(norm)) }
        if model.isConditioned {
            let ofEncoder = zip(weights, squares).reduce(0.0) {
                $0 + ($1.0.name.hasPrefix(ScoreModel.encoderPrefix) ? $1.1 : 0)
            }
            terms["encoder_gradient_norm"] = share * ofEncoder.squareRoot()
        }
        let factor = share * (rule.clip.map { norm > $0 ? $0 / norm : 1 } ?? 1)
        let rate = nextRate
        step += 1
        let decays = rule.decays(at: step)
        let update = AdamUpdate(rate: rate, beta2: rule.beta2, count: step + warmSteps, decay: decays[0])
        updateAdam(
            weights.indices.compactMap { index in
                guard let moment = moments[index] else { return nil }
                return weights[index].parameter.forAdam(
                    gradient: sums[index], first: moment.first, second: moment.second, average: averages[index])
            }, gradientScale: factor, update)
        for place in furtherAverages.indices {
            let decay = decays[place + 1]
            for (index, weight) in weights.enumerated() where moments[index] != nil {
                let old = furtherAverages[place].weights[index]
                furtherAverages[place].weights[index] = .weighted(
                    decay, old, 1 - decay, weight.parameter.tensor.detached)
            }
        }
        return StepResult(loss: loss, terms: terms, gradientNorm: norm)
    }

    /// `Σ g²` of every gradient, 0 where there is none.
    private static func squares(of gradients: [Tensor?]) -> [Double] {
        var found = Tensor.squaredNorms(gradients.compactMap(\.self)).makeIterator()
        return gradients.map { $0 == nil ? 0 : found.next() ?? 0 }
    }

    /// The loss of a batch; for validation, under `Gradients.off`.
    public func evaluate(_ batch: TrainingBatchInput) -> LossValue { objective.loss(of: batch) }

    /// Runs `body` with the averaged weights in place of the trained ones.
    public func withAverages<Result>(_ body: () throws -> Result) rethrows -> Result {
        let raw = weights.map { $0.parameter.tensor.copied() }
        for (weight, average) in zip(weights, averages) { weight.parameter.assign(average) }
        defer { for (weight, value) in zip(weights, raw) { weight.parameter.assign(value) } }
        return try body()
    }

    /// Takes over a stored state.
    public func restore(
        step: Int, weights: [Tensor], averages: [Tensor], moments: [(first: Tensor, second: Tensor)?],
        warmSteps: Int = 0,
        furtherAverages: [(std: Double, weights: [Tensor])] = []
    ) {
        for (weight, value) in zip(self.weights, weights) { weight.parameter.assign(value) }
        self.averages = averages
        self.moments = moments
        self.step = step
        self.warmSteps = warmSteps
        for (place, own) in self.furtherAverages.enumerated() {
            self.furtherAverages[place].weights = furtherAverages.first { $0.std == own.std }?.weights ?? averages
        }
    }

    /// Starts from the model's present weights.
    ///
    /// - Parameters:
    ///   - step: Optimizer steps already done.
    ///   - averages: The weights' moving average; the weights themselves if `nil`.
    ///   - optimizer: The moments of another training and the number of their updates; zeros if `nil`.
    public func begin(
        step: Int = 0, averages: [Tensor]? = nil,
        optimizer: (moments: [(first: Tensor, second: Tensor)?], updates: Int)? = nil
    ) {
        self.step = step
        self.averages = averages ?? weights.map { $0.parameter.tensor.copied() }
        for place in furtherAverages.indices { furtherAverages[place].weights = self.averages.map { $0.copied() } }
        if let optimizer { (moments, warmSteps) = (optimizer.moments, optimizer.updates - step) }
    }
}

/// Why training cannot go on.
public struct TrainingFailure: Diagnostic, Hashable, Sendable {
    /// Which value stopped the training.
    public enum Reason: Hashable, Sendable {
        case loss(Double)
        case gradient(Double)
        /// The average of the last steps, and the least such average.
        case growth(Double, least: Double)
    }

    /// The optimizer step, counted from 1.
    public var step: Int
    /// The value at fault.
    public var reason: Reason

    public init(step: Int, reason: Reason) {
        self.step = step
        self.reason = reason
    }

    public var category: FailureCategory { .work }
    public var description: String { summary }

    public var summary: String {
        switch reason {
        case .loss(let value):
            """
            step \(step): the loss is \(value.isNaN ? "not a number" : "\(value)"); lower train.lr, set \
            train.grad_clip, or check the data
            """
        case .gradient(let value):
            """
            step \(step): the gradient's norm is \(value.isNaN ? "not a number" : "\(value)"); lower train.lr or set \
            train.grad_clip
            """
        case .growth(let value, let least):
            """
            step \(step): the loss explodes: \(value) on average, after \(least) at its best; lower train.lr, set \
            train.grad_clip, or raise train.max_loss_growth
            """
        }
    }
}
