import Foundation
import Kernels
import SpeechMetrics
import Synchronization
import Testing

@Suite struct MetricBatchTests {
    private static let items: [MetricItem] = (0..<7).map { index in
        MetricItem("file\(index)", labels: ["snr": "\(5 * (index % 3))", "noise": index % 2 == 0 ? "cafe" : "bus"]) {
            if index == 4 { throw CocoaError(.fileReadNoSuchFile) }
            let clean = RandomStream(seed: 1, purpose: "clean", index).normals(9000, standardDeviation: 0.1)
            let noise = RandomStream(seed: 2, purpose: "noise", index).normals(9000, standardDeviation: 0.02)
            let enhanced = index == 5 ? clean : zip(clean, noise).map { $0 + $1 }
            return SpeechPair(clean: clean, noisy: enhanced, enhanced: enhanced, sampleRate: 16000)
        }
    }

    private func scores(workers: Int) async throws -> [ItemScores] {
        let metrics: [any SpeechMetric] = [SignalRatio(.distortion), SegmentalSNR(), Intelligibility(extended: true)]
        return try await MetricBatch(metrics, workers: workers).scores(of: Self.items)
    }

    @Test func numbersDoNotDependOnTheNumberOfWorkers() async throws {
        let one = try await scores(workers: 1)
        #expect(one.map(\.name) == Self.items.map(\.name))
        for workers in [2, 3, 16] { #expect(try await scores(workers: workers) == one) }
    }

    @Test func unreadablePairFailsInEveryMetric() async throws {
        let scores = try await scores(workers: 2)
        #expect(scores[4].outcomes.allSatisfy { $0.failure?.code == "unreadable" })
        #expect(scores[3].outcomes.allSatisfy { $0.failure == nil })
    }

    @Test func progressCountsEveryPair() async throws {
        let seen = SeenCounts()
        _ = try await MetricBatch([SegmentalSNR()], workers: 3).scores(of: Self.items) { seen.insert($0) }
        #expect(seen.counts == Set(1...7))
    }

    @Test func summaryCountsWhatItLeavesOut() async throws {
        let summary = try await scores(workers: 2).summaries()[0]
        #expect((summary.count, summary.failures, summary.infinite) == (5, 1, 1))
        let mean = try #require(summary.mean)
        #expect(try #require(summary.interval).contains(mean))
    }

    @Test func summaryHasThePopulationsDeviation() {
        let summary = MetricSummary("x", of: [1, 2, 3, 4].map { .success($0) })
        #expect(summary.mean == 2.5)
        #expect(summary.standardDeviation == 1.25.squareRoot())
        let one = MetricSummary("x", of: [.success(3)])
        #expect(one.mean == 3 && one.standardDeviation == nil && one.interval == nil && one.count == 1)
        let infinite = MetricSummary("x", of: [.success(.infinity), .success(.infinity)])
        #expect(infinite.mean == .infinity && infinite.count == 0 && infinite.infinite == 2)
        let empty = MetricSummary("x", of: [.failure(.noUtterances)])
        #expect(empty.mean == nil && empty.interval == nil && empty.failures == 1)
    }

    /// The interval of a mean of n normals is near ±1.96 σ/√n, and the seed decides it.
    @Test func bootstrapIntervalMatchesTheory() throws {
        let values = RandomStream(seed: 3, purpose: "values").normals(400).map(Double.init)
        let interval = try #require(MetricSummary.bootstrapInterval(values, seed: 1))
        #expect(abs(interval.upperBound - interval.lowerBound - 2 * 1.96 / 20) < 0.02)
        #expect(MetricSummary.bootstrapInterval(values, seed: 1) == interval)
        #expect(MetricSummary.bootstrapInterval(values, seed: 2) != interval)
        #expect(MetricSummary.bootstrapInterval([1], seed: 1) == nil)
    }

    @Test func groupsSortAsNumbers() async throws {
        let scores = try await scores(workers: 2)
        let groups = scores.summaries(by: "snr")
        #expect(groups.map(\.value) == ["0", "5", "10"])
        #expect(
            groups.map { $0.summaries[0].count + $0.summaries[0].failures + $0.summaries[0].infinite } == [3, 2, 2])
        #expect(scores.summaries(by: "noise").map(\.value) == ["bus", "cafe"])
        #expect(scores.summaries(by: "speaker").isEmpty)
    }

    @Test func groupsWithUnitsAndRangesSortAsNumbers() {
        let scores = ["10 dB", "-5 to 0 dB", "2.5 dB", "-10 dB"].map {
            ItemScores(name: $0, labels: ["snr": $0], outcomes: [])
        }
        #expect(scores.groups(by: "snr").map(\.value) == ["-10 dB", "-5 to 0 dB", "2.5 dB", "10 dB"])
    }

    @Test func aTypedReasonOfTheReaderIsKept() {
        let item = MetricItem("x") { throw MetricFailure.empty(.clean) }
        #expect(MetricBatch([SegmentalSNR()], workers: 1).scores(of: item).outcomes[0].failure == .empty(.clean))
    }

    @Test func filesMatchByNameThenByFirstField() {
        let matching = FileMatching(
            enhanced: ["a_5dB.wav", "b_c.wav", "sub/d_2_x.wav", "e.flac", "f_1.wav"],
            clean: ["a.wav", "b_c.wav", "b.wav", "sub/d.wav", "d.wav", "e.wav"],
            noisy: ["a_5dB.wav", "b_c.wav", "sub/d_2_x.wav"])
        #expect(matching.matches.map(\.clean) == ["a.wav", "b_c.wav", "sub/d.wav", "e.wav"])
        #expect(matching.matches.map(\.noisy) == ["a_5dB.wav", "b_c.wav", "sub/d_2_x.wav", nil])
        #expect(matching.withoutClean == ["f_1.wav"])
        #expect(matching.withoutNoisy == ["e.flac"])
    }

    @Test func anchorPutsTheNoisySignalInPlace() {
        let pair = SpeechPair(clean: [0, 1], noisy: [1, 2], enhanced: [0, 0], sampleRate: 8000)
        #expect(pair.anchor?.enhanced == [1, 2])
        #expect(SpeechPair(clean: [0], enhanced: [0], sampleRate: 8000).anchor == nil)
    }
}

private final class SeenCounts: Sendable {
    private let state = Mutex(Set<Int>())
    var counts: Set<Int> { state.withLock { $0 } }
    func insert(_ count: Int) { _ = state.withLock { $0.insert(count) } }
}
