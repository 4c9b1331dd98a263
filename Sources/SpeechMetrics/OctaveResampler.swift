import Foundation
import Kernels

/// The band-limited resampler that STOI is defined with: a Kaiser-windowed sinc of 60 dB, as Octave's `resample`.
///
///     y_k = Σ_j x_j h(k·q − j·p),    h(t) = p · w(t) sinc(2 f_c t) / Σ w sinc,    f_c = 1 / (2 max(p, q))
///
/// where `p / q` is the reduced ratio of output to input rate. Part of that metric's definition, so not
/// replaceable by a better filter.
struct OctaveResampler {
    private let up: Int
    private let down: Int
    /// Half the filter's length, in steps of `1/up` input samples.
    private let reach: Int
    /// For each of the `up` phases, the taps in the order the samples come.
    private let phases: [[Double]]

    init(from inputRate: Int, to outputRate: Int) {
        let divisor = Self.greatestCommonDivisor(inputRate, outputRate)
        (up, down) = (outputRate / divisor, inputRate / divisor)
        guard up != down else {
            (reach, phases) = (0, [[1]])
            return
        }
        let rejection = 60.0  // dB
        let cutoff = 1 / Double(2 * max(up, down))
        let rollOff = cutoff / 10
        reach = Int(((rejection - 8) / (28.714 * rollOff)).rounded(.up))
        let (half, beta) = (Double(reach), 0.1102 * (rejection - 8.7))
        var filter = (-reach...reach).map { t in
            let x = 2 * cutoff * Double(t)
            let sinc = x == 0 ? 1 : sin(.pi * x) / (.pi * x)
            let position = Double(t) / half
            return sinc * besselI0(beta * (1 - position * position).squareRoot())
        }
        let gain = Double(up) / filter.reduce(0, +)
        for index in filter.indices { filter[index] *= gain }
        // Output k meets sample j at tap reach + k·down − j·up; one phase per residue of k·down.
        let (up, reach) = (up, reach)
        phases = (0..<up).map { residue in
            let first = (reach + residue) % up
            return stride(from: first, to: filter.count, by: up).map { filter[$0] }.reversed()
        }
    }

    /// The signal at the new rate: `⌈n · p / q⌉` samples.
    func resample(_ signal: [Float]) -> [Double] {
        guard up != down else { return signal.map(Double.init) }
        let count = (signal.count * up + down - 1) / down
        // Zeros on both sides let every output run over the whole filter.
        let margin = 2 * reach / up + 2
        var padded = [Double](repeating: 0, count: signal.count + 2 * margin + 4 * down)
        for index in signal.indices { padded[margin + index] = Double(signal[index]) }
        var result = [Double](repeating: 0, count: count)
        // Outputs `up` apart use the same taps, `down` samples further on.
        for residue in 0..<min(up, count) {
            let taps = phases[residue * down % up]
            var output = residue
            while output < count {
                let start = margin + (output * down + reach) / up - taps.count + 1
                let sums = dotProducts(taps, padded, from: start, step: down)
                for lane in 0..<min(4, (count - output + up - 1) / up) { result[output + lane * up] = sums[lane] }
                output += 4 * up
            }
        }
        return result
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}

/// The modified Bessel function of the first kind and order zero, by its power series.
private func besselI0(_ x: Double) -> Double {
    let square = x * x / 4
    var (term, sum, k) = (1.0, 1.0, 1.0)
    while term > sum * 1e-17 {
        term *= square / (k * k)
        sum += term
        k += 1
    }
    return sum
}
