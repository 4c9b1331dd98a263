import Diffusion
import Foundation
import Tensors
import Testing

@Suite struct MeanFlowSamplerTests {
    private let y = Tensor((0..<64).map { $0 % 2 == 0 ? 0.5 : -0.25 }, shape: [1, 4, 8, 2])

    /// The flow of Gaussian data `N(0.6 y, 0.3²)`: where the state at `t` is at `r`, and so the average velocity.
    private func average(_ flow: FlowMatching) -> IntervalPrediction {
        func moments(_ t: Double) -> (mean: Double, std: Double) {
            let p = flow.marginal(at: t)
            return (0.6 * p.clean + p.noisy, hypot(0.3 * p.clean, p.std))
        }
        return { x, y, t, r in
            let (now, then) = (moments(t), moments(r))
            let ratio = then.std / now.std
            let end = Tensor.weighted(ratio, x, then.mean - ratio * now.mean, y)
            return (x - end).scaled(by: 1 / (t - r))
        }
    }

    /// With true averages, any number of steps ends at the same place, and each asks once.
    @Test(arguments: [FlowMatching.flow(), .flow(sigmaMin: 0.1, sigmaMax: 0.8), .flow(sigmaMax: 1, origin: .noise)])
    func theNumberOfStepsDoesNotMatter(flow: FlowMatching) {
        let samples = [1, 2, 7].map { steps in
            var noise = NoiseSource.addressed(seed: 4, files: ["a"])
            var states: [IntermediateState] = []
            let sampler = MeanFlowSampler(process: flow, steps: steps)
            let sample = sampler.sample(given: y, noise: &noise, observe: { states.append($0) }, average: average(flow))
            #expect(sample.nfe == steps && states.count == steps && states.last?.time == 0)
            return sample.x.values
        }
        for other in samples[1...] { #expect(relativeError(other, samples[0]) < 1e-5) }
    }

    /// A model of one time makes it Euler's method, whose result does depend on the steps.
    @Test func aModelOfOneTimeMakesItEulersMethod() {
        let flow = FlowMatching.flow(sigmaMin: 0.1)
        let velocity: Prediction = { x, y, t in self.average(flow)(x, y, t, t - 1e-4) }
        let ends = [1, 40, 80].map { steps in
            var noise = NoiseSource.addressed(seed: 4, files: ["a"])
            return MeanFlowSampler(process: flow, steps: steps).sample(given: y, noise: &noise, predict: velocity).x
                .values
        }
        #expect(relativeError(ends[0], ends[2]) > 0.05)
        #expect(relativeError(ends[1], ends[2]) < 0.02)
    }

    /// Half the step, half the error, where the model knows one time.
    @Test func ofOneTimeItConvergesAtTheFirstOrder() {
        let flow = FlowMatching.flow(sigmaMin: 0.1)
        func end(_ steps: Int, _ average: @escaping IntervalPrediction) -> [Float] {
            var noise = NoiseSource.addressed(seed: 4, files: ["a"])
            return MeanFlowSampler(process: flow, steps: steps)
                .sample(given: y, noise: &noise, observe: nil, average: average).x.values
        }
        let exact = end(1, average(flow))
        let errors = [10, 20, 40].map { steps in
            relativeError(end(steps) { x, y, t, _ in self.average(flow)(x, y, t, t - 1e-3) }, exact)
        }
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            #expect((1.7...2.4).contains(coarse / fine), "\(errors)")
        }
    }
}
