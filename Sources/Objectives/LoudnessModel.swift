import Foundation
import SpeechMetrics

/// The loudness of powers in PESQ's bands and its slope, in double precision, from the tables of `BarkBands`.
///
///     L = S (P₀/0.5)^γ [(0.5 + 0.5 P/P₀)^γ − 1],    0 up to the threshold P₀
struct LoudnessModel: Sendable {
    let bands: BarkBands
    let thresholds: [Double]
    let widths: [Double]
    /// Of all bands but the first.
    let totalWidth: Double
    let exponents: [Double]
    /// `S (P₀/0.5)^γ`
    let factors: [Double]

    init(_ bands: BarkBands) {
        self.bands = bands
        thresholds = bands.thresholds.map(Double.init)
        widths = bands.widths.map(Double.init)
        totalWidth = widths.dropFirst().reduce(0, +)
        exponents = bands.loudnessExponents.map(Double.init)
        factors = zip(thresholds, exponents).map { Double(BarkBands.loudnessScale) * pow(2 * $0, $1) }
    }

    func loudness(_ power: Double, _ band: Int) -> Double {
        guard power > thresholds[band] else { return 0 }
        return factors[band] * (pow(0.5 + 0.5 * power / thresholds[band], exponents[band]) - 1)
    }

    /// `dL/dP` at a power whose loudness is given.
    func slope(_ power: Double, loudness: Double, _ band: Int) -> Double {
        guard power > thresholds[band] else { return 0 }
        return (loudness + factors[band]) * exponents[band] / (thresholds[band] + power)
    }

    /// The sums of what is above `factor` times the threshold, for each frame.
    func audible(_ powers: [Double], frames: Int, above factor: Double = 1) -> [Double] {
        (0..<frames).map { frame in
            var sum = 0.0
            for band in 1..<bands.count {
                let power = powers[frame * bands.count + band]
                if power > factor * thresholds[band] { sum += power }
            }
            return sum
        }
    }
}
