import Diffusion
import Foundation
import Tensors
import Testing

/// How much variance the shared noise takes from paired differences, sampler by sampler.
///
///     share = 1 − Var[A(seed 1) − B(seed 1)] / Var[A(seed 1) − B(seed 2)]
///
/// A and B are two models at N = 30 that believe in clean speech of spread 0.30 and 0.33 (`models`), or one model at N
/// = 30 and 50 (`steps`). The scores are exact for Gaussian data, so a sampler's own behaviour shows. A corrector's
/// draws belong to their step, so they are shared by models and not by numbers of steps.
@Suite struct SharedNoiseTests {
    private static let y = Tensor.zeros([1, 16, 256, 2]) + 0.3

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// The share that models, and numbers of steps, must give.
        var models: ClosedRange<Double>, steps: ClosedRange<Double>
        var sampler: @Sendable (_ steps: Int) -> any Sampler

        init(
            _ name: String, models: ClosedRange<Double>, steps: ClosedRange<Double>,
            _ sampler: @escaping @Sendable (Int) -> any Sampler
        ) {
            (testDescription, self.models, self.steps, self.sampler) = (name, models, steps, sampler)
        }
    }

    static let cases: [Case] = [
        Case("pc, no corrector", models: 0.95...1, steps: 0.95...1) {
            PredictorCorrector(sde: .ouve(), corrector: .none, steps: $0)
        },
        Case("pc, euler_maruyama", models: 0.95...1, steps: 0.95...1) {
            PredictorCorrector(sde: .ouve(), predictor: .eulerMaruyama, corrector: .none, steps: $0)
        },
        Case("pc, ald", models: 0.95...1, steps: 0.2...1) { PredictorCorrector(sde: .ouve(), steps: $0) },
        // N = 30 and 50 have next to nothing in common: 0.004 measured.
        Case("pc, langevin", models: 0.9...1, steps: -0.05...0.05) {
            PredictorCorrector(sde: .ouve(), corrector: .langevin(), steps: $0)
        },
        Case("ode_heun", models: 0.95...1, steps: 0.95...1) { ProbabilityFlow(sde: .ouve(), solver: .heun(steps: $0)) },
        Case("ode", models: 0.95...1, steps: 0.95...1) { _ in
            ProbabilityFlow(sde: .ouve(), solver: .rk45(relativeTolerance: 1e-4, absoluteTolerance: 1e-4))
        },
        Case("sb_sde", models: 0.9...1, steps: 0.5...1) { BridgeSampler(process: .sde, steps: $0) },
    ]

    private func run(_ one: Case, steps: Int, seed: UInt64, spread: Double = 0.3) -> Tensor {
        var noise = NoiseSource.addressed(seed: seed, files: ["a"])
        let sampler = one.sampler(steps)
        let predict =
            sampler is BridgeSampler
            ? cleanSpeech(spread: spread) : gaussianScore(of: .ouve(), mean: 0.6, spread: spread)
        return sampler.sample(given: Self.y, noise: &noise, predict: predict).x
    }

    /// The posterior mean of clean speech `N(0.6·y, spread²)` on the bridge.
    private func cleanSpeech(spread: Double) -> Prediction {
        { x, y, t in
            let p = SBVE().marginal(at: t)
            let prior = spread * spread
            let gain = p.clean * prior / (p.clean * p.clean * prior + p.std * p.std)
            return .weighted(gain, x, 0.6 - gain * (p.clean * 0.6 + p.noisy), y)
        }
    }

    private func variance(_ x: Tensor) -> Double {
        let values = x.values.map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    }

    @Test(arguments: cases) func sharedNoiseRemovesVarianceFromPairedDifferences(one: Case) {
        let first = run(one, steps: 30, seed: 1)
        func share(_ paired: Tensor, _ unpaired: Tensor) -> Double {
            1 - variance(paired - first) / variance(unpaired - first)
        }
        let models = share(run(one, steps: 30, seed: 1, spread: 0.33), run(one, steps: 30, seed: 2, spread: 0.33))
        let steps = share(run(one, steps: 50, seed: 1), run(one, steps: 50, seed: 2))
        #expect(one.models.contains(models), "\(models)")
        #expect(one.steps.contains(steps), "\(steps)")
    }

    /// The bridge's deterministic sampler draws nothing: every seed gives the same.
    @Test func theDeterministicBridgeHasNoVariance() {
        let one = Case("sb_ode", models: 0...1, steps: 0...1) { BridgeSampler(process: .ode, steps: $0) }
        #expect(run(one, steps: 30, seed: 1).values == run(one, steps: 30, seed: 2).values)
    }
}
