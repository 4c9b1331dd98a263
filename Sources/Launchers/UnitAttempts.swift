public import Foundation
import SystemCalls

/// How one task's work on a unit ended.
public struct UnitAttempt: Hashable, Sendable, Codable {
    /// Why the task stopped working on the unit.
    public enum End: Hashable, Sendable, Codable {
        /// It stopped and saved its state; another task goes on.
        case givenBack(task: String)
        /// Its process ended and recorded nothing.
        case died(task: String)
        case failed(task: String, reason: String)
    }

    /// When it ended, by the clock of the machine that recorded it.
    public var time: Date
    /// The machine that recorded the end; for a task that was killed, it may be another one than the task ran on.
    public var host: String
    /// How it ended, with the task's name.
    public var end: End
}

extension UnitQueue {
    private func attemptsFile(of unit: String) -> String { workFolder(of: unit) + "/attempts.jsonl" }

    /// How earlier attempts at a unit ended, the oldest first.
    public func attempts(of unit: String) -> [UnitAttempt] {
        let text = (try? String(contentsOfFile: attemptsFile(of: unit), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(UnitAttempt.self, from: Data($0.utf8))
        }
    }

    /// Why a unit failed, where it did.
    public func failure(of unit: String) -> String? {
        for attempt in attempts(of: unit).reversed() { if case .failed(_, let reason) = attempt.end { return reason } }
        return nil
    }

    func note(_ unit: String, _ end: UnitAttempt.End) throws(QueueError) {
        let attempt = UnitAttempt(time: Date(), host: ProcessInfo.processInfo.hostName, end: end)
        guard let line = try? JSONEncoder().encode(attempt) else { return }
        try append(line + Data("\n".utf8), to: attemptsFile(of: unit))
    }

    /// Appends bytes to a file below the queue, whose folder is made where it is missing.
    package func append(_ bytes: Data, to path: String) throws(QueueError) {
        let parent = (path as NSString).deletingLastPathComponent
        guard POSIX.mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw QueueError(parent, errno) }
        let descriptor = POSIX.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw QueueError(path, errno) }
        defer { close(descriptor) }
        let count = POSIX.write(descriptor, bytes.span)
        guard count == bytes.count else { throw QueueError(path, count < 0 ? errno : ENOSPC) }
    }
}
