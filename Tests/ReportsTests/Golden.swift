import Foundation
import Reports
import Testing

/// Texts as they were read and found good once, in `Goldens`.
///
/// `RECORD_GOLDENS=1 swift test` writes them anew, and fails, so that each is read first.
enum Golden {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "Goldens")

    static func expect(_ text: String, as name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = folder.appendingPathComponent(name)
        let isRecording = ProcessInfo.processInfo.environment["RECORD_GOLDENS"] != nil
        if isRecording { try Data(text.utf8).write(to: file) }
        let isEqual = text == (try? String(contentsOf: file, encoding: .utf8))
        #expect(!isRecording && isEqual, "\(name) differs", sourceLocation: sourceLocation)
    }
}

extension TableFormat {
    /// Of the name of a golden.
    var fileEnding: String {
        switch self {
        case .terminal: "txt"
        case .markdown: "md"
        case .latex: "tex"
        case .csv, .json, .html: rawValue
        }
    }
}
