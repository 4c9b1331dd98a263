import Experiments
import Foundation
import Progress
import Reports
import Runs
import Specs
import Synchronization

/// Writes the log files for other programs that a spec names while its runs train.
///
/// They are read from the store, so they lag behind by the seconds between its commits. A viewer's file that cannot be
/// written is no reason to stop a training: the first failure is reported, and `sgmse export` can repeat it later.
final class LiveLogs: Sendable {
    private struct Log {
        var exports: [any RunExport]
        var last = ContinuousClock.now
    }

    private static let interval = Duration.seconds(5)

    private let formats: [String: [ExportFormat]]
    private let store: RunStore
    private let logs = Mutex<[String: Log]>([:])
    private let ids = Mutex<[String: String]>([:])
    private let hasFailed = Mutex(false)

    convenience init(_ loaded: LoadedSpec, _ store: RunStore) {
        self.init(Dictionary(loaded.runs.map { ($0.name, $0.spec.train.log) }, uniquingKeysWith: { $1 }), store)
    }

    /// - Parameter formats: By the names of the runs.
    init(_ formats: [String: [TrainSpec.LogFormat]], _ store: RunStore) {
        self.formats = formats.mapValues { $0.compactMap { ExportFormat(rawValue: $0.rawValue) } }.filter {
            !$0.value.isEmpty
        }
        self.store = store
    }

    func handle(_ event: ExperimentEvent) {
        guard !formats.isEmpty else { return }
        switch event {
        case .agenda(let runs):
            ids.withLock { $0 = Dictionary(runs.map { ($0.name, $0.id) }, uniquingKeysWith: { $1 }) }
        case .trained(let run, _): update(run, isDue: false)
        case .trainingStarted(let run, _, _, _): update(run, isDue: true)
        case .finished(let step) where step.kind == .train || step.kind == .evaluate: update(step.subject, isDue: true)
        default: break
        }
    }

    private func update(_ run: String, isDue: Bool) {
        guard let formats = formats[run], let id = ids.withLock({ $0[run] }) else { return }
        logs.withLock { logs in
            do {
                var log = try logs[run] ?? begin(id, formats)
                guard isDue || ContinuousClock.now - log.last > Self.interval else {
                    logs[run] = log
                    return
                }
                for index in log.exports.indices { try log.exports[index].update() }
                log.last = .now
                logs[run] = log
            } catch {
                let isFirst = hasFailed.withLock { failed in
                    defer { failed = true }
                    return !failed
                }
                if isFirst { printError("warning: logs for other viewers are not complete: \(error)") }
            }
        }
    }

    private func begin(_ id: String, _ formats: [ExportFormat]) throws -> Log {
        let run = try store.run(named: id)
        return Log(exports: formats.map { $0.export(of: run.id, in: store, to: $0.folder(of: run, in: store)) })
    }
}
