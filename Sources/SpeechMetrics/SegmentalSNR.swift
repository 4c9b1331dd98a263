import Foundation

/// The signal-to-noise ratio of short frames, each kept within −10…35 dB, on average.
///
///     SNRseg = mean over frames of clamp(10 lg Σ s² / Σ (s − ŝ)²)
///
/// Hansen and Pellom, ICSLP 1998, with the frames of Loizou's implementation. Not scale-invariant: a change of level
/// counts as noise. A silent signal gives the failure `silent`: for a silent enhanced signal the formula would give 0
/// dB for any clean one.
public struct SegmentalSNR: SpeechMetric, Hashable {
    public init() {}

    /// The name in specs and tables.
    public var name: String { "seg_snr" }
    public var summary: String { "segmental signal-to-noise ratio" }
    /// A ratio of powers.
    public var unit: String { "dB" }
    /// Each frame's ratio is clamped to it, and so is their mean.
    public var range: ClosedRange<Double> { -10...35 }
    /// 35 dB is best.
    public var direction: MetricDirection { .higherIsBetter }
    /// Computed at the signals' own rate.
    public var rates: MetricRates { .any }
    /// The definition, and the implementation whose frames are used.
    public var source: String { "Hansen and Pellom, ICSLP 1998; Loizou, Speech Enhancement, 2013" }
    /// Names frame, hop (both in ms) and the limits in dB.
    public func signature(at sampleRate: Int) -> String { "seg_snr|native|30ms|7.5ms|-10..35|v1" }

    /// - Throws: `silent` for either signal; `tooShort` for less than a frame and a hop.
    public func value(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
        let ratios = try analysis.shared("segmental snr") { pair throws(MetricFailure) in
            guard pair.clean.contains(where: { $0 != 0 }) else { throw .silent(.clean) }
            guard pair.enhanced.contains(where: { $0 != 0 }) else { throw .silent(.enhanced) }
            return try QualityFrames(sampleRate: pair.sampleRate).map(pair, Self.ratio)
        }
        return ratios.reduce(0, +) / Double(ratios.count)
    }

    private static func ratio(_ clean: [Double], _ enhanced: [Double]) -> Double {
        var (signal, noise) = (0.0, 0.0)
        for (s, x) in zip(clean, enhanced) {
            signal += s * s
            noise += (s - x) * (s - x)
        }
        let ratio = 10 * log10(signal / (noise + Double.ulpOfOne) + Double.ulpOfOne)
        return min(max(ratio, -10), 35)
    }
}
