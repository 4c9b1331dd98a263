import Foundation

/// The scale-invariant ratios of signal to distortion, interference and artifacts.
///
///     s_target = (⟨ŝ, s⟩ / ‖s‖²) s      e_noise = (⟨ŝ, n⟩ / ‖n‖²) n      e_art = ŝ − s_target − e_noise
///     SI-SDR = 10 lg ‖s_target‖² / ‖e_noise + e_art‖²
///     SI-SIR = 10 lg ‖s_target‖² / ‖e_noise‖²        SI-SAR = 10 lg ‖s_target‖² / ‖e_art‖²
///
/// with `ŝ` the enhanced signal, `s` the clean one and `n` = noisy − clean, all in double precision and without
/// removing means. `n` is projected on its own, not made orthogonal to `s`: the definition that SGMSE's evaluation
/// uses (Richter et al., 2023). A denominator of exactly zero gives `+∞`.
public struct SignalRatio: SpeechMetric, Hashable {
    /// What the target is compared with.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case distortion = "si_sdr"
        case interference = "si_sir"
        case artifacts = "si_sar"
    }

    /// Which part of the error the target is compared with.
    public var kind: Kind
    public init(_ kind: Kind) { self.kind = kind }

    /// `si_sdr`, `si_sir` or `si_sar`.
    public var name: String { kind.rawValue }
    public var summary: String {
        switch kind {
        case .distortion: "scale-invariant signal-to-distortion ratio"
        case .interference: "scale-invariant signal-to-interference ratio"
        case .artifacts: "scale-invariant signal-to-artifacts ratio"
        }
    }
    /// A ratio of powers.
    public var unit: String { "dB" }
    /// `+∞` is a value, for an error of exactly zero; `−∞` is a failure, `undefined`.
    public var range: ClosedRange<Double> { -.infinity ... .infinity }
    /// 0 dB means that target and error have equal power.
    public var direction: MetricDirection { .higherIsBetter }
    /// Computed at the signals' own rate; values at different rates are not comparable.
    public var rates: MetricRates { .any }
    /// SIR and SAR also need the noisy signal, of which `n` = noisy − clean.
    public var references: Set<PairSignal> { kind == .distortion ? [.clean] : [.clean, .noisy] }
    /// `+∞` where the denominator is exactly zero, as of SI-SDR where `ŝ` is a multiple of `s`.
    public var mayBeInfinite: Bool { true }
    /// `y` is `s + n` without any artifact, its SI-SAR +∞ but for rounding.
    public var hasNoisyFloor: Bool { kind != .artifacts }
    /// Definition of the ratios, and of the projection on the noise.
    public var source: String {
        "Le Roux et al., SDR – Half-baked or Well Done?, ICASSP 2019; noise projected as in SGMSE's evaluation"
    }
    /// Names the precision, and that means are not removed.
    public func signature(at sampleRate: Int) -> String { "\(name)|native|f64|no-mean-removal|v1" }

    /// - Throws: `silent` for a silent signal or noise; `undefined` where `ŝ` is orthogonal to `s`; `missing` without
    ///   the noisy signal.
    public func value(for analysis: PairAnalysis) throws(MetricFailure) -> Double {
        let pair = analysis.pair
        let (clean, enhanced) = (pair.clean, pair.enhanced)
        let cleanPower = dot(clean, clean)
        guard cleanPower > 0 else { throw .silent(.clean) }
        guard enhanced.contains(where: { $0 != 0 }) else { throw .silent(.enhanced) }
        let targetWeight = dot(enhanced, clean) / cleanPower
        let target = targetWeight * targetWeight * cleanPower
        guard target > 0 else {
            throw .undefined("the enhanced signal holds nothing of the clean one: the ratio is −∞")
        }
        guard kind != .distortion else {
            let residual = sumOfSquares(enhanced.count) { n in
                Double(enhanced[n]) - targetWeight * Double(clean[n])
            }
            return decibels(target, over: residual)
        }
        guard let noisy = pair.noisy else { throw .missing(.noisy) }
        let noise = zip(noisy, clean).map { Double($0) - Double($1) }
        let noisePower = sumOfSquares(noise.count) { noise[$0] }
        guard noisePower > 0 else { throw .silent(.noise) }
        var product = 0.0
        for n in noise.indices { product += Double(enhanced[n]) * noise[n] }
        let noiseWeight = product / noisePower
        if kind == .interference { return decibels(target, over: noiseWeight * noiseWeight * noisePower) }
        let artifacts = sumOfSquares(enhanced.count) { n in
            Double(enhanced[n]) - targetWeight * Double(clean[n]) - noiseWeight * noise[n]
        }
        return decibels(target, over: artifacts)
    }

    private func decibels(_ power: Double, over other: Double) -> Double {
        10 * log10(power / other)
    }
}

private func dot(_ x: [Float], _ y: [Float]) -> Double {
    var sum = 0.0
    for n in x.indices { sum += Double(x[n]) * Double(y[n]) }
    return sum
}

private func sumOfSquares(_ count: Int, _ value: (Int) -> Double) -> Double {
    var sum = 0.0
    for n in 0..<count {
        let x = value(n)
        sum += x * x
    }
    return sum
}
