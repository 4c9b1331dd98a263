import Diffusion
import Foundation
import Kernels
import Tensors
import Testing

@Suite struct SamplerLawTests {
    private let y = Tensor((0..<8192).map { $0 % 2 == 0 ? 0.5 : -0.25 }, shape: [1, 32, 128, 2])

    /// Mean (over the multiple of y) and standard deviation of complex values around `mean·y`.
    private func spread(_ x: Tensor, around mean: Double) -> Double {
        let difference = Tensor.weighted(1, x, -mean, y)
        return (difference.squaredNorm / Double(x.count / 2)).squareRoot()
    }

    private func weight(_ x: Tensor) -> Double { Double(x.dot(y).item) / y.squaredNorm }

    /// Independent draws, enough for a start and 150 steps of two.
    static let draws = (0...300).map { index in
        let stream = RandomStream(seed: 5, purpose: "draws", index)
        return Tensor(stream.normals(8192, standardDeviation: 0.5.squareRoot()), shape: [1, 32, 128, 2])
    }

    static let predictors: [(any Predictor, any Corrector)] = [
        (.reverseDiffusion, .none), (.eulerMaruyama, .none), (.ancestral, .none), (.reverseDiffusion, .ald(snr: 0.1)),
        (.eulerMaruyama, .langevin(snr: 0.05)),
    ]

    /// Data `N(0.6 y, 0.3²)` is recovered by every predictor and corrector on every SDE, within the step's error.
    @Test(arguments: allSDEs.indices, predictors.indices)
    func exactScoreRecoversTheData(index: Int, pair: Int) {
        let sde = allSDEs[index]
        // The drifts of the bridge and of the flow are singular at their very end; their start is a little before.
        let start = sde is SBVE || sde is FlowMatching ? 0.98 : sde.endTime
        let sampler = PredictorCorrector(
            sde: sde, predictor: Self.predictors[pair].0, corrector: Self.predictors[pair].1, steps: 150,
            finalTime: 0.004, denoises: false, startTime: start)
        var noise = NoiseSource.given(Self.draws)
        let x = sampler.sample(given: y, noise: &noise, predict: gaussianScore(of: sde, mean: 0.6, spread: 0.3)).x
        // VE starts at y instead of around clean speech: what is left of that is bounded by its mismatch.
        let mismatch = sde.priorMismatch(at: start) * 0.4 * 0.09 / (0.09 + pow(sde.marginal(at: start).std, 2))
        #expect(abs(weight(x) - 0.6) < 0.03 + mismatch)
        #expect(abs(spread(x, around: weight(x)) - 0.3) < 0.02)
    }

    /// Where an SDE brings no discretisation of its own, the two predictors are one.
    @Test func eulerMaruyamaIsReverseDiffusionUnlessTheSDEHasItsOwn() {
        for sde in [.ouve(), .bbed(), .ve()] as [any SDE] {
            let samples = [.eulerMaruyama, .reverseDiffusion].map { (predictor: any Predictor) in
                var noise = NoiseSource.addressed(seed: 1, files: ["a"])
                return PredictorCorrector(sde: sde, predictor: predictor, steps: 4)
                    .sample(given: y, noise: &noise, predict: gaussianScore(of: sde, mean: 0.6, spread: 0.3)).x.values
            }
            #expect(relativeError(samples[0], samples[1]) < 1e-5)
        }
        #expect(VP().discretization(at: 0.9, step: 0.03).std < VP().diffusion(at: 0.9) * 0.03.squareRoot() * 0.9)
    }

    /// When clean speech is certain, one ancestral step lands on it.
    @Test(arguments: allSDEs.indices)
    func ancestralStepIsExactForCertainData(index: Int) {
        let sde = allSDEs[index]
        var noise = NoiseSource.addressed(seed: 1, files: ["a"])
        let sampler = PredictorCorrector(sde: sde, predictor: .ancestral, corrector: .none, steps: 1, startTime: 0.7)
        let x = sampler.sample(given: y, noise: &noise, predict: gaussianScore(of: sde, mean: 0.6, spread: 0)).x
        #expect(relativeError(x.values, (0.6 * y).values) < 1e-4)
    }

