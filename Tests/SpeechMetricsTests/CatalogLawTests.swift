import Foundation
import Kernels
import SpeechMetrics
import Testing

/// What the whole catalog promises of speech-like pairs.
@Suite struct CatalogLawTests {
    /// Harmonics and breath under syllables.
    private static func speech(_ draw: Int) -> [Float] {
        let random = RandomStream(seed: 21, purpose: "speech", draw)
        let (pitch, rate) = (random.uniform(0, in: 100...220), random.uniform(1, in: 2...4))
        let breath = RandomStream(seed: 21, purpose: "breath", draw).normals(10000)
        return breath.indices.map { n in
            let t = Double(n) / 16000
            var tone = 0.5 * Double(breath[n])
            for harmonic in 1...8 {
                let h = Double(harmonic)
                tone += sin(2 * .pi * pitch * h * t + h * h) / h
            }
            let syllable = sin(.pi * rate * t)
            return Float(0.08 * tone * (0.05 + syllable * syllable))
        }
    }

    /// Noise at a ratio in dB; the noisy signal has twice as much.
    private static func noisy(_ draw: Int, _ decibels: Double) -> SpeechPair {
        let clean = speech(draw)
        let noise = RandomStream(seed: 22, purpose: "noise", draw).normals(clean.count)
        let power = clean.reduce(0.0) { $0 + Double($1 * $1) } / Double(clean.count)
        let gain = Float((power / pow(10, decibels / 10)).squareRoot())
        func sum(_ gain: Float) -> [Float] { zip(clean, noise).map { $0 + gain * $1 } }
        return SpeechPair(clean: clean, noisy: sum(2 * gain), enhanced: sum(gain), sampleRate: 16000)
    }

    /// A better ratio is a better value, and none beats the clean signal itself, in every metric but those of parts.
    @Test func valuesImproveWithTheRatio() throws {
        var same = Self.noisy(0, 10)
        same.enhanced = same.clean
        let analyses = ([0.0, 15, 30].map { Self.noisy(0, $0) } + [same]).map(PairAnalysis.init)
        for metric in MetricCatalog.standard.metrics where !["si_sir", "si_sar"].contains(metric.name) {
            let values = try analyses.map { try metric.evaluate($0).result.get() }
            let rising = metric.direction == .higherIsBetter ? values : values.reversed()
            let isRising = zip(rising, rising.dropFirst()).allSatisfy(<=)
            #expect(isRising && rising[0] < rising[2], "\(metric.name): \(values)")
        }
    }

    /// PESQ sets levels itself, and (E)STOI scales each band: gains of either signal hardly count.
    @Test(arguments: [("pesq_nb", 4), ("stoi", 0.1), ("stoi", 5), ("estoi", 0.1), ("estoi", 5)] as [(String, Float)])
    func gainsOfEitherSignalHardlyCount(name: String, gain: Float) throws {
        let metric = try #require(MetricCatalog.standard[name])
        let pair = Self.noisy(2, 5)
        let expected = try metric.evaluate(pair).result.get()
        var (clean, enhanced) = (pair, pair)
        clean.clean = pair.clean.map { $0 * gain }
        enhanced.enhanced = pair.enhanced.map { $0 * gain }
        for other in [clean, enhanced] {
            #expect(abs(try metric.evaluate(other).result.get() - expected) < 1e-4)
        }
    }

    /// An item has what it has alone, whichever items fail beside it, in any order, by any number of workers.
    @Test func batchesAreTheirItems() async throws {
        let pairs: [(String, SpeechPair)] =
            (0..<2).map { ("good\($0)", Self.noisy($0, 10)) } + [
                ("empty", SpeechPair(clean: [], noisy: [], enhanced: [], sampleRate: 16000)),
                ("silent", SpeechPair(clean: [0, 0], noisy: [0, 0], enhanced: [0, 0], sampleRate: 16000)),
                ("nan", SpeechPair(clean: [1, 2], noisy: [1, 3], enhanced: [1, .nan], sampleRate: 16000)),
                ("unequal", SpeechPair(clean: [1, 2], noisy: [1, 2], enhanced: [1], sampleRate: 16000)),
            ]
        let metrics = MetricCatalog.standard.metrics.filter { !$0.name.hasPrefix("pesq") && !$0.name.hasPrefix("c") }
        func outcomes(_ pair: SpeechPair) -> [MetricOutcome] {
            let analysis = PairAnalysis(pair)
            return metrics.map { $0.evaluate(analysis) }
        }
        let alone = Dictionary(uniqueKeysWithValues: pairs.map { ($0, outcomes($1)) })
        for (workers, order) in [(1, [5, 2, 0, 3, 1, 4]), (2, [0, 3, 1, 4, 2, 5])] {
            let items = order.map { index in MetricItem(pairs[index].0) { pairs[index].1 } }
            let scores = try await MetricBatch(metrics, workers: workers).scores(of: items)
            #expect(scores.map(\.name) == items.map(\.name))
            for score in scores { #expect(score.outcomes == alone[score.name], "\(score.name)") }
        }
        for (name, outcomes) in alone {
            for outcome in outcomes {
                #expect((outcome.value != nil) == name.hasPrefix("good"), "\(outcome.name) of \(name)")
                #expect(outcome.value != nil || outcome.failure?.summary.isEmpty == false)
            }
        }
    }
}
