import Foundation
import Kernels
import Objectives
import Tensors
import Testing

/// A loss with the output at which nothing is left to learn.
struct KnownLoss: Sendable, CustomTestStringConvertible {
    var name: String
    var loss: any TrainingLoss
    /// How the loss grows with the error: its power, or nil for a sum of several.
    var power: Int?
    var perfect: @Sendable (LossInput) -> Tensor
    var testDescription: String { name }

    static let frontEnd = FrontEnd(
        stft: ShortTimeFourier(size: 14, hop: 5), compression: .exponent(alpha: 0.5, factor: 0.3))

    static let all: [KnownLoss] = {
        let score: @Sendable (LossInput) -> Tensor = { $0.noise.scaledSamples(by: $0.sigma.map { -1 / $0 }) }
        let denoised: @Sendable (LossInput) -> Tensor = {
            ($0.mean - $0.state).scaledSamples(by: $0.sigma.map { 1 / ($0 * $0) })
        }
        let energy: DataPredictionLoss.WaveformTerm = { clean, estimate in
            (estimate - clean).dot(estimate - clean).scaled(by: 1 / Double(clean.shape[0]))
        }
        return [
            KnownLoss(name: "score, mse", loss: ScoreMatchingLoss(norm: .mse), power: 2, perfect: score),
            KnownLoss(name: "score, mae", loss: ScoreMatchingLoss(norm: .mae), power: 1, perfect: score),
            KnownLoss(name: "velocity, mse", loss: VelocityMatchingLoss(norm: .mse), power: 2, perfect: \.velocity),
            KnownLoss(name: "velocity, mae", loss: VelocityMatchingLoss(norm: .mae), power: 1, perfect: \.velocity),
            KnownLoss(
                name: "data", loss: DataPredictionLoss(frontEnd: frontEnd, l1Weight: 0), power: 2, perfect: \.clean),
            KnownLoss(
                name: "data and time",
                loss: DataPredictionLoss(frontEnd: frontEnd, l1Weight: 0.3, perceptualWeight: 0.7, perceptual: energy),
                perfect: \.clean),
        ]
            + DenoiserLoss.Weighting.allCases.map {
                KnownLoss(
                    name: "denoiser, \($0)", loss: DenoiserLoss(weighting: $0, sigmaData: 0.2), power: 2,
                    perfect: denoised)
            }
    }()
}

@Suite struct LossLawTests {
    private static let shape = [3, 8, 4, 2]

    private func tensor(_ purpose: String, _ shape: [Int] = shape) -> Tensor {
        Tensor(
            RandomStream(seed: 31, purpose: purpose).normals(shape.reduce(1, *), standardDeviation: 0.4), shape: shape)
    }

    private func input() -> LossInput {
        LossInput(
            output: tensor("output"), state: tensor("state"), noise: tensor("noise"), mean: tensor("mean"),
            clean: tensor("clean"), sigma: [0.2, 0.55, 0.9], velocity: tensor("velocity"))
    }

    private func value(_ loss: any TrainingLoss, _ input: LossInput, _ output: Tensor? = nil) -> Double {
        var input = input
        if let output { input.output = output }
        return Double(loss(input).total.item)
    }

    /// One sample of a batch.
    private func sample(_ input: LossInput, _ index: Int) -> LossInput {
        func part(_ x: Tensor) -> Tensor {
            let each = x.count / x.shape[0]
            return Tensor(Array(x.values[index * each..<(index + 1) * each]), shape: [1] + x.shape.dropFirst())
        }
        var one = LossInput(
            output: part(input.output), state: part(input.state), noise: part(input.noise), mean: part(input.mean),
            clean: part(input.clean), sigma: [input.sigma[index]], velocity: part(input.velocity))
        one.weights = input.weights.isEmpty ? [] : [input.weights[index]]
        one.uncertainty = input.uncertainty.map(part)
        return one
    }

    /// 0 where the prediction is perfect, above it elsewhere, and growing with the error's power.
    @Test(arguments: KnownLoss.all) func errorsAloneCount(known: KnownLoss) {
        let input = input()
        let perfect = known.perfect(input)
        let unit = value(known.loss, input, perfect + tensor("error"))
        #expect(unit > 0)
        #expect(abs(value(known.loss, input, perfect)) < 1e-5 * unit)
        guard let power = known.power else { return }
        for scale in [0.25, 3.0, -1] {
            let scaled = value(known.loss, input, perfect + scale * tensor("error"))
            #expect(abs(scaled - pow(abs(scale), Double(power)) * unit) < 1e-4 * (1 + scale * scale) * unit, "\(scale)")
        }
    }

    /// Gradients against central differences along random directions.
    @Test(arguments: KnownLoss.all) func gradientsAreSlopes(known: KnownLoss) {
        var input = input()
        let output = tensor("output")
        let leaf = output.tracked()
        input.output = leaf
        guard let gradient = known.loss(input).total.gradients()[leaf] else {
            Issue.record("no gradient")
            return
        }
        #expect(gradient.shape == Self.shape)
        let norm = Double(gradient.dot(gradient).item).squareRoot()
        for draw in 0..<4 {
            let direction = tensor("direction \(draw)")
            let length = Double(direction.dot(direction).item).squareRoot()
            let (up, down) = (output + 4e-3 * direction, output - 4e-3 * direction)
            let slope = (value(known.loss, input, up) - value(known.loss, input, down)) / 8e-3
            #expect(abs(slope - Double(gradient.dot(direction).item)) < 5e-3 * norm * length)
        }
    }

