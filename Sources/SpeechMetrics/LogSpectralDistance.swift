import Foundation
import Kernels

/// The distance of the short-time power spectra, in dB.
///
///     LSD = mean over frames of √(mean over bins of (10 lg (|S|² + ε) − 10 lg (|Ŝ|² + ε))²),    ε = 1e-10
///
/// Frames of 32 ms under a periodic Hann window, a new one every 8 ms; samples at full scale ±1. Gray and Markel,
/// IEEE TASSP 24(5), 1976. Not scale-invariant.
public struct LogSpectralDistance: SpeechMetric, Hashable {
    public init() {}

    /// The name in specs and tables.
    public var name: String { "lsd" }
    public var summary: String { "log-spectral distance" }
    /// A distance of two levels.
    public var unit: String { "dB" }
    /// 0 for equal spectra; without upper limit, and `+∞` itself is never a value.
    public var range: ClosedRange<Double> { 0 ... .infinity }
    /// 0 is best.
    public var direction: MetricDirection { .lowerIsBetter }
    /// Computed at the signals' own rate, so values at different rates are not comparable.
    public var rates: MetricRates { .any }
    /// The definition; window, hop and `ε` are choices of this program.
    public var source: String { "Gray and Markel, IEEE TASSP 24(5), 1976" }
    /// Names window, hop and `ε`.
    public func signature(at sampleRate: Int) -> String { "lsd|native|hann-32ms|8ms|1e-10|v1" }

    private static let floor = 1e-10

    /// - Throws: `silent` for either signal; `tooShort` for less than 32 ms.
    public func value(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
        let pair = analysis.pair
        guard pair.clean.contains(where: { $0 != 0 }) else { throw .silent(.clean) }
        guard pair.enhanced.contains(where: { $0 != 0 }) else { throw .silent(.enhanced) }
        let length = max(2, Int((0.032 * Double(pair.sampleRate)).rounded()))
        let hop = max(1, length / 4)
        guard pair.clean.count >= length else {
            throw .tooShort(count: pair.clean.count, minimum: length, of: "samples")
        }
        let fft = RealFFT<Double>(length: length)
        let window = (0..<length).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(length)) }
        let starts = stride(from: 0, through: pair.clean.count - length, by: hop)
        var (sum, frames) = (0.0, 0)
        for start in starts {
            let levels = [pair.clean, pair.enhanced].map { signal in
                fft.forward((0..<length).map { Double(signal[start + $0]) * window[$0] })
                    .powers.map { 10 * log10($0 + Self.floor) }
            }
            let squares = zip(levels[0], levels[1]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            sum += (squares / Double(fft.bins)).squareRoot()
            frames += 1
        }
        return sum / Double(frames)
    }
}

extension [Double] {
    /// `|z|²` of complex numbers given part by part.
    var powers: [Double] {
        (0..<count / 2).map { k in
            let (re, im) = (self[2 * k], self[2 * k + 1])
            return re * re + im * im
        }
    }
}
