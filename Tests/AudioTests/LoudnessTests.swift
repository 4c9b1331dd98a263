import Audio
import Foundation
import Testing

@Suite struct LoudnessTests {
    private func tone(_ frequency: Double, _ rate: Int, seconds: Double, level: Double) -> [Float] {
        let amplitude = pow(10, level / 20)
        return (0..<Int(seconds * Double(rate))).map {
            Float(amplitude * sin(2 * .pi * frequency * Double($0) / Double(rate)))
        }
    }

    /// ITU-R BS.1770-4, Annex 1: a sine of 997 Hz at full scale in one front channel reads −3.01 LUFS. The standard
    /// states its filters at 48 kHz; those of other rates come near, and EBU Tech 3341 allows a meter 0.1 LU.
    @Test(arguments: [16_000, 44_100, 48_000]) func theReferenceToneReadsMinusThree(rate: Int) throws {
        let tolerance = rate == 48_000 ? 0.02 : 0.1
        for level in [0.0, -20] {
            let found = try #require(Loudness.integrated(tone(997, rate, seconds: 3, level: level), sampleRate: rate))
            #expect(abs(found - level + 3.01) < tolerance, "\(found)")
        }
    }

    /// EBU Tech 3341, case 3: 10 s at −36, 60 s at −23, 10 s at −36 dBFS in both channels; the quiet parts are gated
    /// away. In one channel every value is 3.01 lower.
    @Test func quietPartsAreGatedAway() throws {
        let parts = [(10.0, -36.0), (60, -23), (10, -36)].flatMap { tone(1000, 48_000, seconds: $0, level: $1) }
        #expect(try abs(#require(Loudness.integrated(parts, sampleRate: 48_000)) + 23 + 3.01) < 0.1)
    }

    @Test func silenceAndShortSignalsHaveNone() {
        #expect(Loudness.integrated([Float](repeating: 0, count: 48_000), sampleRate: 48_000) == nil)
        #expect(Loudness.integrated(tone(997, 48_000, seconds: 0.3, level: 0), sampleRate: 48_000) == nil)
    }
}
