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
public struct Intelligibility: SpeechMetric, Hashable {
    public var isExtended: Bool
    public init(extended: Bool) { isExtended = extended }

    public var name: String { isExtended ? "estoi" : "stoi" }
    public var summary: String {
        isExtended ? "extended short-time objective intelligibility" : "short-time objective intelligibility"
    }
    public var unit: String { "" }
    public var range: ClosedRange<Double> { -1...1 }
    public var direction: MetricDirection { .higherIsBetter }
    public var rates: MetricRates { .any }
    public var source: String {
        isExtended ? "Jensen and Taal, IEEE TASLP 24(11), 2016" : "Taal et al., IEEE TASLP 19(7), 2011"
    }
    public func signature(at sampleRate: Int) -> String { "\(name)|10000|octave|v1" }

    public func value(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
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
                for band in 0..<ThirdOctaveBands.bandCount {
                    sum += Self.clippedCorrelation(bands.clean[band], bands.enhanced[band], from: start)
                }
            }
            sum /= Double(ThirdOctaveBands.bandCount)
        }
        return sum / Double(segments.count)
    }

    /// The correlation of one band of a segment, after scaling and clipping the enhanced one.
    private static func clippedCorrelation(_ x: [Double], _ y: [Double], from start: Int) -> Double {
        let frames = start..<start + ThirdOctaveBands.segment
        let (x, y) = (x.span, y.span)
        let tiny = Double.ulpOfOne
        var (xPower, yPower) = (0.0, 0.0)
        for m in frames {
            xPower += x[m] * x[m]
            yPower += y[m] * y[m]
        }
        let scale = xPower.squareRoot() / (yPower.squareRoot() + tiny)
        let limit = 1 + 5.623413251903491  // 1 + 10^(15/20)
        var (xSum, ySum) = (0.0, 0.0)
        for m in frames {
            xSum += x[m]
            ySum += min(y[m] * scale, x[m] * limit)
        }
        let (xMean, yMean) = (xSum / Double(frames.count), ySum / Double(frames.count))
        var (xx, yy, xy) = (0.0, 0.0, 0.0)
        for m in frames {
            let (a, b) = (x[m] - xMean, min(y[m] * scale, x[m] * limit) - yMean)
            xx += a * a
            yy += b * b
            xy += a * b
        }
        return xy / ((xx.squareRoot() + tiny) * (yy.squareRoot() + tiny))
    }
}

/// The amplitudes of one segment, normalised over time and then over bands.
private struct NormalizedSegment {
    private static let (bandCount, frames) = (ThirdOctaveBands.bandCount, ThirdOctaveBands.segment)
    /// Below this a band or frame is digital silence; speech at the 16-bit floor lies 10 decades above.
    private static let silence = 1e-30

    /// `[band, frame]`
    private var values = [Double](repeating: 0, count: bandCount * frames)

    mutating func load(_ bands: [[Double]], from start: Int) {
        let frames = Self.frames
        for band in 0..<Self.bandCount {
            let row = bands[band]
            var sum = 0.0
            for m in 0..<frames { sum += row[start + m] }
            let mean = sum / Double(frames)
            var power = 0.0
            for m in 0..<frames {
                let x = row[start + m] - mean
                values[band * frames + m] = x
                power += x * x
            }
            let scale = power > Self.silence ? 1 / power.squareRoot() : 0
            for m in 0..<frames { values[band * frames + m] *= scale }
        }
        normalizeFrames()
    }

    private mutating func normalizeFrames() {
        let frames = Self.frames
        var (means, powers) = ([Double](repeating: 0, count: frames), [Double](repeating: 0, count: frames))
        for band in 0..<Self.bandCount {
            for m in 0..<frames { means[m] += values[band * frames + m] }
        }
        for m in 0..<frames { means[m] /= Double(Self.bandCount) }
        for band in 0..<Self.bandCount {
            for m in 0..<frames {
                values[band * frames + m] -= means[m]
                powers[m] += values[band * frames + m] * values[band * frames + m]
            }
        }
        for m in 0..<frames { powers[m] = powers[m] > Self.silence ? 1 / powers[m].squareRoot() : 0 }
        for band in 0..<Self.bandCount {
            for m in 0..<frames { values[band * frames + m] *= powers[m] }
        }
    }

    func innerProduct(with other: NormalizedSegment) -> Double {
        var sum = 0.0
        for index in values.indices { sum += values[index] * other.values[index] }
        return sum
    }
}
