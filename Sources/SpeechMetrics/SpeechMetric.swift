/// A measure of enhanced speech, with all that is needed to interpret its values.
///
/// A metric is a value that states its unit, range, direction, rates, needs and source as data. Callers use `evaluate`:
/// it checks the preconditions of every metric, converts only what is allowed, and never returns NaN.
public protocol SpeechMetric: Sendable {
    /// The name used in specs and tables, such as `si_sdr`.
    var name: String { get }
    /// What is measured, in a sentence.
    var summary: String { get }
    /// The unit, such as `dB` or `MOS`; empty for a plain number.
    var unit: String { get }
    /// The values it can take; an infinite bound is a value only where the metric says so.
    var range: ClosedRange<Double> { get }
    var direction: MetricDirection { get }
    var rates: MetricRates { get }
    /// The signals compared with the enhanced one.
    var references: Set<PairSignal> { get }
    /// Whether signals of different lengths are a failure; PESQ alone aligns them itself.
    var needsEqualLengths: Bool { get }
    /// Whether `+∞` is a value: a ratio whose denominator is exactly zero.
    var mayBeInfinite: Bool { get }
    /// Whether the score of the unprocessed input is a floor that a system should not fall below.
    ///
    /// False where the unprocessed input is perfect by definition, so that its score is mere rounding.
    var hasNoisyFloor: Bool { get }
    /// Paper, standard or equation, and any difference from it.
    var source: String { get }
    /// Names the computation at a rate; stored with every number, and changed whenever numbers change.
    func signature(at sampleRate: Int) -> String
    /// The value for a pair whose rate, lengths and samples have been checked.
    func value(for pair: PairAnalysis) throws(MetricFailure) -> Double
}

/// Which of two values is the better one.
public enum MetricDirection: String, Sendable, Hashable, Codable {
    case higherIsBetter, lowerIsBetter
}

/// The sample rates a metric is defined at.
public enum MetricRates: Sendable, Hashable {
    case any
    /// In Hz, ascending.
    case only([Int])

    /// Whether signals of a rate, in Hz, can be scored.
    public func accepts(_ rate: Int) -> Bool {
        switch self {
        case .any: true
        case .only(let rates): rates.contains(rate)
        }
    }

    /// The accepted rate to which `rate` may be lowered; rates are never raised, since that adds no content to the
    /// upper band.
    public func target(for rate: Int) -> Int? {
        switch self {
        case .any: rate
        case .only(let rates): rates.last { $0 <= rate }
        }
    }
}

/// What a spec permits a metric to do to its input.
public struct MetricAllowance: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Lower the sample rate to one the metric accepts.
    public static let resampling = MetricAllowance(rawValue: 1)
}

/// A metric's result for one pair: a number or the reason for none, the signature, and the conversions.
public struct MetricOutcome: Sendable, Hashable {
    /// The metric's name.
    public var name: String
    /// The metric with all that decides its value.
    public var signature: String
    /// A finite value, or `+∞` where the metric allows it; else the reason why there is none.
    public var result: Result<Double, MetricFailure>
    /// What was done to the input, such as `48000 → 16000 Hz (soxr-hq)`; empty when nothing was.
    public var conversions: [String]

    public init(name: String, signature: String, result: Result<Double, MetricFailure>, conversions: [String]) {
        (self.name, self.signature, self.result, self.conversions) = (name, signature, result, conversions)
    }

    /// The value; `nil` where it could not be computed.
    public var value: Double? { try? result.get() }
    /// Why there is no value; `nil` where there is one.
    public var failure: MetricFailure? {
        if case .failure(let failure) = result { failure } else { nil }
    }
}

extension SpeechMetric {
    /// `true`, since most metrics compare sample by sample.
    public var needsEqualLengths: Bool { true }
    /// `false`: an infinite result is a failure.
    public var mayBeInfinite: Bool { false }
    /// `true`: the score of the noisy input is the anchor.
    public var hasNoisyFloor: Bool { true }
    /// The clean signal alone.
    public var references: Set<PairSignal> { [.clean] }

