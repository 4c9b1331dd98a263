import Foundation

/// Sample-rate conversion by a windowed sinc, and its adjoint.
///
/// With both rates divided by their greatest common divisor, and `c = 0.99 · min(from, to)`,
///
///     y_n = c/from · Σ_i x_i sinc(t) cos²(πt/12),    t = c (i/from − n/to),    |t| < 6
///
/// `L` samples give `⌈L · to / from⌉`. The signal is zero outside its range.
///
/// Smith, *Digital Audio Resampling*, 2002; the parameters are torchaudio's defaults.
struct SincResampling: Sendable {
    let from: Int
    private let to: Int
    /// For each output within a period of `to`: its first input within the period's `from`, and the weights.
    let phases: [(start: Int, taps: [Double])]

    /// - Precondition: Both rates, in Hz, are positive.
    init(from source: Int, to target: Int) {
        precondition(source > 0 && target > 0, "resampling from \(source) to \(target) Hz")
        var (divisor, rest) = (source, target)
        while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        let (from, to) = (source / divisor, target / divisor)
        let (zeros, cutoff) = (6.0, 0.99 * Double(min(from, to)))
        phases = (0..<to).map { phase in
            let centre = Double(phase * from) / Double(to)
            let reach = zeros * Double(from) / cutoff
            let inputs = Int((centre - reach).rounded(.up))...Int((centre + reach).rounded(.down))
            let taps = inputs.map { input in
                let t = cutoff * (Double(input) / Double(from) - Double(phase) / Double(to))
                let window = pow(cos(.pi * t / (2 * zeros)), 2)
                return cutoff / Double(from) * window * (t == 0 ? 1 : sin(.pi * t) / (.pi * t))
            }
            return (inputs.lowerBound, taps)
        }
        (self.from, self.to) = (from, to)
    }

    /// The number of output samples for `count` input samples.
    func length(of count: Int) -> Int { (count * to + from - 1) / from }

    /// The shortest input that gives `length` output samples.
    func shortestSource(of length: Int) -> Int { (length - 1) * from / to + 1 }

    func callAsFunction(_ signal: [Double]) -> [Double] {
        (0..<length(of: signal.count)).map { n in
            let (first, taps, inside) = window(of: n, in: signal.count)
            var sum = 0.0
            for tap in inside { sum += taps[tap] * signal[first + tap] }
            return sum
        }
    }

    /// The gradient with respect to a signal of `count` samples.
    func adjoint(_ gradient: [Double], count: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: count)
        for n in gradient.indices {
            let (first, taps, inside) = window(of: n, in: count)
            for tap in inside { sums[first + tap] += taps[tap] * gradient[n] }
        }
        return sums
    }

    /// The first input of output `n`, its weights, and the range of weights inside the signal.
    private func window(of n: Int, in count: Int) -> (first: Int, taps: [Double], inside: Range<Int>) {
        let (start, taps) = phases[n % to]
        let first = n / to * from + start
        let lower = min(max(0, -first), taps.count)
        return (first, taps, lower..<max(lower, min(taps.count, count - first)))
    }
}
