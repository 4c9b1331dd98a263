import Foundation
import Kernels
import Objectives
import Tensors
import Testing

@Suite struct FrontEndTests {
    private func noise(_ count: Int, _ purpose: String) -> [Float] {
        RandomStream(seed: 1, purpose: purpose).normals(count)
    }

    /// Analysis and synthesis undo each other, compressed or not, at sizes that are and are not powers of two.
    @Test(
        arguments: [(126, 32), (510, 128), (512, 128), (62, 16)],
        [
            SpectralCompression.none, .exponent(alpha: 0.5, factor: 0.15), .exponent(alpha: 0.667, factor: 0.065),
            .log(factor: 0.3),
        ])
    func synthesisUndoesAnalysis(size: (Int, Int), compression: SpectralCompression) {
        let frontEnd = FrontEnd(stft: ShortTimeFourier(size: size.0, hop: size.1), compression: compression)
        let signals = [noise(40 * size.1, "a"), noise(40 * size.1, "b")]
        let back = frontEnd.audio(frontEnd.spectrogram(signals), length: 40 * size.1).values
        for (a, b) in zip(back, signals.flatMap(\.self)) { #expect(abs(a - b) < 3e-4) }
    }

    /// Gradients of expansion and synthesis against central differences.
    @Test(arguments: [
        SpectralCompression.exponent(alpha: 0.5, factor: 0.15), .exponent(alpha: 0.7, factor: 0.2), .log(factor: 0.3),
        .none,
    ])
    func gradientsOfSynthesisMatchDifferences(compression: SpectralCompression) {
        let frontEnd = FrontEnd(stft: ShortTimeFourier(size: 14, hop: 5), compression: compression)
        let shape = [2, 8, 5, 2]
        let values = noise(shape.reduce(1, *), "spectrum").map { $0 * 0.3 }
        let weights = Tensor(noise(2 * 20, "weights"), shape: [2, 20])
        func loss(_ values: [Float]) -> Double {
            Double(frontEnd.audio(Tensor(values, shape: shape)).dot(weights).item)
        }
        let leaf = Tensor(values, shape: shape).tracked()
        let gradient = frontEnd.audio(leaf).dot(weights).gradients()[leaf]?.values ?? []
        #expect(gradient.count == values.count)
        let largest = gradient.map(abs).max() ?? 0
        for index in stride(from: 0, to: values.count, by: 7) {
            var (up, down) = (values, values)
            up[index] += 1e-3
            down[index] -= 1e-3
            let slope = (loss(up) - loss(down)) / 2e-3
            #expect(abs(slope - Double(gradient[index])) < 2e-2 * Double(largest))
        }
    }

    @Test func lossesAreWhatTheirFormulasSay() {
        let shape = [2, 3, 4, 2]
        func tensor(_ name: String) -> Tensor { Tensor(noise(48, name), shape: shape) }
        let input = LossInput(
            output: tensor("o"), state: tensor("x"), noise: tensor("z"), mean: tensor("m"), clean: tensor("c"),
            sigma: [0.3, 0.7])
        func sum(_ body: (_ sample: Int, _ index: Int) -> Double) -> Double {
            (0..<2).reduce(0) { total, sample in total + (0..<24).reduce(0) { $0 + body(sample, sample * 24 + $1) } }
        }
        let (o, x, z, m) = (input.output.values, input.state.values, input.noise.values, input.mean.values)
        let score = 0.25 * sum { sample, i in pow(input.sigma[sample] * Double(o[i]) + Double(z[i]), 2) }
        #expect(abs(Double(ScoreMatchingLoss()(input).total.item) - score) < 1e-4 * score)
        for weighting in DenoiserLoss.Weighting.allCases {
            let loss = DenoiserLoss(weighting: weighting, sigmaData: 0.1)
            let expected =
                0.25
                * sum { sample, i in
                    let s = input.sigma[sample]
                    return loss.weight(s) * pow(s * s * Double(o[i]) + Double(x[i]) - Double(m[i]), 2)
                }
            #expect(abs(Double(loss(input).total.item) - expected) < 1e-4 * expected)
        }
    }
}
