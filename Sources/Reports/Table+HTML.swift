extension Table {
    /// A page of its own with the table and its notes.
    public var html: String { Self.htmlPage(of: [self]) }

    /// A page with several tables, the first of which gives its title.
    public static func htmlPage(of tables: [Table]) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>\((tables.first?.title ?? tables.first?.caption ?? "sgmse").html)</title>
        <style>
        body { font-family: sans-serif; margin: 2em }
        table { border-collapse: collapse; border-top: 2px solid; border-bottom: 2px solid }
        th, td { padding: 0.2em 0.6em; text-align: right; white-space: nowrap }
        th.l, td.l { text-align: left }
        tr.first td { border-top: 1px solid }
        th.group { text-align: center; border-bottom: 1px solid #999 }
        .best { font-weight: bold }
        </style>
        </head>
        <body>
        \(tables.map(\.htmlTable).joined())</body>
        </html>

        """
    }

    /// The table and its notes, for a page that has other things too.
    public var htmlTable: String {
        var lines = (title.map { ["<h2>\($0.html)</h2>"] } ?? []) + ["<table>", "<thead>"]
        for level in 0..<depth {
            let cells = spans(Array(columns.indices), level).map { span in
                let group = span.heading.isEmpty ? "" : " class=\"group\""
                return "<th\(group) colspan=\"\(span.columns.count)\">\(span.heading.html)</th>"
            }
            lines.append("<tr>\(cells.joined())</tr>")
        }
        lines.append("<tr>" + columns.map { "<th\($0.htmlClass())>\($0.printedHeading.html)</th>" }.joined() + "</tr>")
        lines += ["</thead>", "<tbody>"]
        let style = Style(showsCounts: showsCounts)
        var section: String?
        for row in rows {
            let cells = columns.indices.map { place -> String in
                let cell = place < row.cells.count ? row.cells[place] : .empty
                return "<td\(columns[place].htmlClass(isBest: cell.isBest))>\(cell.text(style).html)</td>"
            }
            lines.append("<tr\(row.section == section ? "" : " class=\"first\"")>\(cells.joined())</tr>")
            section = row.section
        }
        lines += ["</tbody>", "</table>"]
        if !notes.isEmpty { lines += ["<ul>"] + notes.map { "<li>\($0.html)</li>" } + ["</ul>"] }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Table.Column {
    fileprivate func htmlClass(isBest: Bool = false) -> String {
        let names = (alignment == .leading ? ["l"] : []) + (isBest ? ["best"] : [])
        return names.isEmpty ? "" : " class=\"\(names.joined(separator: " "))\""
    }
}

extension Table.Cell {
    fileprivate var isBest: Bool {
        if case .score(let one) = self { one.marks.contains(.best) } else { false }
    }
}

extension String {
    /// As text of an HTML document or of an attribute's value; control characters, which it has no place for, and
    /// changes of direction are left out.
    public var html: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            case "\n", "\t": text += " "
            case _ where scalar.properties.generalCategory == .control || scalar.isHidden: break
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
