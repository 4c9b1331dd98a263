import Foundation

/// The perceived difference of two frames: of all differences, and with added components weighted more than lost ones.
struct FrameDisturbance {
    var symmetric: Float = 0
    var asymmetric: Float = 0
}

/// Compares the loudness of two frames band by band (P.862 §10.2.7–10.2.9).
///
///     d_b = deadzone(L_b(deg) − L_b(ref)),    D = W ‖d_b w_b‖₂ / √W,    A = Σ |d_b h_b| w_b
///
/// Differences below a quarter of the softer loudness are masked. `h` weighs a band by how much power was added,
/// `((P_deg + 50) / (P_ref + 50))^1.2`, from 3 (below which it is 0) to 12.
struct DisturbanceMeter {
    let bands: BarkBands
    private let totalWidth: Double
    private let leastRatio: Float = 2.498049532966
    private let greatestRatio: Float = 7.930533

    init(_ bands: BarkBands) {
        self.bands = bands
        totalWidth = Double(bands.totalWidth)
    }

    func disturbance(reference: BandSpectra, degraded: BandSpectra, frame: Int) -> FrameDisturbance {
        var (squares, added) = (0.0, 0.0)
        for band in 1..<bands.count {
            let (before, after) = (reference[frame, band], degraded[frame, band])
            let (soft, loud) = (bands.loudness(of: before, band: band), bands.loudness(of: after, band: band))
            let masked = 0.25 * min(soft, loud)
            let difference = abs(loud - soft) - masked
            guard difference > 0 else { continue }
            let weighted = Double(difference * bands.widths[band])
            squares += weighted * weighted
            added += weighted * Double(asymmetry((after + 50) / (before + 50)))
        }
        return FrameDisturbance(
            symmetric: Float((squares / totalWidth).squareRoot() * totalWidth), asymmetric: Float(added))
    }

    /// `ratio^1.2`, 0 below 3 and at most 12.
    private func asymmetry(_ ratio: Float) -> Float {
        if ratio < leastRatio { return 0 }
        return ratio > greatestRatio ? 12 : pow(ratio, 1.2)
    }
}

/// Tracks the level of the degraded signal, so that slow changes cause little disturbance (P.862 §10.2.5).
struct GainTracker {
    private var previous: Float?
    private static let offset: Float = 5e3

    /// The gain for the next frame, from the audible powers of both signals.
    ///
    /// - Parameter isFirst: whether this is the first frame of the file, which alone is not smoothed.
    mutating func gain(reference: Float, degraded: Float, isFirst: Bool) -> Float {
        var gain = (reference + Self.offset) / (degraded + Self.offset)
        if !isFirst { gain = 0.2 * (previous ?? 1) + 0.8 * gain }
        previous = gain
        return min(max(gain, 3e-4), 5)
    }
}

/// Sums disturbances over time: frames to half-overlapping syllables of 320 ms with exponent 6, syllables
/// to the file with exponent 2 (P.862 §10.2.11).
struct DisturbanceSum {
    private static let syllable = 20  // frames

    /// - Parameters:
    ///   - frames: The frames of speech, leading and trailing silence left out.
    ///   - weight: How much a frame `n` places after the first counts.
    static func sum(_ disturbances: [Float], over frames: ClosedRange<Int>, weight: (Int) -> Double) -> Double {
        var (total, weights) = (0.0, 0.0)
        for start in stride(from: frames.lowerBound, through: frames.upperBound, by: syllable / 2) {
            var powers = 0.0
            for frame in start...min(start + syllable - 1, frames.upperBound) {
                let square = Double(disturbances[frame]) * Double(disturbances[frame])
                powers += square * square * square
            }
            let loudness = pow(powers / Double(syllable), 1.0 / 6)
            let weight = weight(start - frames.lowerBound)
            total += (weight * loudness) * (weight * loudness)
            weights += weight * weight
        }
        return (total / weights).squareRoot()
    }
}
