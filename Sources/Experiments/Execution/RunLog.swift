import Foundation
import Synchronization

/// The log of a run, `logs/run.log` in its folder: a line with its time for everything that happens, and now and then
/// one for the steps between.
///
/// Lines are appended whole, so that processes that share a run share its log. A log that cannot be written is no
/// reason to stop: what counts is in the store.
final class RunLog: Sendable {
    /// Seconds between two lines about the same long step.
    private static let interval = Duration.seconds(10)

    private let path: String
    private let lastProgress = Mutex(ContinuousClock.now - RunLog.interval)

    init(in folder: String) { path = folder + "/logs/run.log" }

    func write(_ event: ExperimentEvent) {
        guard let text = text(of: event) else { return }
        let line = Data("\(Date().formatted(.iso8601)) \(text)\n".utf8)
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try? file.write(contentsOf: line)
    }

    /// Writes an event that stands in the log once, however many commands and processes report it.
    func writeOnce(_ event: ExperimentEvent) {
        guard let text = text(of: event) else { return }
        let known = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        if !known.contains(text) { write(event) }
    }

    private func text(of event: ExperimentEvent) -> String? {
        switch event {
        case .trained(_, let p) where p.step == p.of || isTime():
            String(
                format: "step %d of %d: loss %.5g, %.2f steps/s, %.0f s left", p.step, p.of, p.loss, p.stepsPerSecond,
                p.secondsLeft)
        case .evaluated(_, let label, let file, let done, let total, let left) where done == total || isTime():
            String(format: "%@: %d of %d files (%@), %.0f s left", label, done, total, file, left)
        case .found(let text):
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "; ")
        case .checkpoint(_, let step, let path): "checkpoint at step \(step): \(path)"
        case .finished(let step): "done: \(step.title)"
        default: event.text
        }
    }

    private func isTime() -> Bool {
        lastProgress.withLock { last in
            guard ContinuousClock.now - last >= Self.interval else { return false }
            last = .now
            return true
        }
    }
}
