import Diffusion
import Foundation
import Kernels
import Models
import SpecLanguage
import Testing

/// What holds for every entry of the registry: a new one is tested without being named here.
@Suite struct SDELawTests {
    @Test func everyEntryIsBuilt() { #expect(allSDEs.count == Catalog.standard.sdes.entries.count) }

    /// dm/dt = f(m): the weight of x₀ decays by f_x, that of y grows by f_x·noisy + f_y.
    @Test(arguments: allSDEs.indices, [0.05, 0.1, 0.5, 0.9])
    func meanSolvesItsODE(index: Int, t: Double) {
        let sde = allSDEs[index]
        let (h, f) = (1e-5, sde.drift(at: t))
        let (before, now, after) = (sde.marginal(at: t - h), sde.marginal(at: t), sde.marginal(at: t + h))
        let clean = (after.clean - before.clean) / (2 * h)
        let noisy = (after.noisy - before.noisy) / (2 * h)
        #expect(abs(clean - f.x * now.clean) < 1e-6 * (1 + abs(clean)))
        #expect(abs(noisy - f.x * now.noisy - f.y) < 1e-6 * (1 + abs(noisy)))
    }

    /// dP/dt = 2 f_x P + g², with P the marginal variance.
    @Test(arguments: allSDEs.indices, [0.05, 0.1, 0.5, 0.9])
    func varianceSolvesItsODE(index: Int, t: Double) {
        let sde = allSDEs[index]
        func variance(_ t: Double) -> Double { pow(sde.marginal(at: t).std, 2) }
        let slope = (variance(t + 1e-5) - variance(t - 1e-5)) / 2e-5
        let expected = 2 * sde.drift(at: t).x * variance(t) + pow(sde.diffusion(at: t), 2)
        #expect(abs(slope - expected) < 1e-6 * (1 + abs(expected)))
    }

    @Test(arguments: allSDEs.indices)
    func pathsBeginAtCleanSpeech(index: Int) {
        let p = allSDEs[index].marginal(at: 0)
        #expect(abs(p.clean - 1) < 1e-7 && abs(p.noisy) < 1e-12)
        #expect(p.std == 0)
    }

    /// 4000 real paths of 400 Euler–Maruyama steps: mean within 5 standard errors, spread within 6 percent.
    @Test(arguments: allSDEs.indices)
    func simulatedPathsMatchTheMarginals(index: Int) {
        let sde = allSDEs[index]
        let (paths, steps, end, clean, noisy) = (4000, 400, 0.8, 1.0, -0.5)
        var x = [Double](repeating: clean, count: paths)
        for step in 0..<steps {
            let dt = end / Double(steps)
            let t = (Double(step) + 0.5) * dt
            let (f, g) = (sde.drift(at: t), sde.diffusion(at: t) * dt.squareRoot())
            let z = RandomStream(seed: 7, purpose: "paths", index, step).normals(paths)
            for path in x.indices { x[path] += (f.x * x[path] + f.y * noisy) * dt + g * Double(z[path]) }
        }
        let p = sde.marginal(at: end)
        let mean = x.reduce(0, +) / Double(paths)
        let std = (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(paths)).squareRoot()
        #expect(abs(mean - p.clean * clean - p.noisy * noisy) < 5 * p.std / Double(paths).squareRoot() + 2e-3)
        #expect(abs(std / p.std - 1) < 0.06)
    }

    /// The transition composes: from 0 to s and on to t is the marginal at t.
    @Test(arguments: allSDEs.indices)
    func transitionsCompose(index: Int) {
        let sde = allSDEs[index]
        let (s, t) = (0.3, 0.7)
        let (early, late, step) = (sde.marginal(at: s), sde.marginal(at: t), sde.transition(from: s, to: t))
        #expect(abs(step.x * early.clean - late.clean) < 1e-12)
        #expect(abs(step.x * early.noisy + step.y - late.noisy) < 1e-12)
        #expect(abs(hypot(step.x * early.std, step.std) - late.std) < 1e-12)
    }

    /// A short step of the SDE's own discretisation is Euler–Maruyama's to first order.
    @Test(arguments: allSDEs.indices)
    func discretizationTendsToTheSDE(index: Int) {
        let sde = allSDEs[index]
        let (t, step) = (0.5, 1e-6)
        let (d, f, g) = (sde.discretization(at: t, step: step), sde.drift(at: t), sde.diffusion(at: t))
        #expect(abs(d.x / step - f.x) < 1e-4 * (1 + abs(f.x)))
        #expect(abs(d.y / step - f.y) < 1e-4 * (1 + abs(f.y)))
        #expect(abs(d.std / step.squareRoot() - g) < 1e-4 * (1 + g))
    }

    /// With the exact score of Gaussian data the reverse SDE carries the marginal at its start to that at its end;
    /// the moments are followed exactly through 20 000 Euler steps.
    @Test(arguments: allSDEs.indices, [false, true])
    func exactScoreRecoversTheData(index: Int, probabilityFlow: Bool) {
        let sde = allSDEs[index]
        let (dataMean, spread, noisy) = (0.8, 0.3, -0.4)
        func moments(_ t: Double) -> (mean: Double, variance: Double) {
            let p = sde.marginal(at: t)
            return (p.clean * dataMean + p.noisy * noisy, p.clean * p.clean * spread * spread + p.std * p.std)
        }
        let (start, end, steps) = (min(sde.endTime, 0.98), 1e-3, 20_000)
        var (mean, variance) = moments(start)
        let dt = (start - end) / Double(steps)
        for step in 0..<steps {
            let t = start - (Double(step) + 0.5) * dt
            let (f, p) = (sde.reverseDrift(at: t, probabilityFlow: probabilityFlow), moments(t))
            // score = −(x − mean) / variance
            let slope = f.x - f.score / p.variance
            mean -= dt * (slope * mean + f.y * noisy + f.score * p.mean / p.variance)
            variance *= (1 - dt * slope) * (1 - dt * slope)
            if !probabilityFlow { variance += dt * pow(sde.diffusion(at: t), 2) }
        }
        #expect(abs(mean - moments(end).mean) < 2e-3)
        #expect(abs(variance.squareRoot() - moments(end).variance.squareRoot()) < 2e-3)
    }

    /// The start has the marginal's spread, and misses its mean by the residual clean weight.
    @Test func priorMismatchIsTheResidualCleanWeight() {
        for sde in allSDEs {
            let p = sde.marginal(at: sde.endTime)
            // √ε for the bridge, √(2ε) where the noise has twice the power
            #expect(abs(sde.priorStd(at: sde.endTime) - p.std) < 1.5e-4)
            #expect(abs(1 - p.noisy - sde.priorMismatch()) < 1e-7)
        }
        #expect(abs(OUVE(theta: 1.5).priorMismatch() - exp(-1.5)) < 1e-15)
        #expect(VE().priorMismatch() == 1)
        #expect(SBVE().priorMismatch() < 1e-7)
        #expect(abs(BBED().priorMismatch() - 0.001) < 1e-12)
        #expect(abs(VP(betaMin: 0.1, betaMax: 20).priorMismatch() - exp(-0.5 * 10.05)) < 1e-15)
    }

    @Test func theBridgeEndsExactlyAtEpsilon() {
        for k in [1.5, 2.6, 2.9, 9.9] {
            for c in [0.01, 0.25, 0.3, 0.97] {
                let bridge = SBVE(k: k, c: c)
                #expect(bridge.remainingVariance(at: bridge.endTime) == bridge.epsilon)
                for step in 0...100 { #expect(bridge.marginal(at: Double(step) / 100).std.isFinite) }
            }
        }
    }

    /// Abramowitz and Stegun, Table 5.1.
    @Test(arguments: [
        (-0.5, -0.5597735947761608), (-1.0, -0.21938393439552029), (-2.5, -0.02491491787026973),
        (-10.0, -4.156968929685324e-06), (0.5, 0.4542199048631736), (2.0, 4.954234356001890),
    ])
    func exponentialIntegralMatchesTables(x: Double, expected: Double) {
        #expect(abs(exponentialIntegral(x) / expected - 1) < 1e-12)
    }
}