    @Test func everySolverOfTheODEAgrees() {
        let sde = OUVE()
        let solvers: [ODESolver] = [.rk45(), .heun(steps: 100), .euler(steps: 4000)]
        let y = Tensor((0..<64).map { $0 % 2 == 0 ? 0.5 : -0.25 }, shape: [1, 4, 8, 2])
        let samples = solvers.map { solver in
            var noise = NoiseSource.addressed(seed: 3, files: ["a"])
            return ProbabilityFlow(sde: sde, solver: solver)
                .sample(given: y, noise: &noise, predict: gaussianScore(of: sde, mean: 0.6, spread: 0.3))
        }
        for other in samples[1...] { #expect(relativeError(other.x.values, samples[0].x.values) < 1e-3) }
        #expect(samples[1].nfe == 201)  // 100 steps of two, and the denoising step
        #expect(samples[2].nfe == 4001)
    }

    /// N is honoured, and so is the end time, at which alone the last call is made.
    @Test func theBridgeHonoursItsSteps() {
        for process in BridgeSampler.Process.allCases {
            var times: [Double] = []
            var noise = NoiseSource.addressed(seed: 3, files: ["a"])
            let sampler = BridgeSampler(process: process, steps: 7, finalTime: 0.03)
            let result = sampler.sample(given: y, noise: &noise) { x, y, t in
                times.append(t)
                return 0.6 * y
            }
            #expect(result.nfe == 7)
            #expect(times.count == 7 && times.last == 0.03)
            // A perfect prediction leaves what the bridge still has to go: the mean at 0.03 and its spread.
            let p = SBVE().marginal(at: 0.03)
            #expect(abs(weight(result.x) - 0.6 * p.clean - p.noisy) < 0.05)
        }
    }

    @Test func intermediateStatesAreOnePerStep() {
        let sde = OUVE()
        var seen: [IntermediateState] = []
        var noise = NoiseSource.addressed(seed: 3, files: ["a"])
        let result = PredictorCorrector(sde: sde, steps: 5).sample(
            given: y, noise: &noise, observe: { seen.append($0) }, predict: gaussianScore(of: sde, mean: 1, spread: 1))
        #expect(seen.map(\.step) == [0, 1, 2, 3, 4])
        #expect(abs(seen[3].time - 0.03) < 1e-12 && seen[4].time == 0)
        #expect(seen[4].mean.values == result.x.values)
        #expect(result.nfe == 10)
    }

    /// The score's size rules Langevin's step sample by sample, unless the batch is to share it.
    @Test func aSampleDoesNotDependOnItsBatch() {
        let sde = OUVE()
        let small = y.samples(0..<1)
        let pair = Tensor.stacked([small, 3 * small])
        func run(_ y: Tensor, _ files: [String], _ corrector: any Corrector) -> Tensor {
            var noise = NoiseSource.addressed(seed: 3, files: files)
            return PredictorCorrector(sde: sde, corrector: corrector, steps: 3)
                .sample(given: y, noise: &noise, predict: gaussianScore(of: sde, mean: 0.6, spread: 0.3)).x
        }
        for corrector in [.ald(), .langevin()] as [any Corrector] {
            let (alone, together) = (run(small, ["a"], corrector), run(pair, ["a", "b"], corrector))
            #expect(relativeError(together.samples(0..<1).values, alone.values) < 1e-6)
        }
        let shared = Langevin(sharesStepAcrossBatch: true)
        let together = run(pair, ["a", "b"], shared)
        #expect(relativeError(together.samples(0..<1).values, run(small, ["a"], shared).values) > 1e-4)
    }
}
