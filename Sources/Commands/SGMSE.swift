import ArgumentParser
import Foundation

/// The command line.
public struct SGMSE: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "sgmse",
        abstract: "Declarative experiments in score-based speech enhancement.",
        subcommands: [Conformance.self])

    public init() {}
}

/// Writes a message to standard error.
func printError(_ message: String) {
    FileHandle.standardError.write(Data((message + "\n").utf8))
}
