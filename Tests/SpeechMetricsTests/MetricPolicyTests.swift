import Foundation
import SpeechMetrics
import Testing

/// What every metric promises, over the whole catalog.
@Suite struct MetricPolicyTests {
    static let names = MetricCatalog.standard.names

    /// Half a second of something speech-like: modulated harmonics.
    static let clean: [Float] = (0..<16000).map { n in
        let t = Double(n) / 16000
        let tone = (1...12).reduce(0.0) { $0 + sin(2 * .pi * 140 * Double($1) * t) / Double($1) }
        return Float(0.1 * tone * pow(sin(2 * .pi * 2 * t), 2))
    }
    static let enhanced: [Float] = clean.enumerated().map { $1 + 0.01 * sin(Float($0 * $0 % 1009)) }

    private func metric(_ name: String) throws -> any SpeechMetric {
        try #require(MetricCatalog.standard[name])
    }

    private func outcome(_ name: String, clean: [Float], enhanced: [Float], rate: Int = 16000) throws -> MetricOutcome {
        let noisy = zip(clean, enhanced).map { $0 + 1.5 * ($1 - $0) }
        return try metric(name).evaluate(
            SpeechPair(clean: clean, noisy: noisy, enhanced: enhanced, sampleRate: rate))
    }

    @Test(arguments: names)
    func ordinaryPairHasAValueInRange(name: String) throws {
        let value = try #require(outcome(name, clean: Self.clean, enhanced: Self.enhanced).value)
        #expect(try metric(name).range.contains(value))
    }

    @Test(arguments: names)
    func swappedPairHasAValueInRange(name: String) throws {
        let value = try #require(outcome(name, clean: Self.enhanced, enhanced: Self.clean).value)
        #expect(try metric(name).range.contains(value))
    }

    @Test(arguments: names)
    func clippedPairHasAValueInRange(name: String) throws {
        let clipped = Self.clean.map { min(max($0, -0.05), 0.05) }
        let value = try #require(outcome(name, clean: Self.clean, enhanced: clipped).value)
        #expect(try metric(name).range.contains(value))
    }

    @Test(arguments: names, [Float.nan, .infinity, -.infinity])
    func nonFiniteSampleIsAFailure(name: String, sample: Float) throws {
        var broken = Self.enhanced
        broken[700] = sample
        #expect(try outcome(name, clean: Self.clean, enhanced: broken).failure == .notFinite(.enhanced, index: 700))
        #expect(try outcome(name, clean: broken, enhanced: Self.clean).failure == .notFinite(.clean, index: 700))
    }

    @Test(arguments: names)
    func constantSignalIsAFailure(name: String) throws {
        let constant = [Float](repeating: 0.25, count: Self.clean.count)
        #expect(try outcome(name, clean: Self.clean, enhanced: constant).failure == .constant(.enhanced))
        #expect(try outcome(name, clean: constant, enhanced: Self.clean).failure == .constant(.clean))
    }

    /// STOI of a silent signal beside one that is not is 0, a correlation with nothing, as its reference tool has it;
    /// all else has no value.
    @Test(arguments: names)
    func silenceIsAFailureOrZero(name: String) throws {
        let silence = [Float](repeating: 0, count: Self.clean.count)
        for (clean, enhanced) in [(Self.clean, silence), (silence, Self.clean), (silence, silence)] {
            let outcome = try outcome(name, clean: clean, enhanced: enhanced)
            if name.hasSuffix("stoi"), clean != enhanced {
                #expect(outcome.value == 0)
            } else {
                #expect(["silent", "no_utterances"].contains(outcome.failure?.code))
            }
        }
    }

    @Test(arguments: names)
    func emptySignalIsAFailure(name: String) throws {
        #expect(try outcome(name, clean: [], enhanced: []).failure == .empty(.clean))
    }

    @Test(arguments: names.filter { !$0.hasPrefix("si_") })
    func tooShortSignalIsAFailure(name: String) throws {
        let outcome = try outcome(name, clean: Array(Self.clean[300..<600]), enhanced: Array(Self.enhanced[300..<600]))
        #expect(outcome.failure?.code == "too_short")
    }

    @Test(arguments: names.filter { !$0.hasPrefix("pesq") })
    func otherLengthIsAFailure(name: String) throws {
        let shorter = Array(Self.enhanced.dropLast())
        let pair = SpeechPair(clean: Self.clean, noisy: Self.clean, enhanced: shorter, sampleRate: 16000)
        let failure = try metric(name).evaluate(pair).failure
        #expect(failure == .lengthMismatch(.enhanced, count: 15999, clean: 16000))
    }

    @Test(arguments: names)
    func missingNoisySignalIsAFailureWhereItIsNeeded(name: String) throws {
        let pair = SpeechPair(clean: Self.clean, enhanced: Self.enhanced, sampleRate: 16000)
        let metric = try metric(name)
        #expect((metric.evaluate(pair).failure == .missing(.noisy)) == metric.references.contains(.noisy))
    }

    /// Another rate is refused, unless converting is allowed; then it is recorded. Nothing is ever raised.
    @Test(arguments: names)
    func rateIsConvertedOnlyWhereAllowed(name: String) throws {
        let metric = try metric(name)
        let pair = SpeechPair(clean: Self.clean, noisy: Self.enhanced, enhanced: Self.enhanced, sampleRate: 22050)
        let converted = metric.evaluate(pair, allowing: .resampling)
        if metric.rates == .any {
            #expect(converted.conversions.isEmpty)
        } else {
            #expect(metric.evaluate(pair).failure?.code == "sample_rate")
            #expect(converted.conversions == ["22050 → 16000 Hz (soxr-hq)"])
            #expect(converted.value != nil)
            let low = SpeechPair(clean: Self.clean, enhanced: Self.enhanced, sampleRate: 6000)
            #expect(metric.evaluate(low, allowing: .resampling).failure?.code == "sample_rate")
        }
    }

    @Test func signaturesTellMetricsAndRatesApart() {
        let metrics = MetricCatalog.standard.metrics
        #expect(Set(metrics.map(\.signature)).count == metrics.count)
        #expect(PESQ(.wide).signature == "pesq|wb|16000|soxr-hq|v1")
        #expect(PESQ(.narrow).signature(at: 8000) == "pesq|nb|8000|soxr-hq|v1")
    }

    /// Metrics that share an analysis give the numbers they give alone.
    @Test func sharingDoesNotChangeNumbers() throws {
        let pair = SpeechPair(
            clean: Self.clean, noisy: Self.enhanced.map { $0 * 1.1 }, enhanced: Self.enhanced, sampleRate: 16000)
        let shared = PairAnalysis(pair)
        for metric in MetricCatalog.standard.metrics.reversed() {
            #expect(metric.evaluate(shared) == metric.evaluate(pair))
        }
    }
}
