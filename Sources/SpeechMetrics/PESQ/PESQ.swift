import Foundation

/// Perceptual evaluation of speech quality: an estimate of the mean opinion score a listening test would give.
///
///     MOS-LQO = 0.999 + 4 / (1 + e^{a − b·r}),    r = 4.5 − 0.1 D − 0.0309 A
///
/// with `a = 4.6607, b = 1.4945` for narrow band (P.862.1) and `a = 3.8224, b = 1.3669` for wide band (P.862.2). `D`
/// and `A` are the symmetric and asymmetric disturbance of the two signals after aligning their levels and, utterance
/// by utterance, their delays.
///
/// ITU-T P.862 (2001), P.862.1 (2003), P.862.2 (2007). Follows the behaviour of the standard's software as the
/// `pesq` package runs it; wide-band scores exist at 16 kHz only.
public struct PESQ: SpeechMetric, Hashable {
    /// Which of the two models of the recommendation.
    public enum Band: String, Sendable, Hashable {
        case narrow = "nb"
        case wide = "wb"
    }

    /// Wide band (P.862.2), or narrow band with the mapping of P.862.1.
    public var band: Band
    public init(_ band: Band) { self.band = band }

    /// `pesq` is wide band, as in papers on speech enhancement at 16 kHz.
    public var name: String { band == .wide ? "pesq" : "pesq_nb" }
    public var summary: String {
        "perceptual evaluation of speech quality, \(band == .wide ? "wide" : "narrow") band"
    }
    /// MOS-LQO, an estimated mean opinion score.
    public var unit: String { "MOS" }
    /// The limits of the mapping; equal signals reach 4.64 (wide band) or 4.55 (narrow band).
    public var range: ClosedRange<Double> { 0.999...4.999 }
    /// 5 stands for excellent quality.
    public var direction: MetricDirection { .higherIsBetter }
    /// Wide band at 16 kHz; narrow band also at 8 kHz.
    public var rates: MetricRates { .only(band == .wide ? [16000] : [8000, 16000]) }
    /// `false`: PESQ aligns the signals by itself.
    public var needsEqualLengths: Bool { false }
    /// The recommendation of the band.
    public var source: String { band == .wide ? "ITU-T P.862.2 (2007)" : "ITU-T P.862 (2001), P.862.1 (2003)" }
    /// Names the band and the rate at which the signals are compared.
    public func signature(at sampleRate: Int) -> String {
        let rate = band == .wide || sampleRate != 8000 ? 16000 : 8000
        return "pesq|\(band.rawValue)|\(rate)|soxr-hq|v1"
    }

    /// - Throws: `tooShort` for less than 250 ms; `noUtterances` for a reference without speech; `silent`.
    public func value(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
        let raw = try rawScore(for: analysis)
        let (a, b) = band == .wide ? (3.8224, 1.3669) : (4.6607, 1.4945)
        return 0.999 + 4 / (1 + exp(a - b * raw))
    }

    /// The score before mapping to MOS-LQO, `r`.
    func rawScore(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
        try analysis.shared("pesq|\(band.rawValue)") { pair throws(MetricFailure) in
            try rawScore(clean: pair.clean, enhanced: pair.enhanced, sampleRate: pair.sampleRate)
        }
    }

    private func rawScore(
        clean: [Float], enhanced: [Float], sampleRate: Int
    ) throws(MetricFailure) -> Double {
        let timing = PESQTiming(sampleRate: sampleRate)
        let shortest = min(clean.count, enhanced.count)
        guard shortest >= sampleRate / 4 else {
            throw .tooShort(count: shortest, minimum: sampleRate / 4, of: "samples")
        }
        // Dividing by the common peak changes no level, but the rounding: the reference tool does it.
        let peak = Double(max(clean.largestMagnitude, enhanced.largestMagnitude))
        guard peak > 0 else { throw .noUtterances }
        var reference = PESQSignal(clean.map { Float(Double($0) / peak) }, timing: timing)
        var degraded = PESQSignal(enhanced.map { Float(Double($0) / peak) }, timing: timing)
        let longest = max(reference.count, degraded.count)
        // A silent reference has no utterances; a silent degraded signal has no level to align.
        guard reference.alignLevel(longest: longest) else { throw .noUtterances }
        guard degraded.alignLevel(longest: longest) else { throw .silent(.enhanced) }
        switch band {
        case .narrow:
            reference.filterAsHandset()
            degraded.filterAsHandset()
        case .wide:
            reference.filterAsHeadphones()
            degraded.filterAsHeadphones()
        }
        let search = DelaySearch(
            reference: reference.preparedForAlignment(), degraded: degraded.preparedForAlignment())
        let alignment = try UtteranceAlignment(search)
        var model = PerceptualModel(reference: reference, degraded: degraded, alignment: alignment)
        return model.score()
    }
}

extension [Float] {
    fileprivate var largestMagnitude: Float { reduce(0) { Swift.max($0, abs($1)) } }
}