    /// The loss of a batch is the mean of those of its samples.
    @Test(arguments: KnownLoss.all) func batchesAreMeans(known: KnownLoss) {
        let input = input()
        let mean = (0..<3).reduce(0.0) { $0 + value(known.loss, sample(input, $1)) } / 3
        #expect(abs(value(known.loss, input) - mean) < 1e-5 * mean)
    }

    /// The terms come unweighted, and their weighted sum is the total.
    @Test(arguments: [(0.0, 0.0), (0.001, 0), (2, 0), (0, 0.5), (0.7, 1.3)])
    func weightsMultiplyTheirTerms(l1: Double, perceptual: Double) {
        let term: DataPredictionLoss.WaveformTerm = { clean, estimate in (estimate - clean).absoluteSum() }
        let value = DataPredictionLoss(
            frontEnd: KnownLoss.frontEnd, l1Weight: l1, perceptualWeight: perceptual, perceptual: term)(input())
        let sum =
            (value.terms["spectral"] ?? 0) + l1 * (value.terms["l1"] ?? 0) + perceptual * (value.terms["pesq"] ?? 0)
        #expect(abs(Double(value.total.item) - sum) < 1e-5 * sum)
        #expect((value.terms["l1"] != nil) == (l1 > 0) && (value.terms["pesq"] != nil) == (perceptual > 0))
        // Both are of the same difference in time, 3 samples of 15 numbers: one is half its mean, the other its sum.
        if l1 > 0, perceptual > 0 {
            #expect(abs((value.terms["pesq"] ?? 0) / (value.terms["l1"] ?? 1) - 2 * 45) < 1e-2)
        }
    }

    private func uncertain(_ u: [Float]) -> LossInput {
        var input = input()
        input.weights = [0.5, 2, 7]
        input.uncertainty = Tensor(u, shape: [3, 1])
        return input
    }

    /// `w L/e^u + u` is least at `u = ln(w L)`, where it is `1 + ln(w L)`; a batch is the mean of its samples.
    @Test func uncertaintyIsLearnedAsTheLogarithmOfTheLoss() {
        let loss = UncertaintyLoss(frontEnd: KnownLoss.frontEnd, l1Weight: 0.2)
        let input = uncertain([0.3, -1, 2])
        let mean = (0..<3).reduce(0.0) { $0 + value(loss, sample(input, $1)) } / 3
        #expect(abs(value(loss, input) - mean) < 1e-5)
        let best = (0..<3).map { index -> Double in
            let one = loss(sample(uncertain([0, 0, 0]), index))
            return log(Double(one.total.item))
        }
        let least = value(loss, uncertain(best.map { Float($0) }))
        #expect(abs(least - (1 + best.reduce(0, +) / 3)) < 1e-5)
        for index in 0..<3 {
            for shift in [-0.1, 0.1] {
                var u = best
                u[index] += shift
                #expect(value(loss, uncertain(u.map { Float($0) })) > least + 1e-4)
            }
        }
    }

    /// The reference's form, in which every sample meets every weight, differs from a batch of two on.
    @Test func formsOfTheUncertaintyLossMeetInABatchOfOne() {
        let (own, across) = (
            UncertaintyLoss(frontEnd: KnownLoss.frontEnd),
            UncertaintyLoss(frontEnd: KnownLoss.frontEnd, meetsAcrossBatch: true)
        )
        let input = uncertain([0.3, -1, 2])
        for index in 0..<3 {
            #expect(abs(value(own, sample(input, index)) - value(across, sample(input, index))) < 1e-6)
        }
        #expect(abs(value(own, input) - value(across, input)) > 0.1)
    }

    @Test(arguments: [false, true]) func gradientsOfTheUncertaintyLossAreSlopes(across: Bool) {
        let loss = UncertaintyLoss(frontEnd: KnownLoss.frontEnd, l1Weight: 0.2, meetsAcrossBatch: across)
        var input = uncertain([0.3, -1, 2])
        let (output, u) = (tensor("output"), tensor("u", [3, 1]))
        let (first, second) = (output.tracked(), u.tracked())
        (input.output, input.uncertainty) = (first, second)
        let gradients = loss(input).total.gradients()
        func slope(_ a: Tensor, _ b: Tensor) -> Double {
            func moved(_ h: Double) -> Double {
                input.uncertainty = u + h * b
                return value(loss, input, output + h * a)
            }
            return (moved(2e-3) - moved(-2e-3)) / 4e-3
        }
        for draw in 0..<3 {
            let (a, b) = (tensor("a \(draw)"), tensor("b \(draw)", [3, 1]))
            let along = Double(gradients[first]?.dot(a).item ?? 0)
            let other = Double(gradients[second]?.dot(b).item ?? 0)
            #expect(abs(slope(a, .zeros([3, 1])) - along) < 1e-2 * (0.1 + abs(along)))
            #expect(abs(slope(.zeros(Self.shape), b) - other) < 1e-2 * (0.1 + abs(other)))
        }
    }
}