    /// The signature at the metric's own rate, or for any rate.
    public var signature: String {
        switch rates {
        case .any: signature(at: 0)
        case .only(let rates): signature(at: rates.last ?? 0)
        }
    }

    /// The signature for audio at `rate`, lowered to what the metric accepts.
    public func signature(ofAudioAt rate: Int) -> String {
        signature(at: rates.accepts(rate) ? rate : rates.target(for: rate) ?? rate)
    }

    /// Unit, range, direction, rates, needs and signature on a line, as `MOS, 1…5, higher is better, at 16000 Hz, …`.
    public var facts: String {
        func bound(_ value: Double) -> String {
            value.isInfinite ? (value > 0 ? "∞" : "−∞") : value == value.rounded() ? String(Int(value)) : String(value)
        }
        let at = rates.list.isEmpty ? "any rate" : "at " + rates.list.map(String.init).joined(separator: " or ") + " Hz"
        let needs = PairSignal.allCases.filter(references.contains).map(\.rawValue).joined(separator: " and ")
        return [
            unit.isEmpty ? "no unit" : unit, "\(bound(range.lowerBound))…\(bound(range.upperBound))",
            direction == .higherIsBetter ? "higher is better" : "lower is better", at, "needs \(needs)",
            "signature \(signature)",
        ].joined(separator: ", ")
    }

    /// The metric of one pair. Never throws: a failure is a result too.
    public func evaluate(_ pair: SpeechPair, allowing allowance: MetricAllowance = []) -> MetricOutcome {
        evaluate(PairAnalysis(pair), allowing: allowance)
    }

    /// The metric of a pair whose analyses other metrics share.
    public func evaluate(
        _ analysis: PairAnalysis, allowing allowance: MetricAllowance = []
    ) -> MetricOutcome {
        let rate = analysis.pair.sampleRate
        var outcome = MetricOutcome(
            name: name, signature: signature(at: rate), result: .failure(.empty(.clean)), conversions: [])
        do throws(MetricFailure) {
            try check(analysis.pair)
            var input = analysis
            if !rates.accepts(rate) {
                guard case .only(let accepted) = rates, let target = rates.target(for: rate),
                    allowance.contains(.resampling)
                else {
                    throw .sampleRate(rate, accepted: rates.list)
                }
                precondition(accepted.contains(target))
                input = try analysis.resampled(to: target)
                outcome.signature = signature(at: target)
                outcome.conversions = ["\(rate) → \(target) Hz (\(PairAnalysis.resamplerName))"]
            }
            outcome.result = .success(try checked(value(for: input)))
        } catch {
            outcome.result = .failure(error)
        }
        outcome.signature = ([outcome.signature] + analysis.pair.fitting).joined(separator: "|")
        return outcome
    }

    /// The checks that every metric needs before it runs.
    private func check(_ pair: SpeechPair) throws(MetricFailure) {
        var signals = [(PairSignal.clean, pair.clean), (.enhanced, pair.enhanced)]
        if references.contains(.noisy) {
            guard let noisy = pair.noisy else { throw .missing(.noisy) }
            signals.append((.noisy, noisy))
        }
        for (which, samples) in signals {
            if samples.isEmpty { throw .empty(which) }
            if let index = samples.firstIndex(where: { !$0.isFinite }) {
                throw .notFinite(which, index: index)
            }
            if samples[0] != 0 && samples.allSatisfy({ $0 == samples[0] }) { throw .constant(which) }
        }
        guard needsEqualLengths else { return }
        for (which, samples) in signals where samples.count != pair.clean.count {
            throw .lengthMismatch(which, count: samples.count, clean: pair.clean.count)
        }
    }

    /// Checks the result: NaN, and infinities that the metric does not allow, are failures.
    private func checked(_ value: Double) throws(MetricFailure) -> Double {
        if value.isFinite || (value == .infinity && mayBeInfinite) { return value }
        throw .undefined(value.isNaN ? "the formula gave no number" : "the formula gave \(value)")
    }
}

extension MetricRates {
    var list: [Int] {
        if case .only(let rates) = self { rates } else { [] }
    }
}
