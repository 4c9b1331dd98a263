import Foundation

/// A command's page of the documentation site, in the Markdown of DocC.
struct ReferencePage {
    private let page: CommandPage

    init(_ page: CommandPage) { self.page = page }

    var text: String {
        var lines = ["# \(page.words.joined(separator: " "))", "", escaped(page.abstract), "", "## Synopsis", ""]
        let synopsis = page.arguments.map { $0.isOptional ? "[\($0.form)]" : $0.form }
        lines += ["```", (page.words + synopsis).joined(separator: " "), "```", ""]
        if !page.discussion.isEmpty { lines += ["## Description", ""] + paragraphs(page.discussion) }
        lines += list("Arguments", page.arguments.filter(\.isPositional))
        lines += list("Options", page.arguments.filter { !$0.isPositional })
        if !page.subcommands.isEmpty {
            lines += ["## Topics", "", "### Commands", ""] + page.subcommands.map { "- <doc:\($0.name)>" } + [""]
        }
        return lines.joined(separator: "\n")
    }

    private func list(_ title: String, _ arguments: [CommandPage.Argument]) -> [String] {
        guard !arguments.isEmpty else { return [] }
        return ["## \(title)", ""]
            + arguments.map { argument in
                "- `\(argument.form)`: "
                    + escaped(
                        [argument.meaning, argument.discussion ?? ""].filter { !$0.isEmpty }.joined(separator: " "))
            } + [""]
    }

    /// Paragraphs; indented ones as they stand.
    private func paragraphs(_ text: String) -> [String] {
        text.components(separatedBy: "\n\n").flatMap { paragraph in
            paragraph.hasPrefix("  ") ? ["```", paragraph, "```", ""] : [escaped(paragraph), ""]
        }
    }

    /// Text in which nothing is a mark of Markdown.
    private func escaped(_ text: String) -> String {
        text.reduce(into: "") { $0 += "\\`*_<>[]#|~".contains($1) ? "\\\($1)" : String($1) }
    }
}
