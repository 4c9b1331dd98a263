import Audio
import Foundation
import Kernels
import Testing

@Suite struct WienerFilterTests {
    private static let rate = 16_000

    /// A harmonic tone that comes and goes four times per second, as syllables do.
    private func speech(_ count: Int) -> [Float] {
        (0..<count).map { index in
            let time = Double(index) / Double(Self.rate)
            let envelope = max(0, sin(2 * .pi * 2 * time)) * (time > 0.1 ? 1 : 0)
            return Float(envelope * (1...12).reduce(0) { $0 + sin(2 * .pi * 150 * Double($1) * time) / Double($1) })
        }
    }

    private func ratio(_ clean: [Float], _ estimate: [Float]) -> Double {
        let dot = zip(clean, estimate).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        let energy = clean.reduce(0) { $0 + Double($1) * Double($1) }
        let scale = dot / energy
        let error = zip(clean, estimate).reduce(0) { $0 + pow(Double($1.1) - scale * Double($1.0), 2) }
        return 10 * log10(scale * scale * energy / error)
    }

    private func mixed(_ clean: [Float], snr: Double) -> [Float] {
        let noise = RandomStream(seed: 3, purpose: "test").normals(clean.count)
        let power = clean.reduce(0) { $0 + Double($1) * Double($1) } / Double(clean.count)
        let gain = Float((power / pow(10, snr / 10)).squareRoot())
        return zip(clean, noise).map { $0 + gain * $1 }
    }

    @Test(arguments: [(0.0, 6.0), (5, 5), (10, 4)])
    func stationaryNoiseIsReduced(snr: Double, gain: Double) {
        let clean = speech(2 * Self.rate)
        let noisy = mixed(clean, snr: snr)
        let improvement = ratio(clean, WienerFilter()(noisy, sampleRate: Self.rate)) - ratio(clean, noisy)
        #expect(improvement > gain, "\(improvement) dB")
    }

    @Test func almostCleanSpeechPassesUnchanged() {
        let clean = speech(2 * Self.rate)
        let filtered = WienerFilter()(mixed(clean, snr: 60), sampleRate: Self.rate)
        #expect(ratio(clean, filtered) > 30, "\(ratio(clean, filtered)) dB")
        #expect(abs(zip(filtered, clean).reduce(0) { $0 + $1.0 * $1.1 } / clean.reduce(0) { $0 + $1 * $1 } - 1) < 0.01)
    }

    @Test func theFilterFollowsTheScaleOfItsInput() {
        let noisy = mixed(speech(Self.rate), snr: 5)
        let filtered = WienerFilter()(noisy, sampleRate: Self.rate)
        let quiet = WienerFilter()(noisy.map { $0 / 1024 }, sampleRate: Self.rate)
        #expect(zip(filtered, quiet).allSatisfy { abs($0 - 1024 * $1) < 1e-4 })
    }

    @Test(arguments: [0, 1, 127, 128, 129, 511, 512, 513, 5000], [8000, 16_000, 48_000])
    func theLengthStaysAndSilenceIsSilent(count: Int, rate: Int) {
        #expect(
            WienerFilter()([Float](repeating: 0, count: count), sampleRate: rate) == Array(repeating: 0, count: count))
        let noise = RandomStream(seed: 1, purpose: "test").normals(count)
        let filtered = WienerFilter()(noise, sampleRate: rate)
        #expect(filtered.count == count && filtered.allSatisfy(\.isFinite))
    }

    /// With a floor so high that every gain is 1, analysis and synthesis return the input.
    @Test func withoutFilteringTheFramesAddUpToTheSignal() {
        let noise = RandomStream(seed: 2, purpose: "test").normals(4321)
        let passed = WienerFilter(floor: 90)(noise, sampleRate: Self.rate)
        #expect(zip(noise, passed).allSatisfy { abs($0 - $1) < 1e-5 })
    }
}
