import Diffusion
import Foundation
import Tensors
import Testing

@Suite struct NoiseSourceTests {
    private let like = Tensor.zeros([1, 16, 256, 2])

    private func variance(_ x: Tensor) -> Double { x.squaredNorm / Double(x.count / 2) }

    private func correlation(_ a: Tensor, _ b: Tensor) -> Double {
        Double(a.dot(b).item) / (a.squaredNorm * b.squaredNorm).squareRoot()
    }

    /// Complex noise has E|z|² = 1; 4096 values put its estimate within 5 · 1/√4096.
    @Test func everyDrawHasUnitVariance() {
        var noise = NoiseSource.addressed(seed: 1, files: ["a"])
        #expect(abs(variance(noise.prior(like: like)) - 1) < 0.08)
        #expect(abs(variance(noise.correction(step: 3, substep: 1, like: like)) - 1) < 0.08)
        for count in [7, 50] {
            let times = (0...count).map { 1 - Double($0) / Double(count) }
            for (t, s) in zip(times, times.dropFirst()) {
                #expect(abs(variance(noise.increment(from: t, to: s, like: like)) - 1) < 0.09, "\(t) to \(s)")
            }
        }
    }

    /// Increments over disjoint steps, the prior and the corrections are independent.
    @Test func differentDrawsAreIndependent() {
        var noise = NoiseSource.addressed(seed: 1, files: ["a"])
        var draws = [noise.prior(like: like), noise.correction(step: 0, substep: 0, like: like)]
        draws.append(noise.correction(step: 0, substep: 1, like: like))
        draws.append(noise.correction(step: 1, substep: 0, like: like))
        for step in 0..<12 {
            draws.append(noise.increment(from: 1 - Double(step) / 30, to: 1 - Double(step + 1) / 30, like: like))
        }
        for (index, a) in draws.enumerated() {
            for b in draws[..<index] { #expect(abs(correlation(a, b)) < 0.06) }
        }
    }

    /// Two grids walk one path: three steps of 1/30 sum to five of 1/50.
    @Test func differentStepNumbersShareThePath() {
        func sum(_ count: Int, upTo steps: Int) -> Tensor {
            var noise = NoiseSource.addressed(seed: 1, files: ["a"])
            return (0..<steps).reduce(Tensor.zeros(like.shape)) { total, step in
                let (t, s) = (1 - Double(step) / Double(count), 1 - Double(step + 1) / Double(count))
                return total + (t - s).squareRoot() * noise.increment(from: t, to: s, like: like)
            }
        }
        #expect(relativeError(sum(30, upTo: 3).values, sum(50, upTo: 5).values) < 0.02)
        #expect(relativeError(sum(30, upTo: 30).values, sum(50, upTo: 50).values) < 1e-5)
    }

    /// A draw depends on seed and file, not on order, batch or the padding at the end.
    @Test func drawsAreAddressed() {
        var one = NoiseSource.addressed(seed: 1, files: ["a"])
        var both = NoiseSource.addressed(seed: 1, files: ["b", "a"])
        let wide = Tensor.zeros([2, 16, 320, 2])
        let pairs = [
            (one.increment(from: 0.5, to: 0.4, like: like), both.increment(from: 0.5, to: 0.4, like: wide)),
            (one.prior(like: like), both.prior(like: wide)),
            (one.correction(step: 2, substep: 0, like: like), both.correction(step: 2, substep: 0, like: wide)),
        ]
        for (alone, together) in pairs {
            let trimmed = FramePadding.trim(together, to: 256)
            #expect(trimmed.samples(1..<2).values == alone.values)
            #expect(abs(correlation(trimmed.samples(0..<1), alone)) < 0.06)
        }
        var other = NoiseSource.addressed(seed: 2, files: ["a"])
        #expect(abs(correlation(other.prior(like: like), one.prior(like: like))) < 0.06)
    }

    /// N = 30 and N = 50 meet the same prior and path, which removes most of the variance from their difference.
    @Test func sharedNoiseRemovesVarianceFromPairedDifferences() {
        let (sde, y) = (OUVE(), like + 0.3)
        func run(_ steps: Int, seed: UInt64) -> Tensor {
            var noise = NoiseSource.addressed(seed: seed, files: ["a"])
            return PredictorCorrector(sde: sde, corrector: .none, steps: steps, denoises: false)
                .sample(given: y, noise: &noise, predict: gaussianScore(of: sde, mean: 0.6, spread: 0.3)).x
        }
        let few = run(30, seed: 1)
        let (paired, unpaired) = (run(50, seed: 1) - few, run(50, seed: 2) - few)
        #expect(paired.squaredNorm < 0.15 * unpaired.squaredNorm)
    }
}
