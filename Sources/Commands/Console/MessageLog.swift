import ArgumentParser
import Foundation
import Logging

/// Writes log entries among the messages of a command: the time, the level, what wrote it, and the message.
struct MessageLog: LogHandler {
    let label: String
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        printError("\(Date().formatted(.iso8601)) \(event.level) \(label): \(event.message)")
    }
}

extension MessageLog {
    /// Makes the log entries of all modules appear from the level that `SGMSE_LOG` names; from `warning` where it
    /// names none.
    ///
    /// - Throws: A usage error for a level that there is not.
    static func begin() throws {
        let wanted = try level(environmentVariable("SGMSE_LOG") ?? "")
        LoggingSystem.bootstrap { MessageLog(label: $0, logLevel: wanted ?? .warning) }
    }

    /// Whether messages are interleaved with log entries, and cannot be drawn over one another.
    static var isDetailed: Bool { Logger(label: "sgmse").logLevel < .warning }

    private static func level(_ text: String) throws -> Logger.Level? {
        guard !text.isEmpty else { return nil }
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("SGMSE_LOG is '\(text)'; known: \(known)")
        }
        return level
    }
}
