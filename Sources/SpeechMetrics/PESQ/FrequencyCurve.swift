import Foundation
import Kernels

/// A zero-phase filter given as gains at some frequencies, in dB, and lines between them.
///
/// It acts on the spectrum of the whole signal, padded to a power of two, relative to its gain at 1 kHz.
struct FrequencyCurve: Sendable {
    /// Hz and dB, ascending.
    private let points: [(frequency: Double, level: Double)]

    func filter(_ signal: ArraySlice<Float>, sampleRate: Int) -> [Float] {
        var length = 1
        while length < signal.count { length *= 2 }
        let fft = RealFFT<Float>(length: length)
        var samples = Array(signal) + [Float](repeating: 0, count: length - signal.count)
        var spectrum = fft.forward(samples)
        apply(to: &spectrum, resolution: Double(sampleRate) / Double(length))
        fft.inverse(spectrum, into: &samples)
        samples.removeLast(length - signal.count)
        return samples
    }

    /// Multiplies each bin by its gain; whole stretches at once where the curve is level.
    private func apply(to spectrum: inout [Float], resolution: Double) {
        let reference = level(at: 1000)
        var bin = 0
        let bins = spectrum.count / 2
        for (left, right) in zip(points, points.dropFirst()) {
            let isLast = right.frequency == points[points.count - 1].frequency
            let flat = left.level == right.level ? Self.gain(left.level - reference) : nil
            let slope = (right.level - left.level) / (right.frequency - left.frequency)
            while bin < bins, isLast || Double(bin) * resolution <= right.frequency {
                let level = left.level + slope * (Double(bin) * resolution - left.frequency)
                let gain = flat ?? Self.gain(level - reference)
                spectrum[2 * bin] *= gain
                spectrum[2 * bin + 1] *= gain
                bin += 1
            }
        }
    }

    private func level(at frequency: Double) -> Double {
        for (left, right) in zip(points, points.dropFirst()) where frequency <= right.frequency {
            let part = (frequency - left.frequency) / (right.frequency - left.frequency)
            return left.level + part * (right.level - left.level)
        }
        return points[points.count - 1].level
    }

    private static func gain(_ decibels: Double) -> Float { Float(pow(10, decibels / 20)) }
}

extension FrequencyCurve {
    /// The band whose power sets the level.
    static let levelBand = FrequencyCurve(points: [
        (0, -500), (300, -500), (350, 0), (3250, 0), (3500, -500), (8000, -500),
    ])

    /// The modified intermediate reference system, receive side (P.830).
    static let handset = FrequencyCurve(points: [
        (0, -200), (50, -40), (100, -20), (125, -12), (160, -6), (200, 0), (250, 4), (300, 6), (350, 8),
        (400, 10), (500, 11), (600, 12), (3250, 12), (3500, 4), (4000, -200), (8000, -200),
    ])
}
