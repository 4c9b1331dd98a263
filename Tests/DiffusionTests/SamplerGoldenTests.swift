import Diffusion
import Foundation
import Tensors
import Testing

/// The samplers against the reference implementation's, with a model in closed form.
@Suite struct SamplerGoldenTests {
    struct Goldens: Decodable {
        struct PC: Decodable {
            var predictor, corrector: String
            var denoise: Bool
            var correctorSteps, steps, nfe, draws: Int
            var sample: [Float]
        }
        struct ODE: Decodable {
            var rtol, atol: Double
            var nfe: Int
            var sample: [Float]
        }
        struct Bridge: Decodable {
            var process: String
            var steps: Int
            var k, c, epsilon: Double
            var sample: [Float]
        }
        var shape: [Int]
        var y: [Float]
        var noise: [[Float]]
        var pc: [PC]
        var ode: [ODE]
        var sb: [Bridge]
    }

    private static let sde = OUVE(theta: 1.5, sigmaMin: 0.05, sigmaMax: 0.5)

    private static func network(_ x: Tensor, _ y: Tensor, _ t: Double) -> Tensor {
        Tensor(zip(x.values, y.values).map { tanh(0.7 * $0 + 0.4 * $1 + 0.3 * Float(t)) }, shape: x.shape)
    }

    private static func score(_ x: Tensor, _ y: Tensor, _ t: Double) -> Tensor {
        let p = sde.marginal(at: t)
        let mean = Tensor.weighted(p.clean, network(x, y, t), p.noisy, y)
        return (1 / (p.std * p.std + 0.01)) * (mean - x)
    }

    private let goldens: Goldens
    private let y: Tensor
    private let noise: [Tensor]

    init() throws {
        let goldens = try golden("samplers.json", as: Goldens.self)
        (self.goldens, y) = (goldens, Tensor(goldens.y, shape: goldens.shape))
        noise = goldens.noise.map { Tensor($0, shape: goldens.shape) }
    }

    @Test func predictorCorrectorMatches() throws {
        for case let golden in goldens.pc {
            let predictor: any Predictor = golden.predictor == "none" ? .none : .reverseDiffusion
            let corrector: any Corrector =
                switch golden.corrector {
                case "ald": .ald(snr: 0.4)
                case "langevin": Langevin(snr: 0.4, sharesStepAcrossBatch: true)
                default: .none
                }
            let sampler = PredictorCorrector(
                sde: Self.sde, predictor: predictor, corrector: corrector, correctorSteps: golden.correctorSteps,
                steps: golden.steps, denoises: golden.denoise)
            var source = NoiseSource.given(noise)
            let result = sampler.sample(given: y, noise: &source, predict: Self.score)
            let name = "\(golden.predictor), \(golden.corrector), \(golden.steps) steps"
            #expect(relativeError(result.x.values, golden.sample) < 2e-6, "\(name)")
            #expect(source.drawsTaken == golden.draws, "\(name)")
            #expect(sampler.nominalEvaluations == golden.nfe, "\(name)")
            if golden.predictor != "none" { #expect(result.nfe == golden.nfe, "\(name)") }
        }
    }

    /// Same step control as SciPy, so the same number of evaluations.
    @Test func adaptiveODEMatches() {
        for golden in goldens.ode {
            let solver = ODESolver.rk45(relativeTolerance: golden.rtol, absoluteTolerance: golden.atol)
            var source = NoiseSource.given(noise)
            let result = ProbabilityFlow(sde: Self.sde, solver: solver, denoises: false)
                .sample(given: y, noise: &source, predict: Self.score)
            #expect(result.nfe == golden.nfe)
            // Both evaluate the slope in single precision, where the reference's own rounding is up to 5e-6.
            #expect(relativeError(result.x.values, golden.sample) < 2e-5)
        }
    }

    /// Fixed steps approach the adaptive solution, Heun's at the second order.
    @Test func fixedStepsConvergeAtTheirOrder() throws {
        let exact = try #require(goldens.ode.min { $0.rtol < $1.rtol }).sample
        func error(_ solver: ODESolver) -> Double {
            var source = NoiseSource.given(noise)
            let sampler = ProbabilityFlow(sde: Self.sde, solver: solver, denoises: false)
            return relativeError(sampler.sample(given: y, noise: &source, predict: Self.score).x.values, exact)
        }
        #expect((1.7...2.4).contains(error(.euler(steps: 40)) / error(.euler(steps: 80))))
        #expect((3.2...5.2).contains(error(.heun(steps: 20)) / error(.heun(steps: 40))))
    }

    @Test func bridgeMatches() throws {
        for golden in goldens.sb {
            let process = try #require(BridgeSampler.Process(rawValue: golden.process))
            let bridge = SBVE(k: golden.k, c: golden.c, epsilon: golden.epsilon)
            var source = NoiseSource.given(noise)
            let result = BridgeSampler(bridge: bridge, process: process, steps: golden.steps)
                .sample(given: y, noise: &source, predict: Self.network)
            // The ODE's first step subtracts states weighted by 5000, which costs float32 four digits.
            let tolerance = process == .ode && golden.epsilon < 1e-6 ? 1e-3 : 2e-6
            #expect(relativeError(result.x.values, golden.sample) < tolerance, "\(golden.process) \(golden.steps)")
            #expect(result.nfe == golden.steps)
            #expect(source.drawsTaken == (process == .sde ? golden.steps : 0))
        }
    }
}
