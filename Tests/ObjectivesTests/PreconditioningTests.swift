import Foundation
import Kernels
import Objectives
import Tensors
import Testing

/// The identities that the scalings satisfy, seen from outside: by networks with known answers.
@Suite struct PreconditioningTests {
    private static let shape = [4, 3, 5, 2]
    private let sigma = [0.01, 0.1, 0.7, 30]
    private let times = [0.1, 0.25, 0.5, 1]

    private func tensor(_ purpose: String) -> Tensor {
        Tensor(RandomStream(seed: 41, purpose: purpose).normals(Self.shape.reduce(1, *)), shape: Self.shape)
    }

    private func constant(_ value: Float) -> Tensor {
        Tensor([Float](repeating: value, count: Self.shape.reduce(1, *)), shape: Self.shape)
    }

    /// The factors of every sample: of the input, of the output, and of the state beside it.
    private func factors(_ preconditioning: Preconditioning) -> [(input: Double, output: Double, skip: Double)] {
        var seen: Tensor?
        func apply(_ x: Float, _ answer: Float) -> [Float] {
            preconditioning.apply(
                constant(x), constant(2 * x), times, sigma: sigma, output: .clean,
                network: { x, y, t in
                    #expect(t == times.map { Float($0) })
                    // Noisy speech is scaled as the state is.
                    #expect(zip(x.values, y.values).allSatisfy { abs(2 * $0 - $1) <= 1e-5 * abs($1) })
                    seen = x
                    return constant(answer)
                }
            ).values
        }
        let (skips, outputs) = (apply(1, 0), apply(0, 1))
        _ = apply(1, 0)
        let inputs = seen?.values ?? []
        return sigma.indices.map { index in
            (Double(inputs[index * 30]), Double(outputs[index * 30 + 29]), Double(skips[index * 30 + 7]))
        }
    }

    /// Karras et al. 2022, Appendix B.6: inputs and targets of variance 1, and the least amplification of errors.
    @Test(arguments: [0.05, 0.1, 0.5, 2]) func edmHasUnitVarianceAndTheLeastAmplification(data: Double) {
        let edm = Preconditioning(input: .edm, output: .edm, skip: .edm, sigmaData: data)
        for (sigma, c) in zip(sigma, factors(edm)) {
            func error(_ skip: Double) -> Double { pow((1 - skip) * data, 2) + pow(skip * sigma, 2) }
            #expect(abs(c.input * c.input * (sigma * sigma + data * data) - 1) < 1e-5)
            #expect(abs(c.output * c.output / error(c.skip) - 1) < 1e-4)
            #expect(error(c.skip) <= error(c.skip * 1.01) && error(c.skip) <= error(c.skip * 0.99))
            #expect(abs(c.output * c.output - sigma * sigma * c.skip) < 1e-5 * c.output * c.output)
        }
    }

    @Test func everyChoiceHasItsFactor() {
        for (sigma, c) in zip(sigma, factors(Preconditioning())) { #expect(c == (1, 1, 0), "\(sigma)") }
        let scalings: [Preconditioning.NetworkScaling?] = [nil] + Preconditioning.NetworkScaling.allCases
        for scaling in scalings {
            for output in Preconditioning.Output.allCases {
                let found = factors(Preconditioning(networkScaling: scaling, output: output, sigmaData: 0.3))
                for ((sigma, t), c) in zip(zip(sigma, times), found) {
                    let network =
                        switch scaling {
                        case .inverseSigma: 1 / sigma
                        case .inverseTime: 1 / t
                        case nil: 1.0
                        }
                    let expected =
                        switch output {
                        case .one: network
                        case .sigma: network * sigma
                        case .inverseSigma: network / sigma
                        case .edm: network / (1 / (sigma * sigma) + 1 / 0.09).squareRoot()
                        }
                    #expect(abs(c.output - expected) < 1e-5 * expected, "\(output)")
                    #expect(c.skip == 0 && c.input == 1)
                }
            }
        }
    }

    /// A network that predicts the mean gives the score `(mean − x)/σ²`, whatever the other factors are.
    @Test func denoisersGiveScores() {
        let (x, mean) = (tensor("x"), tensor("mean"))
        let expected = (mean - x).scaledSamples(by: sigma.map { 1 / ($0 * $0) })
        for skip in Preconditioning.Skip.allCases {
            for output in Preconditioning.Output.allCases {
                let score = Preconditioning(output: output, skip: skip)
                    .apply(x, x, times, sigma: sigma, output: .scoreFromDenoiser) { _, _, _ in mean }
                #expect(zip(score.values, expected.values).allSatisfy { abs($0 - $1) <= 1e-5 * abs($1) })
                let input = LossInput(
                    output: score, state: x, noise: tensor("z"), mean: mean, clean: tensor("c"), sigma: sigma)
                #expect(DenoiserLoss(weighting: .sigmaSquared)(input).total.item < 1e-4)
            }
        }
    }

    /// The same numbers for a score, clean speech and a velocity; each sample by itself.
    @Test func outputsAreScaledAlikeAndOneByOne() {
        let preconditioning = Preconditioning(networkScaling: .inverseTime, input: .edm, output: .sigma, skip: .edm)
        let (x, y) = (tensor("x"), tensor("y"))
        func apply(_ kind: ModelOutput) -> [Float] {
            preconditioning.apply(x, y, times, sigma: sigma, output: kind) { x, y, _ in x * y }.values
        }
        let whole = apply(.clean)
        #expect(apply(.score) == whole && apply(.velocity) == whole)
        for index in sigma.indices {
            func one(_ x: Tensor) -> Tensor {
                Tensor(Array(x.values[index * 30..<(index + 1) * 30]), shape: [1] + Self.shape.dropFirst())
            }
            let alone = preconditioning.apply(
                one(x), one(y), [times[index]], sigma: [sigma[index]], output: .clean
            ) { x, y, _ in x * y }
            #expect(
                zip(alone.values, whole[index * 30..<(index + 1) * 30]).allSatisfy { abs($0 - $1) <= 1e-6 * abs($1) })
        }
    }
}
