import AtomicFiles
import Foundation
public import Runs
import SystemCalls

/// The forms in which other programs read the history of a run.
public enum ExportFormat: String, Sendable, CaseIterable {
    case tensorboard, csv, jsonl
}

/// A run's history as files for other programs, written once or as it grows.
///
/// Each `update` appends what was added to the store since the last one; the first writes the files anew, so that a
/// repeated export gives the same files.
public protocol RunExport: Sendable {
    /// - Throws: `StoreError` for a store that cannot be read, or files that cannot be written.
    mutating func update() throws
}

extension ExportFormat {
    /// An export of `run` into `folder`.
    public func export(of run: Run.ID, in store: RunStore, to folder: String) -> any RunExport {
        switch self {
        case .tensorboard: TensorBoardExport(of: run, in: store, to: folder)
        case .csv: CSVExport(of: run, in: store, to: folder)
        case .jsonl: JSONLinesExport(of: run, in: store, to: folder)
        }
    }
}

/// The records of a run that were added to the store since the last call.
struct NewRecords {
    let run: Run.ID
    let store: RunStore
    private var nextStep = 0
    private var validationsSeen: Set<Validated> = []
    private var eventsSeen: Set<EventRecord> = []
    private var scoredSeen: Set<EvaluationMean> = []

    private struct Validated: Hashable {
        var step: Int
        var metric: String
    }

    init(of run: Run.ID, in store: RunStore) { (self.run, self.store) = (run, store) }

    /// The next new steps, so many at a time that memory stays bounded however many there are; nil after the last.
    mutating func nextSteps() throws(StoreError) -> [StepRecord]? {
        let new = try store.steps(of: run, from: nextStep, limit: 5000)
        guard let last = new.last else { return nil }
        nextStep = last.step + 1
        return new
    }

    mutating func validations() throws(StoreError) -> [ValidationRecord] {
        try store.validations(of: run).filter {
            validationsSeen.insert(.init(step: $0.step, metric: $0.metric)).inserted
        }
    }

    mutating func events() throws(StoreError) -> [EventRecord] {
        try store.events(of: run).filter { eventsSeen.insert($0).inserted }
    }

    /// The means of evaluations that are finished.
    mutating func evaluations() throws(StoreError) -> [EvaluationMean] {
        try EvaluationMean.all(of: run, in: store).filter { scoredSeen.insert($0).inserted }
    }
}

/// The mean of one metric over the files of a finished evaluation.
struct EvaluationMean: Hashable, Sendable {
    /// The checkpoint's step; 0 where none is known.
    var step: Int
    var checkpoint: String
    var set: String
    var steps: Int?
    var guidance: Double?
    var metric: String
    var mean: Double
    var n: Int
    var time: Date

    /// "test/N=30/pesq".
    var tag: String {
        ([set] + [steps.map { "N=\($0)" }, guidance.map { "guidance=\($0)" }].compactMap(\.self) + [metric]).joined(
            separator: "/")
    }

    static func all(of run: Run.ID, in store: RunStore) throws(StoreError) -> [EvaluationMean] {
        let sets = Dictionary(uniqueKeysWithValues: try store.testSets().map { ($0.id, $0.name) })
        let metrics = Dictionary(uniqueKeysWithValues: try store.metrics().map { ($0.id, $0.name) })
        var means: [EvaluationMean] = []
        for evaluation in try store.evaluations(of: run) where evaluation.status == .finished {
            let scores = Dictionary(grouping: try store.scores(of: evaluation.id), by: \.metric)
            for (metric, scores) in scores.sorted(by: { $0.key < $1.key }) {
                let values = scores.compactMap(\.outcome.value).filter(\.isFinite)
                guard !values.isEmpty else { continue }
                means.append(
                    EvaluationMean(
                        step: evaluation.checkpoint?.step ?? 0, checkpoint: evaluation.checkpoint?.kind.rawValue ?? "",
                        set: sets[evaluation.testSet] ?? "", steps: evaluation.point.steps,
                        guidance: evaluation.point.guidance, metric: metrics[metric] ?? "",
                        mean: values.reduce(0, +) / Double(values.count), n: values.count,
                        time: evaluation.ended ?? .distantPast))
            }
        }
        return means
    }
}

/// A file that is written under a temporary name, renamed after the first update, and then appended to.
struct AppendOnlyFile {
    let path: String
    /// Where the first update is written.
    private var temporary: String?
    private var isBegun = false

    init(_ path: String) { self.path = path }

    mutating func append(_ bytes: some Collection<UInt8>) throws(StoreError) {
        do {
            let place = isBegun ? path : try temporary ?? begin()
            guard !bytes.isEmpty else { return }
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: place))
            defer { try? file.close() }
            try file.seekToEnd()
            try file.write(contentsOf: Data(bytes))
        } catch {
            throw failure(error)
        }
    }

    mutating func append(_ text: String) throws(StoreError) { try append(Array(text.utf8)) }

    /// Ends an update: after the first one, the file takes the place of whatever was there.
    mutating func finishUpdate() throws(StoreError) {
        guard let temporary else { return }
        guard POSIX.rename(temporary, path) == 0 else { throw failure(FileFailure(path: path, code: errno)) }
        (self.temporary, isBegun) = (nil, true)
    }

    private mutating func begin() throws -> String {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let place = TemporaryName.path(for: path)
        try Data().write(to: URL(fileURLWithPath: place))
        temporary = place
        return place
    }

    private mutating func failure(_ error: any Error) -> StoreError {
        if let temporary { POSIX.unlink(temporary) }
        temporary = nil
        return StoreError(cannotWrite: path, error)
    }
}
