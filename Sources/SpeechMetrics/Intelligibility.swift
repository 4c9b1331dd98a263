/// Short-time objective intelligibility, and its extension to fluctuating maskers.
///
/// Both average, over all segments of 384 ms, a correlation of one-third octave band amplitudes `x` (clean) and `y`
/// (enhanced). STOI scales each band of `y` to the energy of `x`, clips it at −15 dB signal-to-distortion,
///
///     y' = min(y ‖x‖/‖y‖, (1 + 10^{15/20}) x),    d = mean over bands of corr(x, y'),
///
/// and ESTOI normalises the bands over time, then the frames over bands, to mean 0 and norm 1:
///
///     d = (1/30) Σ_frames ⟨x̄_frame, ȳ_frame⟩.
///
/// Taal et al., IEEE TASLP 2011; Jensen and Taal, IEEE TASLP 2016. The reference tool adds numbers of size 2e-16 to
/// avoid dividing by zero, which makes ESTOI of digital silence random: here a silent band stays zero. Where the
/// tool returns 1e-5 for want of speech, this is a `tooShort` failure.
///
/// If exactly one of the signals is silent the value is 0, as recorded from the reference tool: the correlation with
/// silence is 0. Two silent signals fail as `silent`.
public struct Intelligibility: SpeechMetric, Hashable {
    /// ESTOI rather than STOI.
    public var isExtended: Bool
    public init(extended: Bool) { isExtended = extended }

    /// `estoi` or `stoi`.
    public var name: String { isExtended ? "estoi" : "stoi" }
    public var summary: String {
        isExtended ? "extended short-time objective intelligibility" : "short-time objective intelligibility"
    }
    /// A correlation, without unit.
    public var unit: String { "" }
    /// Speech gives 0 to 1; a correlation can be negative.
    public var range: ClosedRange<Double> { -1...1 }
    /// A monotonic function of the share of words understood.
    public var direction: MetricDirection { .higherIsBetter }
    /// Signals of any rate are resampled to 10 kHz inside the metric, as it is defined.
    public var rates: MetricRates { .any }
    /// The paper of the variant.
    public var source: String {
        isExtended ? "Jensen and Taal, IEEE TASLP 24(11), 2016" : "Taal et al., IEEE TASLP 19(7), 2011"
    }
    /// Names 10 kHz, the rate at which it is computed whatever the signals' rate.
    public func signature(at sampleRate: Int) -> String { "\(name)|10000|octave|v1" }

    /// - Throws: `silent` where both signals are; `tooShort` for less than 384 ms of speech.
    public func value(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
        let pair = analysis.pair
        guard pair.clean.contains(where: { $0 != 0 }) || pair.enhanced.contains(where: { $0 != 0 }) else {
            throw .silent(.clean)
        }
        let bands = try analysis.shared("third-octave bands", ThirdOctaveBands.init)
        let segments = 0...(bands.frames - ThirdOctaveBands.segment)
        var sum = 0.0
        if isExtended {
            var (x, y) = (NormalizedSegment(), NormalizedSegment())
            for start in segments {
                x.load(bands.clean, from: start)
                y.load(bands.enhanced, from: start)
                sum += x.innerProduct(with: y) / Double(ThirdOctaveBands.segment)
            }
        } else {
            for start in segments {
                let correlations = Self.clippedCorrelations(bands.clean, bands.enhanced, from: start)
                sum += correlations.sum() / Double(ThirdOctaveBands.bandCount)
            }
        }
        return sum / Double(segments.count)
    }

    /// The correlations of all bands of a segment, after scaling and clipping the enhanced one.
    private static func clippedCorrelations(
        _ x: [ThirdOctaveBands.Amplitudes], _ y: [ThirdOctaveBands.Amplitudes], from start: Int
    ) -> ThirdOctaveBands.Amplitudes {
        typealias Bands = ThirdOctaveBands.Amplitudes
        let frames = start..<start + ThirdOctaveBands.segment
        let tiny = Double.ulpOfOne
        let limit = 1 + 5.623413251903491  // 1 + 10^(15/20)
        var (xPower, yPower) = (Bands.zero, Bands.zero)
        for m in frames {
            xPower += x[m] * x[m]
            yPower += y[m] * y[m]
        }
        let scale = xPower.squareRoot() / (yPower.squareRoot() + tiny)
        func clipped(_ m: Int) -> Bands {
            let (scaled, most) = (y[m] * scale, x[m] * limit)
            return scaled.replacing(with: most, where: most .< scaled)
        }
        var (xMean, yMean) = (Bands.zero, Bands.zero)
        for m in frames {
            xMean += x[m]
            yMean += clipped(m)
        }
        xMean /= Double(frames.count)
        yMean /= Double(frames.count)
        var (xx, yy, xy) = (Bands.zero, Bands.zero, Bands.zero)
        for m in frames {
            let (a, b) = (x[m] - xMean, clipped(m) - yMean)
            xx += a * a
            yy += b * b
            xy += a * b
        }
        return xy / ((xx.squareRoot() + tiny) * (yy.squareRoot() + tiny))
    }
}

/// The amplitudes of one segment, normalised over time and then over bands.
private struct NormalizedSegment {
    private typealias Bands = ThirdOctaveBands.Amplitudes
    private static let frames = ThirdOctaveBands.segment
    /// Below this a band or frame is digital silence; speech at the 16-bit floor lies 10 decades above.
    private static let silence = 1e-30
    /// 1 in the lanes of bands.
    private static let bands = Bands((0..<Bands.scalarCount).map { $0 < ThirdOctaveBands.bandCount ? 1 : 0 })

    private var values = [Bands](repeating: .zero, count: frames)

    mutating func load(_ amplitudes: [ThirdOctaveBands.Amplitudes], from start: Int) {
        var mean = Bands.zero
        for m in 0..<Self.frames { mean += amplitudes[start + m] }
        mean /= Double(Self.frames)
        var power = Bands.zero
        for m in 0..<Self.frames {
            let x = amplitudes[start + m] - mean
            values[m] = x
            power += x * x
        }
        let scale = Bands.zero.replacing(with: 1 / power.squareRoot(), where: power .> Self.silence)
        for m in 0..<Self.frames {
            let x = values[m] * scale
            let centred = x - Self.bands * (x.sum() / Double(ThirdOctaveBands.bandCount))
            let power = (centred * centred).sum()
            values[m] = power > Self.silence ? centred / power.squareRoot() : .zero
        }
    }

    func innerProduct(with other: NormalizedSegment) -> Double {
        var sum = Bands.zero
        for m in 0..<Self.frames { sum += values[m] * other.values[m] }
        return sum.sum()
    }
}
