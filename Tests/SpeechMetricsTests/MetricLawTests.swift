import Foundation
import Kernels
import SpeechMetrics
import Testing

@Suite struct MetricLawTests {
    private let pair: SpeechPair

    init() throws { pair = try RecordedPair.named("16k_suppressed_3dB") }

    private func value(_ metric: some SpeechMetric, _ pair: SpeechPair) throws -> Double {
        try metric.evaluate(pair).result.get()
    }

    /// A target with noise of known energy, orthogonal to it.
    @Test func ratiosEqualTheirConstruction() throws {
        let clean: [Float] = (0..<4000).map { Float(sin(2 * .pi * Double($0) / 40)) }
        let noise: [Float] = (0..<4000).map { Float(sin(2 * .pi * Double($0) / 50)) }
        let artifact: [Float] = (0..<4000).map { Float(sin(2 * .pi * Double($0) / 80)) }
        let noisy = zip(clean, noise).map { $0 + $1 }
        let enhanced = (0..<4000).map { n -> Float in
            let error: Float = 0.1 * noise[n] + 0.01 * artifact[n]
            return 2 * (clean[n] + error)
        }
        let pair = SpeechPair(clean: clean, noisy: noisy, enhanced: enhanced, sampleRate: 16000)
        #expect(abs(try value(SignalRatio(.interference), pair) - 20) < 1e-4)
        #expect(abs(try value(SignalRatio(.artifacts), pair) - 40) < 1e-3)
        #expect(abs(try value(SignalRatio(.distortion), pair) + 10 * log10(0.0101)) < 1e-4)
    }

    @Test func identicalSignalsHaveInfiniteRatioAndBestScores() throws {
        let same = SpeechPair(clean: pair.clean, enhanced: pair.clean, sampleRate: 16000)
        #expect(try value(SignalRatio(.distortion), same) == .infinity)
        #expect(abs(try value(Intelligibility(extended: false), same) - 1) < 1e-12)
        #expect(abs(try value(Intelligibility(extended: true), same) - 1) < 1e-12)
        #expect(abs(try value(PESQ(.wide), same) - 4.6438884) < 1e-6)
        #expect(abs(try value(PESQ(.narrow), same) - 4.5486383) < 1e-6)
        #expect(try value(LogSpectralDistance(), same) == 0)
        #expect(try value(SegmentalSNR(), same) == 35)
    }

    @Test(arguments: ["pesq", "pesq_nb", "stoi", "estoi", "si_sdr"])
    func levelOfTheEnhancedSignalDoesNotMatter(name: String) throws {
        let metric = try #require(MetricCatalog.standard[name])
        var louder = pair
        louder.enhanced = pair.enhanced.map { $0 * 0.5 }
        #expect(abs(try metric.evaluate(louder).result.get() - metric.evaluate(pair).result.get()) < 1e-4)
    }

    @Test func invertedPolarityHardlyMatters() throws {
        var inverted = pair
        inverted.enhanced = pair.enhanced.map { -$0 }
        #expect(abs(try value(PESQ(.wide), inverted) - value(PESQ(.wide), pair)) < 1e-4)
        #expect(abs(try value(SignalRatio(.distortion), inverted) - value(SignalRatio(.distortion), pair)) < 1e-9)
    }

    /// PESQ compensates a constant delay, which ruins metrics that do not.
    @Test func constantDelayHardlyMattersToPESQ() throws {
        var late = pair
        let silence = [Float](repeating: 0, count: 1200)
        late.clean = silence + pair.clean + silence
        late.enhanced = silence + silence + pair.enhanced
        late.noisy = nil
        #expect(abs(try value(PESQ(.wide), late) - value(PESQ(.wide), pair)) < 0.1)
        #expect(try value(SignalRatio(.distortion), late) < -10)
    }

    /// All but SI-SAR, to which noise is no artifact.
    @Test(arguments: MetricCatalog.standard.names.filter { $0 != "si_sar" })
    func moreNoiseIsWorse(name: String) throws {
        let metric = try #require(MetricCatalog.standard[name])
        let noise = RandomStream(seed: 1, purpose: "noise").normals(pair.clean.count, standardDeviation: 0.004)
        let values = try [1, 8].map { (gain: Float) in
            var degraded = pair
            degraded.enhanced = zip(pair.enhanced, noise).map { $0 + gain * $1 }
            degraded.noisy = zip(pair.clean, noise).map { $0 + $1 }
            return try metric.evaluate(degraded).result.get()
        }
        let isWorse = metric.direction == .higherIsBetter ? values[1] <= values[0] : values[1] >= values[0]
        #expect(isWorse, "\(values)")
    }

    @Test(arguments: [8000, 16000])
    func barkBandsTileTheSpectrum(rate: Int) {
        let bands = BarkBands(sampleRate: rate)
        #expect(bands.count == (rate == 16000 ? 49 : 42))
        #expect(bands.bins.first?.lowerBound == 0)
        for (band, next) in zip(bands.bins, bands.bins.dropFirst()) { #expect(band.upperBound == next.lowerBound) }
        #expect(bands.bins[bands.count - 1].upperBound <= bands.frameLength / 2)
        #expect(zip(bands.centres, bands.centres.dropFirst()).allSatisfy { $0 < $1 })
        for band in 0..<bands.count {
            let threshold = bands.thresholds[band]
            #expect(bands.loudness(of: threshold, band: band) == 0)
            #expect(bands.loudness(of: 4 * threshold, band: band) < bands.loudness(of: 5 * threshold, band: band))
        }
    }
}
