import Foundation
import Logging
import SystemCalls

/// A program of the engine, called and waited for.
struct Tool {
    /// Looked up in PATH.
    var name: String
    /// Seconds that it may take.
    var timeout: Double = 120

    struct Outcome {
        var code: Int32
        var output: String
        var messages: String
    }

    /// - Throws: Where the program is not there.
    func run(_ arguments: [String]) throws(LaunchError) -> Outcome {
        // Files, not pipes: what the tool leaves running may hold them open for as long as it likes.
        let base = NSTemporaryDirectory() + "sgmse-tool-" + UUID().uuidString
        let files = (base + ".out", base + ".err")
        defer {
            POSIX.unlink(files.0)
            POSIX.unlink(files.1)
        }
        let start = ContinuousClock.now
        let code = try ChildProcess([name] + arguments, output: files).wait(seconds: timeout)
        let outcome = Outcome(code: code, output: Self.text(files.0), messages: Self.text(files.1))
        let line = ([name] + arguments).map(\.shellWord).joined(separator: " ")
        let messages = outcome.messages.isEmpty ? "" : ": " + outcome.messages
        Logger(label: "sgmse.launcher").debug("\(line): code \(code) in \(ContinuousClock.now - start)\(messages)")
        return outcome
    }

    private static func text(_ file: String) -> String {
        String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
