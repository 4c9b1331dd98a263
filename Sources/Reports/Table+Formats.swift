/// How a table is written.
public enum TableFormat: String, Hashable, Sendable, CaseIterable {
    /// Aligned for a terminal.
    case terminal = "table"
    case markdown, csv, json, latex

    /// The format of that name; `terminal` is another one for `table`.
    public init?(name: String) { self.init(rawValue: name == "terminal" ? "table" : name) }
}

extension Table {
    /// The table in `format`; `width` bears on the terminal alone.
    public func written(as format: TableFormat, width: Int? = nil) -> String {
        switch format {
        case .terminal: terminal(width: width)
        case .markdown: markdown
        case .csv: csv
        case .json: json.text
        case .latex: latex
        }
    }

    // MARK: Markdown

    /// A pipe table; headings of groups are joined to the columns' names.
    public var markdown: String {
        func escaped(_ text: String) -> String {
            text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " ")
                .split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
        }
        func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        let heading = line(columns.map { escaped(($0.groups + [$0.heading]).joined(separator: " · ")) })
        let rule = "|" + columns.map { $0.alignment == .leading ? ":--|" : "--:|" }.joined()
        let body = rows.map { row in
            line(columns.indices.map { $0 < row.cells.count ? escaped(row.cells[$0].text) : "" })
        }
        let notes = self.notes.isEmpty ? [] : [""] + self.notes.map { "- " + escaped($0) }
        let title = self.title.map { ["**\(escaped($0))**", ""] } ?? []
        return (title + [heading, rule] + body + notes).joined(separator: "\n") + "\n"
    }

    // MARK: CSV

    /// Comma-separated values (RFC 4180); a statistic takes a column for each of its parts.
    public var csv: String {
        let parts = columns.indices.map { column in
            rows.lazy.compactMap { column < $0.cells.count ? $0.cells[column].parts : nil }
                .first { $0.count > 1 }?.map(\.name) ?? [""]
        }
        let heading = zip(columns, parts).flatMap { column, parts in
            let name = (column.groups + [column.name]).joined(separator: "/")
            return parts.map { $0.isEmpty ? name : "\(name)/\($0)" }
        }
        let body = rows.map { row in
            columns.indices.flatMap { column -> [String] in
                let cell = column < row.cells.count ? row.cells[column] : .empty
                let values = cell.parts.map(\.value)
                return values.count == parts[column].count
                    ? values : [values.first ?? ""] + parts[column].dropFirst().map { _ in "" }
            }
        }
        return ([heading] + body).map { $0.map(\.csvField).joined(separator: ",") + "\n" }.joined()
    }

    // MARK: LaTeX

    /// A `tabular` in the style of the package booktabs.
    public var latex: String {
        let format = columns.map { $0.alignment == .leading ? "l" : "r" }.joined()
        var lines = ["\\begin{tabular}{\(format)}", "\\toprule"]
        for level in 0..<depth {
            let spans = spans(Array(columns.indices), level)
            lines.append(
                spans.map { "\\multicolumn{\($0.columns.count)}{c}{\($0.heading.latex)}" }.joined(separator: " & ")
                    + " \\\\")
            let rules = spans.filter { !$0.heading.isEmpty }.map { "\\cmidrule(lr){\($0.columns[0] + 1)-\($0.columns.last! + 1)}" }
            lines.append(rules.joined(separator: " "))
        }
        lines.append(columns.map(\.heading.latex).joined(separator: " & ") + " \\\\")
        var section: String?
        for row in rows {
            if row.section != section { lines.append("\\midrule") }
            section = row.section
            lines.append(
                columns.indices.map { $0 < row.cells.count ? row.cells[$0].latex : "" }.joined(separator: " & ") + " \\\\")
        }
        let notes = self.notes.map { "% " + $0.split(separator: "\n").joined(separator: " ") }
        return (title.map { ["% " + $0] } ?? []).joined() + (title == nil ? "" : "\n")
            + (lines + ["\\bottomrule", "\\end{tabular}"] + notes).joined(separator: "\n") + "\n"
    }
}

extension Table.Cell {
    /// The cell's values by name, at full precision; a plain cell has one without a name.
    fileprivate var parts: [(name: String, value: String)] {
        switch self {
        case .empty, .text, .integer: [("", text)]
        case .number(let value, _): [("", value.plain)]
        case .statistic(let one, _, let marks):
            [
                ("mean", one.mean.plain), ("std", one.std.plain), ("n", String(one.n)),
                ("plus_infinite", String(one.positiveInfinities)), ("minus_infinite", String(one.negativeInfinities)),
                ("missing", String(one.missing)), ("below_anchor", String(marks.contains(.belowAnchor))),
            ]
        case .estimate(let one, let interval, _):
            [
                ("mean", one.mean.plain), ("std", one.std.plain), ("n", String(one.n)),
                ("lower", interval?.lowerBound.plain ?? ""), ("upper", interval?.upperBound.plain ?? ""),
                ("plus_infinite", String(one.positiveInfinities)), ("minus_infinite", String(one.negativeInfinities)),
                ("missing", String(one.missing)),
            ]
        case .difference(let one, _):
            [
                ("difference", one.mean.plain), ("lower", one.lower.plain), ("upper", one.upper.plain),
                ("n", String(one.n)),
            ]
        }
    }

    fileprivate var latex: String {
        switch self {
        case .empty, .text, .integer: return text.latex
        case .number(let value, let digits): return "$\(value.fixed(digits))$"
        case .statistic(let one, let digits, let marks):
            let number = one.n > 0 ? one.mean.fixed(digits) + (one.n > 1 ? " \\pm \(one.std.fixed(digits))" : "") : "\\text{--}"
            let mark = marks.contains(.belowAnchor) ? "^{\\downarrow}" : ""
            return "$\(number)\(mark)$ (\(one.countText.latex))"
        case .estimate: return text.latex
        case .difference(let one, let digits):
            return "$\(one.mean.signed(digits))$ $[\(one.lower.signed(digits)), \(one.upper.signed(digits))]$ (\(one.n))"
        }
    }
}

extension Double {
    /// The shortest text that reads back as the same number; empty for NaN.
    fileprivate var plain: String { isNaN ? "" : isInfinite ? (self > 0 ? "inf" : "-inf") : String(self) }
}

extension String {
    /// With the signs that LaTeX gives a meaning written out.
    fileprivate var latex: String {
        let signs: [Character: String] = [
            "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
            "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}", "±": "$\\pm$",
            "∞": "$\\infty$", "−": "$-$", "–": "--",
        ]
        return map { signs[$0] ?? String($0) }.joined()
    }
}
