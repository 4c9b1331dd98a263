import Diffusion
import Kernels
import Tensors
import Testing

/// The bridge's samplers whose result is the last prediction.
@Suite struct LastPredictionTests {
    private let y = Tensor((0..<32).map { Float($0 % 5) / 5 - 0.4 }, shape: [1, 4, 4, 2])

    @Test(arguments: [BridgeSampler.Process.ode, .sde], [1, 2, 7]) func theNetworkIsAskedOnceAStepAtTheTimeItLeaves(
        process: BridgeSampler.Process, steps: Int
    ) {
        var times: [Double] = []
        var noise = NoiseSource.addressed(seed: 1, files: ["file"])
        let sampler = LastPredictionSampler(process: process, steps: steps)
        let sample = sampler.sample(given: y, noise: &noise) { x, _, t in
            times.append(t)
            return x.scaled(by: 0.5)
        }
        #expect(sample.nfe == steps && times.count == steps)
        #expect(times.first == 1)
        for (index, t) in times.enumerated() { #expect(abs(t - (1 - Double(index) / Double(steps))) < 1e-12) }
    }

    /// With one step the result is one call at the end; with a prediction that knows clean speech, it is clean speech.
    @Test func oneStepIsOneCall() {
        var noise = NoiseSource.given([])
        let once = LastPredictionSampler(steps: 1).sample(given: y, noise: &noise) { x, _, _ in x.scaled(by: 0.25) }
        #expect(once.x.values == y.scaled(by: 0.25).values)
        let clean = Tensor(repeating: 0.3, shape: y.shape)
        #expect(
            LastPredictionSampler(steps: 9).sample(given: y, noise: &noise) { _, _, _ in clean }.x.values
                == clean.values)
    }

    /// Of Gaussian data `N(0.6 y, 0.3²)`, whose expected clean speech is known at every state: half the step, half the
    /// error.
    @Test func theODEConvergesAtTheFirstOrder() {
        let bridge = SBVE()
        let sample = { (steps: Int) -> [Float] in
            var noise = NoiseSource.given([])
            return LastPredictionSampler(bridge: bridge, steps: steps).sample(given: y, noise: &noise) { x, y, t in
                let m = bridge.marginal(at: t)
                let gain = 0.09 * m.clean / (0.09 * m.clean * m.clean + m.std * m.std)
                return .weighted(gain, x, 0.6 - gain * (0.6 * m.clean + m.noisy), y)
            }.x.values
        }
        let results = [20, 40, 80, 160].map(sample)
        let changes = zip(results, results.dropFirst()).map { relativeError($0, $1) }
        for (coarse, fine) in zip(changes, changes.dropFirst()) {
            #expect((1.6...2.5).contains(coarse / fine), "\(changes)")
        }
    }

    /// The formula's large weights of opposite sign, in double precision.
    @Test(arguments: [1, 2, 5, 30]) func largeWeightsCostNoPrecision(steps: Int) {
        let (bridge, epsilon) = (SBVE(), SBVE().epsilon)
        let y = Tensor(
            RandomStream(seed: 3, purpose: "bridge").normals(64, standardDeviation: 0.3), shape: [1, 8, 4, 2])
        func predict(_ x: Double, _ t: Double) -> Double { 0.7 * x - 0.2 * t }
        var noise = NoiseSource.given([])
        let found = LastPredictionSampler(bridge: bridge, steps: steps).sample(given: y, noise: &noise) { x, _, t in
            x.scaled(by: 0.7, plus: -0.2 * t)
        }
        func deviation(_ t: Double) -> Double { (bridge.variance(at: t) + epsilon).squareRoot() }
        let whole = bridge.variance(at: 1) + 2 * epsilon
        for (value, start) in zip(found.x.values, y.values) {
            var (x, clean) = (Double(start), 0.0)
            for step in 0..<steps {
                let (t, s) = (1 - Double(step) / Double(steps), 1 - Double(step + 1) / Double(steps))
                clean = predict(x, t)
                let past = (deviation(t), deviation(s))
                let future = (
                    bridge.remainingVariance(at: t).squareRoot(), bridge.remainingVariance(at: s).squareRoot()
                )
                let product = past.1 * future.1
                x =
                    product / (past.0 * future.0 + epsilon) * x
                    + (future.1 * future.1 - future.0 * product / (past.0 + epsilon)) / whole * clean
                    + (past.1 * past.1 - past.0 * product / (future.0 + epsilon)) / whole * Double(start)
            }
            #expect(abs(Double(value) - clean) < 2e-6)
        }
    }

    /// With clean speech known, the ode's states lie on the bridge's mean between clean and noisy speech.
    @Test func knownSpeechKeepsTheStateOnTheMean() {
        let (bridge, clean) = (SBVE(), Tensor(repeating: 0.3, shape: y.shape))
        var noise = NoiseSource.given([])
        var worst: Float = 0
        _ = LastPredictionSampler(bridge: bridge, steps: 8).sample(
            given: y, noise: &noise,
            observe: { state in
                guard state.time > 0 else { return }
                let m = bridge.marginal(at: state.time)
                let mean = Tensor.weighted(m.clean, clean, m.noisy, y)
                worst = zip(state.state.values, mean.values).reduce(worst) { max($0, abs($1.0 - $1.1)) }
            }
        ) { _, _, _ in clean }
        // The ε of the reference's denominators leaves 0.02: large weights of opposite sign do not quite cancel.
        #expect(worst < 0.03)
    }
}
