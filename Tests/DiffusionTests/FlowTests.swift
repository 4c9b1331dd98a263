import Diffusion
import Foundation
import Tensors
import Testing

@Suite struct FlowTests {
    private static let y = Tensor((0..<64).map { $0 % 2 == 0 ? 0.5 : -0.25 }, shape: [1, 4, 8, 2])
    private static let flows: [FlowMatching] = [
        .flow(), .flow(sigmaMin: 0.05, sigmaMax: 0.8), .flow(sigmaMin: 0.3, sigmaMax: 0.3),
        .flow(sigmaMax: 1, origin: .noise),
    ]

    /// The velocity is the time derivative of the marginal's weights, on every process.
    @Test(arguments: allSDEs.indices, [0.05, 0.5, 0.9])
    func velocityIsTheMarginalsDerivative(index: Int, t: Double) {
        let (sde, h) = (allSDEs[index], 1e-5)
        let (before, after, v) = (sde.marginal(at: t - h), sde.marginal(at: t + h), sde.velocity(at: t))
        for (low, high, slope) in [
            (before.clean, after.clean, v.clean), (before.noisy, after.noisy, v.noisy), (before.std, after.std, v.std),
        ] {
            #expect(abs((high - low) / (2 * h) - slope) < 1e-6 * (1 + abs(slope)))
        }
    }

    /// The closed velocity of a flow is the one that follows from its drift and diffusion.
    @Test(arguments: flows.indices, [0.05, 0.5, 0.95]) func driftAndDiffusionCarryTheSameMarginals(
        index: Int, t: Double
    ) {
        let flow = Self.flows[index]
        let (f, g, p, v) = (flow.drift(at: t), flow.diffusion(at: t), flow.marginal(at: t), flow.velocity(at: t))
        #expect(abs(f.x * p.clean - v.clean) < 1e-9 && abs(f.x * p.noisy + f.y - v.noisy) < 1e-9)
        #expect(abs(f.x * p.std + g * g / (2 * p.std) - v.std) < 1e-9)
    }

    @Test(arguments: flows.indices) func pathsEndAtCleanSpeechAndAtThePrior(index: Int) {
        let flow = Self.flows[index]
        let (clean, start) = (flow.marginal(at: 0), flow.marginal(at: 1))
        #expect(clean.clean == 1 && clean.noisy == 0 && clean.std == flow.sigmaMin)
        #expect(start.clean == 0 && start.noisy == flow.priorMean && start.std == flow.priorStd(at: 1))
    }

    /// Halving the step divides the error by 2 to the order, here for dx/dt = −x + cos t, whose solution is known.
    @Test(arguments: RungeKutta.allCases) func errorsFallByTheOrder(method: RungeKutta) {
        func error(_ steps: Int) -> Double {
            // x = ½ (cos t + sin t) + c e^{−t}; from t = 1 back to 0.
            func exact(_ t: Double) -> Double { 0.5 * (cos(t) + sin(t)) + 0.7 * exp(-t) }
            var x = Tensor([1000 * Float(exact(1))], shape: [1])
            for step in 0..<steps {
                let (t, s) = (1 - Double(step) / Double(steps), 1 - Double(step + 1) / Double(steps))
                x = method.step(x, from: t, to: s) { Tensor([1000 * Float(cos($1))], shape: [1]) - $0 }
            }
            return abs(Double(x.item) / 1000 - exact(0))
        }
        let steps = method.order == 4 ? 2 : 16
        let ratio = log2(error(steps) / error(2 * steps))
        #expect(abs(ratio - Double(method.order)) < 0.35, "\(ratio)")
    }

    /// A velocity that points from clean speech to the start: every sampler lands on clean speech, after as few steps
    /// as 1.
    @Test(arguments: RungeKutta.allCases, [1, 2, 5]) func straightPathsAreFollowedExactly(
        method: RungeKutta, steps: Int
    ) {
        let (y, clean) = (Self.y, 0.6 * Self.y)
        var noise = NoiseSource.addressed(seed: 2, files: ["a"])
        var states: [IntermediateState] = []
        let sampler = VelocityFlow(solver: .fixed(method, steps: steps))
        var calls: [Double] = []
        let result = sampler.sample(given: y, noise: &noise, observe: { states.append($0) }) { x, _, t in
            calls.append(t)
            return (x - clean).scaled(by: 1 / t)
        }
        #expect(relativeError(result.x.values, clean.values) < 1e-5)
        #expect(result.nfe == calls.count && result.nfe == method.evaluationsPerStep * (steps - 1) + 1)
        #expect(states.map(\.step) == Array(0..<steps) && states.last?.time == 0)
        #expect(calls.min() == (steps == 1 ? 1 : 0.03))
    }

    /// Fields of a Gaussian around a multiple of y carry the start to that Gaussian, by every solver.
    @Test(arguments: flows.indices) func exactFieldsRecoverTheData(index: Int) {
        let flow = Self.flows[index]
        let (mean, spread) = (0.6, 0.3)
        // v = E[dx_t/dt | x_t]: the mean's derivative, and the deviation times half the logarithmic derivative of the
        // variance.
        let field: Prediction = { x, y, t in
            let (p, v) = (flow.marginal(at: t), flow.velocity(at: t))
            let variance = p.clean * p.clean * spread * spread + p.std * p.std
            let rate = (p.clean * v.clean * spread * spread + p.std * v.std) / variance
            return .weighted(rate, x, v.clean * mean + v.noisy - rate * (p.clean * mean + p.noisy), y)
        }
        let y = Tensor((0..<8192).map { $0 % 2 == 0 ? 0.5 : -0.25 }, shape: [1, 32, 128, 2])
        let solvers: [ODESolver] = [
            .rk45(), .euler(steps: 400), .midpoint(steps: 60), .heun(steps: 60), .fixed(.threeEighths, steps: 20),
        ]
        for solver in solvers {
            var noise = NoiseSource.addressed(seed: 3, files: ["a"])
            let sampler = VelocityFlow(process: flow, solver: solver, finalTime: 0.001)
            let x = sampler.sample(given: y, noise: &noise, predict: field).x
            let weight = Double(x.dot(y).item) / y.squaredNorm
            let deviation = Tensor.weighted(1, x, -weight, y)
            let end = hypot(spread, flow.sigmaMin)
            #expect(abs(weight - mean) < 0.03)
            #expect(abs((deviation.squaredNorm / Double(x.count / 2)).squareRoot() - end) < 0.02)
        }
    }

    /// From noise alone, nothing of y is in the start.
    @Test func aStartFromNoiseDoesNotKnowNoisySpeech() {
        func start(_ y: Tensor) -> [Float] {
            var noise = NoiseSource.addressed(seed: 2, files: ["a"])
            return VelocityFlow(process: FlowMatching.flow(sigmaMax: 1, origin: .noise), solver: .euler(steps: 1))
                .sample(given: y, noise: &noise) { x, _, _ in .zeros(x.shape) }.x.values
        }
        #expect(start(Self.y) == start(3 * Self.y))
    }
}
