import SpeechMetrics
import Testing

@Suite struct AgreementTests {
    @Test func fixturesAreFound() { #expect(RecordedPair.all.count == 9) }

    @Test(arguments: RecordedPair.all)
    func numbersAgreeWithTheFieldsTools(pair: RecordedPair) throws {
        let analysis = PairAnalysis(try pair.load())
        for (name, expected) in pair.expected {
            let metric = try #require(MetricCatalog.standard[name])
            let value = try #require(metric.evaluate(analysis, allowing: .resampling).value, "\(name)")
            let tolerance = name.hasPrefix("pesq") ? (pair.sampleRate == 48000 ? 0.02 : 0.001) : 1e-6
            #expect(abs(value - expected) <= tolerance, "\(name): \(value), recorded \(expected)")
        }
    }

    @Test(arguments: RecordedPair.all)
    func reasonsAgreeWithTheFieldsTools(pair: RecordedPair) throws {
        let analysis = PairAnalysis(try pair.load())
        for (name, code) in pair.failures {
            let metric = try #require(MetricCatalog.standard[name])
            #expect(metric.evaluate(analysis).failure?.code == code, "\(name)")
        }
    }

    /// Against an independent NumPy implementation of the published formulas, with `pesq`'s wide-band score.
    @Test(arguments: [
        ("csig", 1.7337995), ("cbak", 1.9107662), ("covl", 1.3707274), ("seg_snr", 2.8043635), ("lsd", 15.7826062),
    ])
    func compositeRatingsAgreeWithTheirFormulas(name: String, expected: Double) throws {
        let metric = try #require(MetricCatalog.standard[name])
        let value = try #require(metric.evaluate(RecordedPair.named("16k_suppressed_3dB")).value)
        #expect(abs(value - expected) < 2e-5)
    }
}
