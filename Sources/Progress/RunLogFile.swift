import Foundation
package import Logging
import SystemCalls

/// Appends log entries to a file, a line each: the time, for entries below `info` their level, and the message.
///
/// Lines are appended whole, so that processes that share a run share its log. A log that cannot be written is no
/// reason to stop: what counts is in the store.
package struct RunLogFile: LogHandler {
    let path: String
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]

    package init(_ path: String, logLevel: Logger.Level = .info) { (self.path, self.logLevel) = (path, logLevel) }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let level = event.level < .info ? "\(event.level): " : ""
        let line = Data("\(Date().formatted(.iso8601)) \(level)\(event.message)\n".utf8)
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let descriptor = POSIX.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try? file.write(contentsOf: line)
    }
}
