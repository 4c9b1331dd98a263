import Foundation
import Logging
import Synchronization
import Training

/// The log of a run, `logs/run.log` in its folder: a line with its time for everything that happens, and now and then
/// one for the steps between; all of those at the level `debug`, which the program's logging system may ask for.
package final class RunLog: Sendable {
    /// Seconds between two lines about the same long step.
    private static let interval = Duration.seconds(10)

    private let path: String
    private let logger: Logger
    private let lastProgress = Mutex(ContinuousClock.now - RunLog.interval)

    /// - Parameter folder: The run's.
    package init(in folder: String) {
        let path = folder + "/logs/run.log"
        // A level above `info` leaves nothing out.
        let level = min(.info, Logger(label: "sgmse.run").logLevel)
        self.path = path
        logger = Logger(label: "sgmse.run", factory: { _ in RunLogFile(path, logLevel: level) })
    }

    /// Writes a line, or none for one of many events of a kind within ten seconds.
    package func write(_ event: ExperimentEvent) {
        let level: Logger.Level = isFrequent(event) && !isTime() ? .debug : .info
        guard level >= logger.logLevel, let text = text(of: event) else { return }
        logger.log(level: level, "\(text)")
    }

    /// Writes an event that is not in the log yet.
    package func writeOnce(_ event: ExperimentEvent) {
        guard let text = text(of: event) else { return }
        let known = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        if !known.contains(text) { write(event) }
    }

    /// Whether it is one of many like it, none of which is the last.
    private func isFrequent(_ event: ExperimentEvent) -> Bool {
        switch event {
        case .trained(_, let p): p.step != p.of
        case .evaluated(_, _, _, let done, let total, _): done != total
        default: false
        }
    }

    private func text(of event: ExperimentEvent) -> String? {
        switch event {
        case .trained(_, let p):
            String(
                format: "step %d of %d: loss %.5g, %.2f steps/s, %.0f s left", p.step, p.of, p.loss, p.stepsPerSecond,
                p.secondsLeft)
        case .evaluated(_, let label, let file, let done, let total, let left):
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
