extension Table {
    /// A `table` in the style of the package booktabs, with the names and arrows of the field.
    ///
    /// What is too wide for a page is broken between groups of columns; LaTeX itself shrinks a part that is wider than
    /// the line it meets, such as one column of two (package graphicx).
    public var latex: String {
        let fitting = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n"
        let tabulars = latexParts.map { fitting + tabular($0) + "}" }
        let notes =
            ["\\usepackage{booktabs,graphicx} is needed; the best of a column is bold, what is as good underlined"]
            + (title.map { [$0] } ?? []) + self.notes
        let comments = notes.map { "% " + $0.onOneLine + "\n" }.joined()
        let head = caption.map { ["\\caption{\($0.latex)}"] } ?? []
        let tail = label.map { ["\\label{\($0.latexLabel)}"] } ?? []
        let isFloat = caption != nil || label != nil
        let body = tabulars.joined(separator: isFloat ? "\n\n\\medskip\n" : "\n\n\\medskip\n\n")
        guard isFloat else { return comments + body + "\n" }
        return comments
            + (["\\begin{table}", "\\centering"] + head + tail + [body, "\\end{table}"]).joined(separator: "\n") + "\n"
    }

    /// Characters of the usual size that fit the width of a page's text, about.
    private static let charactersOfALine = 84

    private func estimatedWidth(_ part: [Int]) -> Int {
        let style = Style(showsCounts: showsCounts)
        return part.reduce(0) { width, column in
            let cells = rows.map { column < $0.cells.count ? $0.cells[column].text(style).displayWidth : 0 }
            return width + max(cells.max() ?? 0, columns[column].printedHeading.displayWidth) + 2
        }
    }

    /// Whole groups of columns, as many as fit a line; each part has the key columns.
    private var latexParts: [[Int]] {
        let all = Array(columns.indices)
        let (keys, others) = (all.filter { columns[$0].isKey }, all.filter { !columns[$0].isKey })
        guard estimatedWidth(all) > Self.charactersOfALine, depth > 0 else { return [all] }
        return spans(others, 0).map(\.columns).reduce(into: [[Int]]()) { parts, group in
            if let last = parts.last, estimatedWidth(last + group) <= Self.charactersOfALine {
                parts[parts.count - 1] += group
            } else {
                parts.append(keys + group)
            }
        }
    }

    private func tabular(_ chosen: [Int]) -> String {
        let format = chosen.map { columns[$0].alignment == .leading ? "l" : "r" }.joined()
        var lines = ["\\begin{tabular}{\(format)}", "\\toprule"]
        func line(_ cells: [String]) {
            let text = cells.joined(separator: " & ")
            // What stands first must not be taken for an argument of \\ or \midrule.
            let isArgument = text.first.map { "[*(".contains($0) } ?? false
            lines.append((isArgument ? "{}" : "") + text + " \\\\")
        }
        for level in 0..<depth {
            let spans = spans(chosen, level)
            line(spans.map { "\\multicolumn{\($0.columns.count)}{c}{\($0.heading.latex)}" })
            var first = 1
            let rules = spans.compactMap { span -> String? in
                defer { first += span.columns.count }
                return span.heading.isEmpty ? nil : "\\cmidrule(lr){\(first)-\(first + span.columns.count - 1)}"
            }
            lines.append(rules.joined(separator: " "))
        }
        line(chosen.map { columns[$0].printedHeading.latex })
        var section: String?
        for row in rows {
            if row.section != section { lines.append("\\midrule") }
            section = row.section
            line(chosen.map { $0 < row.cells.count ? row.cells[$0].latex(showsCounts) : "" })
        }
        return (lines + ["\\bottomrule", "\\end{tabular}"]).joined(separator: "\n")
    }
}

extension Table.Cell {
    fileprivate func latex(_ showsCounts: Bool) -> String {
        switch self {
        case .empty, .text, .integer, .estimate: return text.latex
        case .number(let value, let digits): return "$\(value.fixed(digits).latexMath)$"
        case .statistic(let one, let digits, let marks):
            return Self.latex(one.mean, one.std, nil, digits, marks, showsCounts ? one.countText : nil)
        case .score(let one):
            let count = showsCounts ? one.countText : nil
            return Self.latex(one.mean, one.spread, one.intervalText, one.digits, one.marks, count)
        }
    }

    /// `$\mathbf{2.93 \pm 0.62}$ (824)`: bold for the best, underlined for what is not clearly worse.
    private static func latex(
        _ mean: Double, _ spread: Double, _ interval: String?, _ digits: Int, _ marks: Table.Marks, _ count: String?
    ) -> String {
        let rest = interval ?? (spread.isNaN ? "" : " \\pm \(spread.fixed(digits).latexMath)")
        var number = mean.isNaN ? "\\mbox{--}" : mean.fixed(digits).latexMath + rest
        if marks.contains(.best) { number = "\\mathbf{\(number)}" }
        if marks.contains(.tied) { number = "\\underline{\(number)}" }
        let below = marks.contains(.belowAnchor) ? "^{\\downarrow}" : ""
        let partial = marks.contains(.partial) ? "*" : ""
        return "$\(number)\(below)$" + partial + (count.map { " (\($0.latex))" } ?? "")
    }
}

extension String {
    /// With infinities as mathematics writes them.
    fileprivate var latexMath: String {
        self == "∞" ? "\\infty" : self == "-∞" ? "-\\infty" : self == "–" ? "\\mbox{--}" : self
    }

    /// With the signs that LaTeX gives a meaning written out, on one line.
    fileprivate var latex: String {
        let signs: [Character: String] = [
            "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}",
            "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}", "±": "$\\pm$",
            "∞": "$\\infty$", "†": "\\dag{}", "‡": "\\ddag{}", "−": "$-$", "–": "--", "↑": "$\\uparrow$",
            "↓": "$\\downarrow$", "×": "$\\times$", "·": "$\\cdot$",
            "<": "$<$", ">": "$>$", "|": "$|$", "\"": "''", "▼": "$\\downarrow$", "●": "$\\bullet$", "○": "$\\circ$",
        ]
        return onOneLine.map { signs[$0] ?? String($0) }.joined()
    }

    /// A name for `\ref`: letters, digits and a few signs.
    fileprivate var latexLabel: String {
        String(map { $0.isASCII && ($0.isLetter || $0.isNumber || "-:._".contains($0)) ? $0 : "-" })
    }

    /// Without line breaks and other control characters.
    fileprivate var onOneLine: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    scalar.properties.generalCategory == .control || scalar.properties.isWhitespace ? " " : scalar
                }))
    }
}
