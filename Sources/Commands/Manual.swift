import ArgumentParser
import Foundation
import Installation

/// `sgmse manual FOLDER`: the manual pages, for `scripts/install`.
struct Manual: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the manual pages, one for each command, into a folder.", shouldDisplay: false)

    @Argument(help: "The folder; it must exist.")
    var folder: String

    func validate() throws {
        if folder.isEmpty { throw ValidationError("the folder's name is empty") }
    }

    func run() throws {
        let help = try JSONDecoder().decode(Help.self, from: Data(SGMSE._dumpHelp().utf8))
        for (name, page) in help.command.pages(under: []) {
            let path = "\(folder)/\(name).1"
            do {
                try Data(page.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw ValidationError("\(path): cannot be written: \(error.localizedDescription)")
            }
        }
    }

    /// The commands and their arguments, as the parser lists them.
    private struct Help: Decodable { var command: Page }
}

/// A command as a manual page in man(7).
private struct Page: Decodable {
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

        /// `--threads count`, `spec...`
        var form: String {
            let value = (valueName ?? "value") + (isRepeating ? "..." : "")
            guard kind != "positional" else { return value }
            let names = (names ?? []).map(\.text).joined(separator: ", ")
            return kind == "flag" ? names : "\(names) \(value)"
        }
    }

    var commandName: String
    var abstract: String?
    var discussion: String?
    var shouldDisplay: Bool
    var subcommands: [Page]?
    var arguments: [Argument]?

    /// This command's page and those of all below it, by name: `sgmse`, `sgmse-run`, `sgmse-checkpoint-list`.
    func pages(under words: [String]) -> [(name: String, text: String)] {
        guard shouldDisplay, commandName != "help" else { return [] }
        let words = words + [commandName]
        return [(words.joined(separator: "-"), text(words))] + (subcommands ?? []).flatMap { $0.pages(under: words) }
    }

    private func text(_ words: [String]) -> String {
        let name = words.joined(separator: "-")
        let shown = (arguments ?? []).filter(\.shouldDisplay)
        let synopsis = shown.map { $0.isOptional ? "[\($0.form)]" : $0.form }.joined(separator: " ")
        var lines = [
            ".TH \(name.uppercased()) 1 \"\" \"sgmse \(BuildFacts.version)\"", ".SH NAME", "\(escaped(name)) \\- \(escaped(abstract ?? ""))",
            ".SH SYNOPSIS", ".B \(words.joined(separator: " "))", escaped(synopsis),
        ]
        if let discussion, !discussion.isEmpty { lines += [".SH DESCRIPTION"] + paragraphs(discussion) }
        if !shown.isEmpty { lines.append(".SH OPTIONS") }
        for argument in shown {
            let standard = argument.defaultValue.map { " The default is \($0)." } ?? ""
            lines += [".TP", "\\fB\(escaped(argument.form))\\fR", escaped((argument.abstract ?? "") + standard)]
            if let discussion = argument.discussion, !discussion.isEmpty { lines.append(escaped(discussion)) }
        }
        let inner = (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
        if !inner.isEmpty { lines.append(".SH COMMANDS") }
        for command in inner { lines += [".TP", "\\fB\(name)-\(command.commandName)\\fR(1)", escaped(command.abstract ?? "")] }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Paragraphs; indented ones as they stand.
    private func paragraphs(_ text: String) -> [String] {
        text.components(separatedBy: "\n\n").flatMap { paragraph in
            paragraph.hasPrefix("  ") ? [".PP", ".nf", escaped(paragraph), ".fi"] : [".PP", escaped(paragraph)]
        }
    }

    /// Text in which nothing is a request of the formatter: no line begins with a point or a quotation mark.
    private func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "\\", with: "\\e").replacingOccurrences(of: "-", with: "\\-")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&\($0)" : String($0) }.joined(separator: "\n")
    }
}
