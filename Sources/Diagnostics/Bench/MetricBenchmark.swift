import Audio
import Corpora
import Dispatch
import Foundation
import Kernels
public import SpeechMetrics

/// Metrics over pairs of files, each metric by itself and then all together.
public struct MetricBenchmark: Sendable {
    private let pairs: [SpeechPair]
    private let metrics: [any SpeechMetric]

    /// Over the files of two folders that have the same name; the noisy file is scored as the enhanced one.
    public init(clean: String, noisy: String, metrics: [any SpeechMetric]) throws {
        let matches = FileMatching(
            enhanced: try SoundFolder.files(in: noisy), clean: try SoundFolder.files(in: clean)
        ).matches
        pairs = try matches.map { match in
            let rate = try SoundFile.header(of: clean + "/" + match.clean).sampleRate
            let enhanced = try SoundFile.readMono(noisy + "/" + match.enhanced, sampleRate: rate)
            return SpeechPair(
                clean: try SoundFile.readMono(clean + "/" + match.clean, sampleRate: rate), noisy: enhanced,
                enhanced: enhanced, sampleRate: rate)
        }
        self.metrics = metrics
    }

    /// Over `count` pairs of the recipe `synthetic`, `seconds` long.
    public init(synthetic count: Int, seconds: Double, metrics: [any SpeechMetric]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sgmse-bench-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (0, 0, count, 0)
            $0.seconds = seconds...seconds
        }.write(to: folder)
        try self.init(clean: folder + "/test/clean", noisy: folder + "/test/noisy", metrics: metrics)
    }

    public var count: Int { pairs.count }

    /// One measurement per metric and, where there are several, one of all.
    public func run(repetitions: Int) -> [Benchmark] {
        let single = metrics.map { measure($0.name, [$0], repetitions) }
        return metrics.count == 1
            ? single : single + [measure(metrics.map(\.name).joined(separator: "+"), metrics, repetitions)]
    }

    /// All pairs, as many at once as there are threads; analyses are shared between the metrics of a pair.
    private func measure(_ name: String, _ metrics: [any SpeechMetric], _ repetitions: Int) -> Benchmark {
        let workers = min(Engine.threads, pairs.count)
        var result = Benchmark.measure("metric \(name) \(pairs.count) pairs", repetitions: repetitions) {
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                for index in stride(from: worker, to: pairs.count, by: workers) {
                    let analysis = PairAnalysis(pairs[index])
                    for metric in metrics { _ = metric.evaluate(analysis, allowing: .resampling) }
                }
            }
        }
        result.details = [("ms_per_pair", 1000 * result.median / Double(max(1, pairs.count)))]
        return result
    }
}
