extension Table {
    /// The table for a terminal of `width` columns: aligned, with headings over their groups.
    ///
    /// A table too wide for it is broken between columns; each part repeats the key columns.
    public func terminal(width: Int? = nil) -> String {
        let blocks = breaks(width).map { block(columns: $0) }
        let heading = title.map { [$0, ""] } ?? []
        let notes = self.notes.isEmpty ? [] : [""] + self.notes
        return (heading + [blocks.joined(separator: "\n\n")] + notes).joined(separator: "\n") + "\n"
    }

    private static let gap = "  "

    /// Which columns stand together, so that each part fits the width.
    private func breaks(_ width: Int?) -> [[Int]] {
        let all = Array(columns.indices)
        guard let width else { return [all] }
        let widths = self.widths
        let keys = all.filter { columns[$0].isKey }
        let keyWidth = keys.reduce(0) { $0 + widths[$1] + 2 }
        var (parts, current, used): ([[Int]], [Int], Int) = ([], [], keyWidth)
        for column in all where !columns[column].isKey {
            if !current.isEmpty, used + widths[column] > width {
                parts.append(keys + current)
                (current, used) = ([], keyWidth)
            }
            current.append(column)
            used += widths[column] + 2
        }
        return parts + (current.isEmpty && !parts.isEmpty ? [] : [keys + current])
    }

    /// The columns' widths; a heading wider than its group widens the group's columns.
    private var widths: [Int] {
        var widths = columns.indices.map { column in
            rows.reduce(columns[column].heading.displayWidth) { max($0, text(of: $1, column).displayWidth) }
        }
        for level in 0..<depth {
            for span in spans(Array(columns.indices), level) {
                let lack = span.heading.displayWidth - Self.width(of: span.columns, widths)
                guard lack > 0 else { continue }
                for (place, column) in span.columns.enumerated() {
                    widths[column] += (lack + place) / span.columns.count
                }
            }
        }
        return widths
    }

    private static func width(of columns: [Int], _ widths: [Int]) -> Int {
        columns.reduce(0) { $0 + widths[$1] } + gap.count * (columns.count - 1)
    }

    private func text(of row: Row, _ column: Int) -> String {
        guard column < row.cells.count else { return "" }
        let text = row.cells[column].text
        guard case .statistic(_, _, let marks) = row.cells[column] else { return text }
        // Unmarked numbers leave room for the marks of their column, so that decimal points meet.
        let room = rows.map { $0.marks(column).text.count }.max() ?? 0
        return text + String(repeating: " ", count: room - marks.text.count)
    }

    private func block(columns chosen: [Int]) -> String {
        let widths = self.widths
        var lines: [String] = []
        func line(_ pieces: [String]) {
            var text = pieces.joined(separator: Self.gap)
            while text.utf8.last == 0x20 { text.removeLast() }
            lines.append(text)
        }
        for level in 0..<depth {
            let spans = spans(chosen, level)
            line(spans.map { $0.heading.centred(in: Self.width(of: $0.columns, widths)) })
            line(
                spans.map {
                    String(repeating: $0.heading.isEmpty ? " " : "─", count: Self.width(of: $0.columns, widths))
                })
        }
        line(chosen.map { columns[$0].heading.padded(to: widths[$0], columns[$0].alignment) })
        let rule = String(repeating: "─", count: Self.width(of: chosen, widths))
        var section: String?
        for row in rows {
            if row.section != section { lines.append(rule) }
            section = row.section
            line(chosen.map { text(of: row, $0).padded(to: widths[$0], columns[$0].alignment) })
        }
        return lines.joined(separator: "\n")
    }
}

extension Table {
    /// How many rows of headings stand above the columns' names.
    var depth: Int { columns.map(\.groups.count).max() ?? 0 }

    /// The runs of neighbouring columns that share the headings down to `level`.
    func spans(_ chosen: [Int], _ level: Int) -> [(heading: String, columns: [Int])] {
        var spans: [(key: [String], columns: [Int])] = []
        for column in chosen {
            let groups = columns[column].groups
            let key = Array(groups.prefix(level + 1))
            let isGrouped = groups.count > level
            if isGrouped, let last = spans.indices.last, spans[last].key == key {
                spans[last].columns.append(column)
            } else {
                spans.append((isGrouped ? key : [], [column]))
            }
        }
        return spans.map { ($0.key.count > level ? $0.key[level] : "", $0.columns) }
    }
}

extension Table.Row {
    func marks(_ column: Int) -> Table.Marks {
        guard column < cells.count, case .statistic(_, _, let marks) = cells[column] else { return [] }
        return marks
    }
}
