import Foundation
import Kernels
import SpeechMetrics
import Testing

/// Whatever the signals are, PESQ gives a number in its range or a reason.
@Suite struct PESQRobustnessTests {
    private static func signal(_ kind: Int, seed: UInt64, count: Int) -> [Float] {
        let noise = RandomStream(seed: seed, purpose: "signal").normals(count, standardDeviation: 0.1)
        return noise.enumerated().map { n, x in
            switch kind {
            case 0: x
            case 1: n / 3600 % 2 == 0 ? x : 0  // bursts: more utterances than the standard has room for
            case 2: n % 4001 == 0 ? 0.9 : 0  // clicks
            case 3: Float(sin(Double(n) * 0.05))
            case 4: (x * 5).rounded() / 32768  // the last bit of 16
            default: n < count / 2 ? 0 : x
            }
        }
    }

    @Test(arguments: 0..<6, 0..<6)
    func givesANumberOrAReason(clean: Int, enhanced: Int) {
        for (rate, cleanCount, enhancedCount) in [(16000, 24000, 24000), (16000, 5000, 30000), (8000, 30000, 2100)] {
            let pair = SpeechPair(
                clean: Self.signal(clean, seed: 1, count: cleanCount),
                enhanced: Self.signal(enhanced, seed: 2, count: enhancedCount), sampleRate: rate)
            let metric = PESQ(rate == 8000 ? .narrow : .wide)
            if let value = metric.evaluate(pair).value { #expect(metric.range.contains(value)) }
        }
    }
}
