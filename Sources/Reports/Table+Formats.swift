import JSONValues

/// How a table is written.
public enum TableFormat: String, Hashable, Sendable, CaseIterable {
    /// Aligned for a terminal.
    case terminal = "table"
    case markdown, csv, json, latex, html

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
        case .html: html
        }
    }

    // MARK: Markdown

    /// A pipe table; headings of groups are joined to the columns' names, and the best of a column is bold.
    public var markdown: String {
        func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
        let heading = line(columns.map { ($0.groups + [$0.heading]).joined(separator: " · ").markdown })
        let rule = "|" + columns.map { $0.alignment == .leading ? ":--|" : "--:|" }.joined()
        let style = Style(showsCounts: showsCounts)
        let body = rows.map { row in
            line(columns.indices.map { $0 < row.cells.count ? row.cells[$0].markdown(style) : "" })
        }
        let notes = self.notes.isEmpty ? [] : [""] + self.notes.map { "- " + $0.markdown }
        let title = self.title.map { ["**\($0.markdown)**", ""] } ?? []
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
        case .score(let one):
            one.parts.map { ($0.name, $0.isCount ? String(Int($0.value ?? 0)) : ($0.value ?? .nan).plain) }
                + [("below_anchor", String(one.marks.contains(.belowAnchor)))]
        }
    }

    fileprivate func markdown(_ style: Table.Style) -> String {
        guard case .score(let one) = self, one.marks.contains(.best) else { return text(style).markdown }
        return "**\(text(style).markdown)**"
    }
}

extension Double {
    /// The shortest text that reads back as the same number; empty for NaN.
    var plain: String { isNaN ? "" : isInfinite ? (self > 0 ? "inf" : "-inf") : String(self) }
}

extension String {
    /// On one line, with the signs that would end a cell or begin a tag written out.
    fileprivate var markdown: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\\", "|", "<": text += "\\" + String(scalar)
            case _ where scalar.properties.isWhitespace: text += " "
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
