import Checkpoints
import Foundation
import Testing
import Training

/// Power-function averages of any length, and the rate over time.
@Suite struct PowerFunctionTests {
    @Test(arguments: [0.01, 0.05, 0.1, 0.2, 0.28]) func theExponentBelongsToTheDeviation(std: Double) {
        #expect(abs(PowerFunction.std(exponent: PowerFunction(std: std).exponent) - std) < 1e-12)
    }

    /// Updates one after the other give the weights of the profile `τ^γ`: the average of constant steps is their share.
    @Test func updatesGiveTheProfile() {
        let (profile, steps) = (PowerFunction(std: 0.1), 4000)
        var average = 0.0
        for step in 1...steps {
            let decay = profile.decay(at: Double(step), delta: 1)
            average = decay * average + (1 - decay) * (step <= steps / 2 ? 1 : 0)
        }
        // The share of the first half is (1/2)^{γ+1}.
        #expect(abs(average - pow(0.5, profile.exponent + 1)) < 1e-4)
    }

    /// A kept average is its own reconstruction, and coefficients add up to 1.
    @Test func aKeptAverageIsItsOwnReconstruction() throws {
        let kept = [(2.0, 0.05), (2, 0.1), (4, 0.05), (4, 0.1)].map { AverageProfile(offset: $0, std: $1) }
        let own = try #require(AverageProfile.coefficients(of: kept, for: kept[2]))
        for (index, value) in own.enumerated() { #expect(abs(value - (index == 2 ? 1 : 0)) < 1e-9) }
        let between = try #require(AverageProfile.coefficients(of: kept, for: AverageProfile(offset: 4, std: 0.07)))
        #expect(abs(between.reduce(0, +) - 1) < 1e-12)
        #expect(AverageProfile.coefficients(of: [kept[0], kept[0]], for: kept[1]) == nil)
    }

    /// A reconstructed average comes nearer to the one that would have been kept than any of the kept ones.
    @Test func reconstructionsComeNear() throws {
        let (steps, every) = (2000, 100)
        func weight(_ step: Int) -> Double { sin(Double(step) / 300) + Double(step) / Double(steps) }
        func averages(_ std: Double) -> [Double] {
            let profile = PowerFunction(std: std)
            var (average, all) = (0.0, [Double]())
            for step in 1...steps {
                let decay = profile.decay(at: Double(step), delta: 1)
                average = decay * average + (1 - decay) * weight(step)
                all.append(average)
            }
            return all
        }
        let (short, long, wanted) = (averages(0.05), averages(0.1), averages(0.15)[steps - 1])
        let ends = Array(stride(from: every, through: steps, by: every))
        let kept = ends.flatMap {
            [AverageProfile(offset: Double($0), std: 0.05), AverageProfile(offset: Double($0), std: 0.1)]
        }
        let values = ends.flatMap { [short[$0 - 1], long[$0 - 1]] }
        let shares = try #require(
            AverageProfile.coefficients(of: kept, for: AverageProfile(offset: Double(steps), std: 0.15)))
        let made = zip(shares, values).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(
            abs(made - wanted) < 0.02 * abs(long[steps - 1] - wanted),
            "\(made) for \(wanted), the longest kept is \(long[steps - 1])")
    }

    /// The rate grows from 0 over the ramp, and falls with the root of the steps behind the reference.
    @Test func theRateGrowsAndFalls() {
        var rule = OptimizerRule(rate: 0.01, averages: .exponential(0.999), batch: 4)
        #expect(rule.rate(after: 1_000_000) == 0.01)
        (rule.referenceSteps, rule.rampUp) = (100, 200)
        #expect(rule.rate(after: 0) == 0)
        #expect(abs(rule.rate(after: 25) - 0.005) < 1e-15)
        #expect(abs(rule.rate(after: 100) - 0.01) < 1e-15)
        #expect(abs(rule.rate(after: 400) - 0.005) < 1e-15)
    }
}
