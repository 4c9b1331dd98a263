/// Predictions of the three ratings of ITU-T P.835: signal distortion, background intrusiveness, overall quality.
///
///     CSIG = 3.093 − 1.029 LLR + 0.603 PESQ − 0.009 WSS
///     CBAK = 1.634 + 0.478 PESQ − 0.007 WSS + 0.063 SNRseg
///     COVL = 1.594 + 0.805 PESQ − 0.512 LLR − 0.007 WSS        each kept within 1…5
///
/// with LLR and WSS averaged over the lowest 95 % of frames. Hu and Loizou, IEEE TASLP 16(1), 2008. As in papers on
/// VoiceBank-DEMAND, PESQ is the wide-band score at 16 kHz; at 8 kHz it is the narrow-band one before mapping.
public struct Composite: SpeechMetric, Hashable {
    /// Which rating of listeners is predicted.
    public enum Rating: String, Sendable, Hashable, CaseIterable {
        case signal = "csig"
        case background = "cbak"
        case overall = "covl"
    }

    /// The rating that is predicted.
    public var rating: Rating
    public init(_ rating: Rating) { self.rating = rating }

    /// `csig`, `cbak` or `covl`.
    public var name: String { rating.rawValue }
    public var summary: String {
        switch rating {
        case .signal: "predicted rating of signal distortion"
        case .background: "predicted rating of background intrusiveness"
        case .overall: "predicted rating of overall quality"
        }
    }
    /// Mean opinion score on the scales of P.835.
    public var unit: String { "MOS" }
    /// The formula's value is clamped to it.
    public var range: ClosedRange<Double> { 1...5 }
    /// For background as well: 5 is "not noticeable".
    public var direction: MetricDirection { .higherIsBetter }
    /// 8 kHz with narrow-band PESQ, 16 kHz with wide-band.
    public var rates: MetricRates { .only([8000, 16000]) }
    /// The paper that fitted the coefficients.
    public var source: String { "Hu and Loizou, IEEE TASLP 16(1), 2008" }
    /// Names PESQ's band, on which the value depends.
    public func signature(at sampleRate: Int) -> String {
        let isNarrow = sampleRate == 8000
        return "\(name)|pesq-\(isNarrow ? "nb-raw|8000" : "wb|16000")|soxr-hq|v1"
    }

    /// - Throws: What PESQ throws; `undefined` where a frame has no likelihood ratio.
    public func value(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
        let isNarrow = analysis.pair.sampleRate == 8000
        let pesq =
            isNarrow ? try PESQ(.narrow).rawScore(for: analysis) : try PESQ(.wide).value(for: analysis)
        let rating =
            switch rating {
            case .signal:
                3.093 - 1.029 * (try likelihoodRatio(analysis)) + 0.603 * pesq - 0.009 * (try spectralSlope(analysis))
            case .background:
                1.634 + 0.478 * pesq - 0.007 * (try spectralSlope(analysis))
                    + 0.063 * (try SegmentalSNR().value(for: analysis))
            case .overall:
                1.594 + 0.805 * pesq - 0.512 * (try likelihoodRatio(analysis)) - 0.007 * (try spectralSlope(analysis))
            }
        guard rating.isFinite else { throw .undefined("a frame's likelihood ratio is not a number") }
        return min(max(rating, 1), 5)
    }

    private func likelihoodRatio(_ analysis: PairAnalysis) throws(MetricFailure) -> Double {
        try analysis.shared("log-likelihood ratio") { pair throws(MetricFailure) in
            let ratio = LogLikelihoodRatio(sampleRate: pair.sampleRate)
            return try QualityFrames(sampleRate: pair.sampleRate).map(pair) { ratio($0, $1) }.trimmedMean
        }
    }

    private func spectralSlope(_ analysis: PairAnalysis) throws(MetricFailure) -> Double {
        try analysis.shared("weighted spectral slope") { pair throws(MetricFailure) in
            let frames = QualityFrames(sampleRate: pair.sampleRate)
            let slope = WeightedSpectralSlope(frames: frames)
            return try frames.map(pair) { slope($0, $1) }.trimmedMean
        }
    }
}
