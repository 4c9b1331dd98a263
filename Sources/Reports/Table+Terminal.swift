extension Table {
    /// The table for a terminal of `width` columns: aligned, with headings over their groups.
    ///
    /// A table too wide for it is written closer together; one that is too wide even so is broken, between groups of
    /// columns if they fit, and each part repeats the key columns.
    public func terminal(width: Int? = nil) -> String {
        let drawing = TerminalDrawing.fitting(self, width)
        let heading = title.map { [$0, ""] } ?? []
        let notes = drawing.notes + self.notes
        return (heading + [drawing.blocks(width).joined(separator: "\n\n")] + (notes.isEmpty ? [] : [""] + notes))
            .joined(separator: "\n") + "\n"
    }

    /// How many rows of headings are above the columns' names.
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

/// A table drawn for a terminal in one style.
private struct TerminalDrawing {
    let table: Table
    let style: Table.Style
    /// What the cells no longer say.
    private(set) var notes: [String] = []
    private var widths: [Int] = []
    private let gap: String

    /// The widest style that fits; the usual one where none does.
    static func fitting(_ table: Table, _ width: Int?) -> TerminalDrawing {
        let usual = TerminalDrawing(table, isDense: false)
        guard let width, usual.width > width else { return usual }
        let dense = TerminalDrawing(table, isDense: true)
        if dense.width <= width { return dense }
        return usual.parts(width).count > dense.parts(width).count ? dense : usual
    }

    private init(_ table: Table, isDense: Bool) {
        self.table = table
        // Where every cell has the same number of files, it is printed once.
        let count = isDense && table.showsCounts ? table.commonCount : nil
        style = .init(showsCounts: table.showsCounts && count == nil, isDense: isDense)
        gap = isDense ? " " : "  "
        if let count { notes = ["n = \(count) in every cell"] }
        widths = measured()
    }

    private var width: Int { width(of: Array(table.columns.indices)) }

    private func width(of columns: [Int]) -> Int {
        columns.reduce(0) { $0 + widths[$1] } + gap.count * max(0, columns.count - 1)
    }

    /// The lines of a heading: a dense one has its unit below.
    private func heading(_ column: Int) -> [String] {
        let one = table.columns[column]
        guard style.isDense else { return [one.heading] }
        return [one.name, one.unit.map { $0.isEmpty ? "" : "[\($0)]" } ?? ""]
    }

    /// The columns' widths; a heading wider than its group widens the group's columns.
    private func measured() -> [Int] {
        var widths = table.columns.indices.map { column in
            let heading = heading(column).map(\.displayWidth).max() ?? 0
            return table.rows.reduce(heading) { max($0, text(of: $1, column).displayWidth) }
        }
        for level in 0..<table.depth {
            for span in table.spans(Array(table.columns.indices), level) {
                let taken = span.columns.reduce(0) { $0 + widths[$1] } + gap.count * (span.columns.count - 1)
                let lack = span.heading.displayWidth - taken
                guard lack > 0 else { continue }
                for (place, column) in span.columns.enumerated() {
                    widths[column] += (lack + place) / span.columns.count
                }
            }
        }
        return widths
    }

    /// Which columns stand together, so that each part fits the width: whole groups where they do, single columns
    /// otherwise.
    func parts(_ width: Int?) -> [[Int]] {
        let all = Array(table.columns.indices)
        guard let width else { return [all] }
        let keys = all.filter { table.columns[$0].isKey }
        let others = all.filter { !table.columns[$0].isKey }
        guard !others.isEmpty else { return [keys] }
        let groups = table.depth > 0 ? table.spans(others, 0).map(\.columns) : others.map { [$0] }
        let pieces = groups.flatMap { group in
            self.width(of: keys + group) <= width ? [group] : group.map { [$0] }
        }
        var parts: [[Int]] = []
        for piece in pieces {
            if let last = parts.last, self.width(of: keys + last + piece) <= width {
                parts[parts.count - 1] += piece
            } else {
                parts.append(piece)
            }
        }
        return parts.map { keys + $0 }
    }

    func blocks(_ width: Int?) -> [String] { parts(width).map(block) }

    private func text(of row: Table.Row, _ column: Int) -> String {
        guard column < row.cells.count else { return "" }
        let text = row.cells[column].text(style)
        guard let marks = row.marks(column) else { return text }
        // Unmarked numbers leave room for the marks of their column, so that decimal points meet.
        let room = table.rows.map { $0.marks(column)?.text.count ?? 0 }.max() ?? 0
        return text + String(repeating: " ", count: room - marks.text.count)
    }

    private func block(_ chosen: [Int]) -> String {
        var lines: [String] = []
        func line(_ pieces: [String]) {
            var text = pieces.joined(separator: gap)
            while text.utf8.last == 0x20 { text.removeLast() }
            lines.append(text)
        }
        for level in 0..<table.depth {
            let spans = table.spans(chosen, level)
            line(spans.map { $0.heading.centred(in: width(of: $0.columns)) })
            line(spans.map { String(repeating: $0.heading.isEmpty ? " " : "─", count: width(of: $0.columns)) })
        }
        let headings = chosen.map(heading)
        for level in 0..<(style.isDense ? 2 : 1) where level == 0 || headings.contains(where: { !$0[level].isEmpty }) {
            line(zip(chosen, headings).map { $1[level].padded(to: widths[$0], table.columns[$0].alignment) })
        }
        let rule = String(repeating: "─", count: width(of: chosen))
        var section: String?
        for row in table.rows {
            if row.section != section { lines.append(rule) }
            section = row.section
            line(chosen.map { text(of: row, $0).padded(to: widths[$0], table.columns[$0].alignment) })
        }
        return lines.joined(separator: "\n")
    }
}

extension Table {
    /// The text between brackets that all scores share; nil where cells differ in it.
    fileprivate var commonCount: String? {
        var found: Set<String> = []
        for case .score(let one) in rows.lazy.flatMap(\.cells) { found.insert(one.countText) }
        return found.count == 1 ? found.first : nil
    }
}

extension Table.Row {
    /// The marks of a cell of scores; nil for any other.
    fileprivate func marks(_ column: Int) -> Table.Marks? {
        guard column < cells.count else { return nil }
        switch cells[column] {
        case .statistic(_, _, let marks): return marks
        case .score(let one): return one.marks
        default: return nil
        }
    }
}
