import ArgumentParser
import Foundation

/// A command with its arguments, as the parser describes it: what its pages are made from.
struct CommandPage {
    /// The words that call it: `sgmse`, `checkpoint`, `list`.
    let words: [String]
    let abstract: String
    let discussion: String
    /// Those that help shows.
    let arguments: [Argument]
    /// Those that help shows.
    let subcommands: [CommandPage]

    /// The name of its page: `sgmse-checkpoint-list`.
    var name: String { words.joined(separator: "-") }

    /// This command, and all below it.
    var all: [CommandPage] { [self] + subcommands.flatMap(\.all) }

    /// The program.
    static func root() throws -> CommandPage {
        CommandPage(try JSONDecoder().decode(Dump.self, from: Data(SGMSE._dumpHelp().utf8)).command, under: [])
    }

    private init(_ command: Dump.Command, under words: [String]) {
        self.words = words + [command.commandName]
        (abstract, discussion) = (command.abstract ?? "", command.discussion ?? "")
        arguments = (command.arguments ?? []).filter(\.shouldDisplay)
        let path = self.words
        subcommands = (command.subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
            .map { CommandPage($0, under: path) }
    }

    /// What the parser writes.
    private struct Dump: Decodable {
        struct Command: Decodable {
            var commandName: String
            var abstract: String?
            var discussion: String?
            var shouldDisplay: Bool
            var subcommands: [Command]?
            var arguments: [Argument]?
        }

        var command: Command
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            var kind, name: String

            var text: String { (kind == "long" ? "--" : "-") + name }
        }

        var kind: String
        var shouldDisplay: Bool
        var isOptional: Bool
        var isRepeating: Bool
        var names: [Name]?
        var valueName: String?
        var defaultValue: String?
        var abstract: String?
        var discussion: String?

        var isPositional: Bool { kind == "positional" }

        /// `--threads count`, `spec...`
        var form: String {
            let value = (valueName ?? "value") + (isRepeating ? "..." : "")
            guard !isPositional else { return value }
            let names = (names ?? []).map(\.text).joined(separator: ", ")
            return kind == "flag" ? names : "\(names) \(value)"
        }

        /// What it is for, and its default.
        var meaning: String { (abstract ?? "") + (defaultValue.map { " The default is \($0)." } ?? "") }
    }
}
