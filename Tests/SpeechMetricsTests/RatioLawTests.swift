import Foundation
import Kernels
import SpeechMetrics
import Testing

/// Laws of the ratios and distances of samples and spectra, over drawn signals.
@Suite struct RatioLawTests {
    private func signal(_ purpose: String, _ draw: Int, count: Int = 3001) -> [Float] {
        RandomStream(seed: 11, purpose: purpose, draw).normals(count, standardDeviation: 0.1)
    }

    private func value(_ kind: SignalRatio.Kind, _ pair: SpeechPair) throws -> Double {
        try SignalRatio(kind).evaluate(pair).result.get()
    }

    private func pair(_ draw: Int) -> SpeechPair {
        let (clean, noise, artifact) = (signal("clean", draw), signal("noise", draw), signal("artifact", draw))
        return SpeechPair(
            clean: clean, noisy: zip(clean, noise).map { $0 + $1 },
            enhanced: clean.indices.map { clean[$0] + 0.3 * noise[$0] + 0.1 * artifact[$0] }, sampleRate: 16000)
    }

    /// Noise of `s`'s norm, orthogonal to it, `a` times: −20 lg a dB.
    @Test(arguments: [0.01, 0.1, 0.5, 1, 3, 10], 0..<3)
    func orthogonalNoiseHasItsRatio(gain: Double, draw: Int) throws {
        let clean = signal("clean", draw).map(Double.init)
        var noise = signal("noise", draw).map(Double.init)
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        let share = dot(noise, clean) / dot(clean, clean)
        for n in noise.indices { noise[n] -= share * clean[n] }
        let scale = gain * (dot(clean, clean) / dot(noise, noise)).squareRoot()
        let enhanced = zip(clean, noise).map { Float($0 + scale * $1) }
        let pair = SpeechPair(clean: clean.map { Float($0) }, enhanced: enhanced, sampleRate: 16000)
        #expect(abs(try value(.distortion, pair) + 20 * log10(gain)) < 1e-4)
    }

    /// No gain of the enhanced signal counts, of either sign, and none of clean and noisy together.
    @Test(arguments: SignalRatio.Kind.allCases, 0..<3)
    func gainsDoNotCount(kind: SignalRatio.Kind, draw: Int) throws {
        let pair = pair(draw)
        let expected = try value(kind, pair)
        for gain in [Float(0.015625), -1, 3.7, -512] {
            var other = pair
            other.enhanced = pair.enhanced.map { $0 * gain }
            #expect(abs(try value(kind, other) - expected) < 1e-4, "\(gain)")
        }
        var other = pair
        other.clean = pair.clean.map { $0 * 4 }
        other.noisy = pair.noisy?.map { $0 * 4 }
        #expect(abs(try value(kind, other) - expected) < 1e-9)
    }

    /// The order of the samples does not count either.
    @Test func orderOfSamplesDoesNotCount() throws {
        let pair = pair(0)
        let order = RandomStream(seed: 12, purpose: "order").permutation(pair.clean.count)
        let noisy = try #require(pair.noisy)
        let other = SpeechPair(
            clean: order.map { pair.clean[$0] }, noisy: order.map { noisy[$0] },
            enhanced: order.map { pair.enhanced[$0] }, sampleRate: 16000)
        for kind in SignalRatio.Kind.allCases { #expect(abs(try value(kind, pair) - value(kind, other)) < 1e-9) }
    }

    /// Where the error is all noise, SI-SDR is nearly SI-SIR, and artifacts are next to none.
    @Test func onlyNoiseIsOnlyInterference() throws {
        let clean = signal("clean", 1)
        let noise = (0..<clean.count).map { Float(0.1 * sin(Double($0) * 1.1)) }
        let noisy = zip(clean, noise).map { $0 + $1 }
        let pair = SpeechPair(clean: clean, noisy: noisy, enhanced: noisy, sampleRate: 16000)
        #expect(abs(try value(.distortion, pair) - value(.interference, pair)) < 0.5)
        #expect(try value(.artifacts, pair) > value(.distortion, pair) + 15)
    }

    /// A frame's ratio is the signal's own where noise is `s` times `a`, and ends at −10 and 35 dB.
    @Test func segmentsAreClampedAtTheirBounds() throws {
        let clean = signal("clean", 2, count: 8000)
        for (gain, expected) in [(1e-4, 35), (0.01, 35), (0.1, 20), (1, 0), (2, -6.0206), (3.1, -9.8272), (10, -10)] {
            let enhanced = clean.map { Float(Double($0) * (1 + gain)) }
            let value = try SegmentalSNR().evaluate(
                SpeechPair(clean: clean, enhanced: enhanced, sampleRate: 16000)
            ).result.get()
            #expect(abs(value - expected) < 1e-3, "\(gain)")
        }
        // Half of the frames at each bound, but for those across the middle.
        let half = clean.indices.map { $0 < 4000 ? clean[$0] : 11 * clean[$0] }
        let value = try SegmentalSNR().evaluate(SpeechPair(clean: clean, enhanced: half, sampleRate: 16000)).result
            .get()
        #expect(abs(value - 12.5) < 2)
    }

    /// A distance: 0 for equal signals, the same in both directions, and a gain's own decibels.
    @Test func spectralDistanceIsADistance() throws {
        func distance(_ a: [Float], _ b: [Float]) throws -> Double {
            try LogSpectralDistance().evaluate(SpeechPair(clean: a, enhanced: b, sampleRate: 16000)).result.get()
        }
        let signals = (0..<3).map { signal("lsd", $0, count: 2400) }
        for a in signals {
            #expect(try distance(a, a) == 0)
            #expect(try distance(a, a.map { -$0 }) == 0)
            #expect(abs(try distance(a, a.map { $0 * 10 }) - 20) < 1e-3)
            for b in signals { #expect(abs(try distance(a, b) - distance(b, a)) < 1e-12) }
        }
        // A mean of norms keeps the triangle's inequality.
        let (ab, bc) = (try distance(signals[0], signals[1]), try distance(signals[1], signals[2]))
        #expect(try distance(signals[0], signals[2]) <= ab + bc && ab > 1)
    }
}
