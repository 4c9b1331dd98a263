import Foundation
public import JSONValues
import Runs
import Synchronization

/// How long writers wait for the write lock of a store, while a trainer and an evaluator write too.
///
/// Each writer opens the store separately, as another process would, and pauses between its writes.
/// Only the waiting for the lock is counted, not the writing.
public struct WriterBenchmark: Hashable, Sendable {
    /// What one writer did.
    public struct Writer: Hashable, Sendable {
        /// How much it writes at once, and how often.
        public var kind: Kind
        /// Seconds, one for each write.
        public var waited: [Double]
        /// Seconds for which it had the store alone, one for each write.
        public var held: [Double]
    }

    /// What a writer writes each time; the raw value is printed.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case light = "one note"
        case evaluator = "scores of a file"
        case trainer = "100 steps"

        /// Seconds between two writes of one writer.
        fileprivate var pause: ClosedRange<Double> {
            switch self {
            case .light: 0.1...0.2
            case .evaluator: 0.1...0.3
            case .trainer: 0.5...1
            }
        }
    }

    /// The light writers, then the evaluator and the trainer.
    public let writers: [Writer]

    /// Lets `count` light writers, a trainer and an evaluator write to the store at `path` for some seconds.
    public init(at path: String, writers count: Int, seconds: Double) throws {
        let kinds = Array(repeating: Kind.light, count: count) + [.evaluator, .trainer]
        let first = try RunStore(at: path)
        let run = try first.register(
            RunDraft(
                name: "bench", key: RunKey(identity: "bench", seed: 0, dataFingerprint: ""),
                spec: StoredSpec(written: "", resolved: "{}"), provenance: Self.provenance)
        ).id
        let results = Mutex<[(Writer?, (any Error)?)]>([])
        let end = Date(timeIntervalSinceNow: seconds)
        let group = DispatchGroup()
        for (number, kind) in kinds.enumerated() {
            group.enter()
            Thread.detachNewThread {
                let result = Result { try Self.write(kind, number, of: run, at: path, until: end) }
                results.withLock {
                    switch result {
                    case .success(let writer): $0.append((writer, nil))
                    case .failure(let error): $0.append((nil, error))
                    }
                }
                group.leave()
            }
        }
        group.wait()
        let all = results.withLock { $0 }
        if let error = all.compactMap(\.1).first { throw error }
        writers = all.compactMap(\.0)
        try first.close()
    }

    private static let provenance = Provenance(
        version: "bench", machine: "bench", threads: 1, commandLine: "sgmse bench store")

    private static func write(_ kind: Kind, _ number: Int, of run: Run.ID, at path: String, until end: Date) throws
        -> Writer
    {
        let store = try RunStore(at: path)
        var (set, metric, evaluation): ((set: TestSet, files: [TestFile])?, ScoredMetric?, Evaluation?)
        if kind == .evaluator {
            let files = (0..<10).map { TestFile(path: "\($0).wav", seconds: 2) }
            set = try store.register(
                testSet: "bench", fingerprint: "bench", folder: "", sampleRate: 16_000, files: files)
            metric = try store.register(metric: "pesq", signature: "pesq|bench", unit: "", higherIsBetter: true)
            evaluation = try set.map { set in
                try store.register(
                    EvaluationDraft(
                        identity: "bench", subject: .run(run, checkpoint: nil), testSet: set.set.id,
                        provenance: provenance))
            }
        }
        store.keepTimings()
        var count = 0
        while Date() < end {
            switch kind {
            case .light: try store.setNotes("\(number), \(count)", of: run)
            case .trainer:
                let steps = (0..<100).map {
                    StepRecord(step: count * 100 + $0, loss: 1, gradientNorm: 1, learningRate: 1, seconds: 1)
                }
                try store.record(TrainingBatch(steps: steps), of: run)
            case .evaluator:
                let scores = (set?.files ?? []).compactMap { file in
                    file.id.flatMap { id in
                        metric.map { Score(file: id, metric: $0.id, outcome: .value(Double(count))) }
                    }
                }
                if let evaluation { try store.record(scores: scores, of: evaluation.id) }
            }
            count += 1
            Thread.sleep(forTimeInterval: Double.random(in: kind.pause))
        }
        let timings = store.timings()
        try store.close()
        return Writer(kind: kind, waited: timings.map(\.waited), held: timings.map(\.held))
    }

    // MARK: What came of it

    private func waits(_ kind: Kind?) -> [Double] {
        writers.filter { kind == nil || $0.kind == kind }.flatMap(\.waited).sorted()
    }

    private static func quantile(_ p: Double, _ sorted: [Double]) -> Double {
        sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int((p * Double(sorted.count)).rounded(.down)))]
    }

    /// Seconds within which 99 of 100 light writes got the lock.
    public var lightP99: Double { Self.quantile(0.99, waits(.light)) }

    /// The longest mean wait of a light writer, in median mean waits of light writers.
    public var unfairness: Double {
        let light = writers.filter { $0.kind == .light && !$0.waited.isEmpty }
        let means = light.map { $0.waited.reduce(0, +) / Double($0.waited.count) }.sorted()
        return (means.last ?? 0) / max(Self.quantile(0.5, means), 1e-6)
    }

    /// 99 of 100 light writes wait less than 50 ms, and no writer waits ten times as long as the others.
    public var meetsBounds: Bool { lightP99 < 0.05 && unfairness <= 10 }

    /// A line for each kind of writer, in ms.
    public var table: Table {
        let names = [
            "writers", "writes", "held median, ms", "held p99, ms", "waited median, ms", "waited p99, ms",
            "waited longest, ms",
        ]
        var table = Table(
            columns: [Table.Column("a write of", alignment: .leading, isKey: true)] + names.map { Table.Column($0) })
        for kind in Kind.allCases {
            let (some, waited) = (writers.filter { $0.kind == kind }, waits(kind))
            let held = some.flatMap(\.held).sorted()
            let times =
                [held, waited].flatMap { [Self.quantile(0.5, $0), Self.quantile(0.99, $0)] } + [waited.last ?? .nan]
            let counts: [Table.Cell] = [.text(kind.rawValue), .integer(some.count), .integer(waited.count)]
            table.rows.append(Table.Row(counts + times.map { .number(1000 * $0, digits: 2) }))
        }
        table.notes = [
            "waited: from asking for the turn to having it; held: from having it to the end of the commit",
            "the longest mean wait of a writer is \((10 * unfairness).rounded() / 10) times the median one "
                + "(bound: 10); p99 of one note < 50 ms",
        ]
        return table
    }

    /// The quantiles by kind of writer in s, and whether the bounds are met.
    public var json: JSON {
        .object(
            Kind.allCases.map { kind in
                let (waited, held) = (waits(kind), writers.filter { $0.kind == kind }.flatMap(\.held).sorted())
                return .init(
                    kind.rawValue,
                    [
                        "writes": .integer(waited.count), "held_median_s": .number(Self.quantile(0.5, held)),
                        "held_p99_s": .number(Self.quantile(0.99, held)),
                        "waited_median_s": .number(Self.quantile(0.5, waited)),
                        "waited_p99_s": .number(Self.quantile(0.99, waited)),
                        "waited_max_s": .number(waited.last ?? .nan),
                    ])
            } + [.init("unfairness", .number(unfairness)), .init("meets_bounds", .bool(meetsBounds))])
    }
}
