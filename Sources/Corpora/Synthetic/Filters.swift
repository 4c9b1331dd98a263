import Foundation

/// A two-pole resonator with unit gain at 0 Hz.
///
///     y[n] = a x[n] + b y[n−1] + c y[n−2],   c = −e^{−2πβ/fs},   b = 2 e^{−πβ/fs} cos(2πf/fs),   a = 1 − b − c
///
/// Klatt, *Software for a cascade/parallel formant synthesizer*, JASA 67, 1980, Eqs. (1) and (2).
struct Resonator: Sendable {
    private var a = 1.0, b = 0.0, c = 0.0
    private var last = 0.0, beforeLast = 0.0

    init() {}

    init(frequency: Double, bandwidth: Double, sampleRate: Double) {
        tune(frequency: frequency, bandwidth: bandwidth, sampleRate: sampleRate)
    }

    /// Moves the resonance (Hz); the state stays, so a formant can glide.
    mutating func tune(frequency: Double, bandwidth: Double, sampleRate: Double) {
        let radius = exp(-.pi * bandwidth / sampleRate)
        c = -radius * radius
        b = 2 * radius * cos(2 * .pi * frequency / sampleRate)
        a = 1 - b - c
    }

    /// Scales the gain so that white noise keeps its power.
    mutating func normalisePower() {
        a = ((1 + c) * ((1 - c) * (1 - c) - b * b) / (1 - c)).squareRoot()
    }

    mutating func filter(_ signal: inout [Float], in range: Range<Int>) {
        for index in range {
            let y = a * Double(signal[index]) + b * last + c * beforeLast
            (beforeLast, last) = (last, y)
            signal[index] = Float(y)
        }
    }

    mutating func filter(_ signal: inout [Float]) { filter(&signal, in: signal.indices) }
}

/// A first-order section with a pole and a zero on the real axis, given as corner frequencies in Hz.
///
///     H(s) = (s + 2πz) / (s + 2πp)   by the bilinear transform, gain 1 at high frequencies
struct FirstOrderFilter: Sendable {
    private let b0: Double, b1: Double, a1: Double
    private var lastInput = 0.0, last = 0.0

    init(pole: Double, zero: Double, sampleRate: Double) {
        let (p, z) = (tan(.pi * pole / sampleRate), tan(.pi * zero / sampleRate))
        b0 = (1 + z) / (1 + p)
        b1 = (z - 1) / (1 + p)
        a1 = (p - 1) / (1 + p)
    }

    static func highPass(_ corner: Double, sampleRate: Double) -> FirstOrderFilter {
        FirstOrderFilter(pole: corner, zero: 0, sampleRate: sampleRate)
    }

    /// Falls by 6 dB per octave above the corner, down to a quarter of the sample rate.
    static func lowPass(_ corner: Double, sampleRate: Double) -> FirstOrderFilter {
        FirstOrderFilter(pole: corner, zero: 0.45 * sampleRate, sampleRate: sampleRate)
    }

    mutating func filter(_ signal: inout [Float]) {
        for index in signal.indices {
            let x = Double(signal[index])
            last = b0 * x + b1 * lastInput - a1 * last
            lastInput = x
            signal[index] = Float(last)
        }
    }
}

extension [Float] {
    /// Mean of the squares, silence included.
    package var meanSquare: Double {
        isEmpty ? 0 : reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
    }

    package mutating func scale(by factor: Double) {
        let factor = Float(factor)
        for index in indices { self[index] *= factor }
    }

    /// Scales to a root mean square; silence stays as it is.
    package mutating func scale(toRootMeanSquare level: Double) {
        let power = meanSquare
        if power > 0 { scale(by: level / power.squareRoot()) }
    }

    package var peak: Float { reduce(0) { Swift.max($0, abs($1)) } }

    package mutating func add(_ other: [Float], gain: Float = 1) {
        for index in 0..<Swift.min(count, other.count) { self[index] += gain * other[index] }
    }
}
