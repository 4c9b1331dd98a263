import Foundation
import Installation

/// A command's page in man(7).
struct ManualPage {
    private let page: CommandPage

    init(_ page: CommandPage) { self.page = page }

    var text: String {
        let synopsis = page.arguments.map { $0.isOptional ? "[\($0.form)]" : $0.form }.joined(separator: " ")
        var lines = [
            ".TH \(page.name.uppercased()) 1 \"\" \"sgmse \(BuildFacts.version)\"", ".SH NAME",
            "\(escaped(page.name)) \\- \(escaped(page.abstract))", ".SH SYNOPSIS",
            ".B \(page.words.joined(separator: " "))", escaped(synopsis),
        ]
        if !page.discussion.isEmpty { lines += [".SH DESCRIPTION"] + paragraphs(page.discussion) }
        lines += list("ARGUMENTS", page.arguments.filter(\.isPositional))
        lines += list("OPTIONS", page.arguments.filter { !$0.isPositional })
        if !page.subcommands.isEmpty { lines.append(".SH COMMANDS") }
        for command in page.subcommands {
            lines += [".TP", "\\fB\(escaped(command.name))\\fR(1)", escaped(command.abstract)]
        }
        let above = page.words.indices.dropFirst().map { page.words[..<$0].joined(separator: "-") }
        if !above.isEmpty {
            lines += [".SH SEE ALSO", above.map { "\\fB\(escaped($0))\\fR(1)" }.joined(separator: ", ")]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func list(_ title: String, _ arguments: [CommandPage.Argument]) -> [String] {
        guard !arguments.isEmpty else { return [] }
        let entries = arguments.flatMap { argument -> [String] in
            let entry = [".TP", "\\fB\(escaped(argument.form))\\fR", escaped(argument.meaning)]
            guard let discussion = argument.discussion, !discussion.isEmpty else { return entry }
            return entry + [escaped(discussion)]
        }
        return [".SH \(title)"] + entries
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
