import Statistics
import Testing

/// Agreement with scipy; tolerances as the fixture's README states them.
@Suite struct AgreementTests {
    static let reference = Reference.scipy

    @Test func normalAndStudentValuesAgree() {
        for one in Self.reference.normal {
            #expect(abs(NormalDistribution.quantile(one.p) - one.quantile) < 1e-9)
            #expect(abs(NormalDistribution.cdf(one.quantile) - one.p) < 1e-9)
        }
        for one in Self.reference.student {
            #expect(abs(StudentDistribution(freedom: one.freedom).cdf(one.t) - one.cdf) < 1e-9, "\(one)")
        }
        for one in Self.reference.studentQuantiles {
            let ours = StudentDistribution(freedom: one.freedom).quantile(one.p)
            #expect(abs(ours - one.quantile) < 1e-9 * abs(one.quantile), "\(one): \(ours)")
        }
    }

    @Test func holmsCorrectionAgrees() {
        let ours = HolmCorrection.adjusted(Self.reference.holm.values)
        for (ours, theirs) in zip(ours, Self.reference.holm.adjusted) { #expect(abs(ours - theirs) < 1e-12) }
    }

    @Test func sizesOfExperimentsAgree() {
        for one in Self.reference.power {
            let ours = Power.units(forMean: one.effect, deviation: 1) ?? 0
            #expect(abs(ours - one.units) <= 1, "\(one): \(ours)")
        }
    }

    /// Given the same resampled means, the interval is the same one.
    @Test(arguments: reference.samples)
    func theIntervalOfRecordedResamplesAgrees(one: Reference.Sample) {
        let sample = PairedSample([one.values], clusters: one.clusters)
        let interval = Bootstrap.interval(
            means: one.resampledMeans, estimate: sample.mean, jackknife: Bootstrap.jackknife(of: sample),
            quantile: NormalDistribution.quantile(0.975))
        #expect(abs(interval.lowerBound - one.intervalOfResampledMeans[0]) < 1e-9)
        #expect(abs(interval.upperBound - one.intervalOfResampledMeans[1]) < 1e-9)
    }

    @Test(arguments: reference.samples)
    func theIntervalOfOurResamplesAgrees(one: Reference.Sample) {
        let sample = PairedSample([one.values], clusters: one.clusters)
        let interval = Bootstrap.interval(
            means: Bootstrap.means(of: sample, resamples: 1_000_000), estimate: sample.mean,
            jackknife: Bootstrap.jackknife(of: sample), quantile: NormalDistribution.quantile(0.975))
        #expect(abs(interval.lowerBound - one.interval[0]) < 1e-3, "\(interval) \(one.interval)")
        #expect(abs(interval.upperBound - one.interval[1]) < 1e-3, "\(interval) \(one.interval)")
    }

    @Test(arguments: reference.samples)
    func testsAndEffectSizesAgree(one: Reference.Sample) throws {
        let sample = PairedSample([one.values], clusters: one.clusters)
        let flips = SignFlipTest(sample, resamples: 1_000_000)
        #expect(flips.isExact == (sample.clusters <= SignFlipTest.exactUnits))
        #expect(abs(flips.p - one.signFlipP) < (flips.isExact ? 1e-9 : 1e-3), "\(flips) \(one.signFlipP)")
        #expect(abs(try #require(sample.tTestP) - one.tTestP) < 1e-9)
        #expect(abs(try #require(sample.effectSize) - one.effectSize) < 1e-9)
        #expect(abs(sample.mean - one.mean) < 1e-12)
    }
}
