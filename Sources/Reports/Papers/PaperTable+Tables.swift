public import JSONValues
import Reported
import Runs

extension PaperTable {
    /// The table for people: for each row what is reported, ours, and their difference.
    public var table: Table {
        var table = Table(
            title: declaration.title,
            columns: [
                Table.Column("system", alignment: .leading, isKey: true),
                Table.Column("", alignment: .leading, isKey: true),
            ]
                + columns.map { column in
                    var heading = Table.Column(
                        column.metric, groups: declaration.sets.count > 1 ? [column.set.reported] : [])
                    heading.symbol = column.metric.asPrintedMetric
                    return heading
                })
        for (place, row) in declaration.rows.enumerated() {
            let isAnchor = if case .anchor = row.source { true } else { false }
            for (index, part) in parts(of: cells[place]).enumerated() {
                table.rows.append(
                    Table.Row(
                        [index == 0 ? .text(row.label) : .empty, .text(part.name)] + part.cells,
                        section: isAnchor ? "anchors" : "systems"))
            }
        }
        table.notes = notes
        return table
    }

    /// The lines of a row; a line without any cell is left out, but for the first.
    private func parts(of row: [Cell]) -> [(name: String, cells: [Table.Cell])] {
        let mark = row.lazy.compactMap(\.reported).first.map { " (\($0.figures.mark.rawValue))" } ?? ""
        let lines: [(String, [Table.Cell])] = [
            ("reported" + mark, row.map { $0.reported.map { .text($0.value.text) } ?? .empty }),
            ("ours", row.map { $0.ours.map { .text($0.text) } ?? .empty }),
            ("difference", row.map { $0.ours.flatMap(\.differenceText).map { .text($0) } ?? .empty }),
        ]
        let filled = lines.filter { $0.1.contains { $0 != .empty } }
        return filled.isEmpty ? [("", row.map { _ in .empty })] : filled
    }

    private var notes: [String] {
        let all = cells.joined()
        var notes = ["reported (mark): V read in a primary source, V2 quoted by others, C computed from such figures"]
        let reportedOnly = declaration.columns.filter { name in
            columns.contains { $0.metric == name && !$0.isComputable }
        }
        if !reportedOnly.isEmpty {
            notes.append("\(reportedOnly.joined(separator: ", ")): reported only; this program cannot compute it")
        }
        if all.contains(where: { $0.ours != nil }) {
            notes.append(
                """
                ours: mean ± standard deviation over files (files), or over seeds: mean of their means ± spread \
                between them
                """
            )
        }
        if all.contains(where: { $0.ours?.difference != nil }) {
            notes.append(
                """
                difference: ours − reported [95 % bootstrap interval over our files, from six on; the reported mean is \
                taken as exact]
                """
            )
            notes.append(
                """
                within, outside: whether our mean lies within the reported mean ± its standard deviation, where that \
                is known
                """
            )
        }
        func add(_ text: String, where holds: (Ours) -> Bool) {
            if all.contains(where: { $0.ours.map(holds) ?? false }) { notes.append(text) }
        }
        add("▼ worse than the noisy input on the same files") { $0.isBelowAnchor }
        add("* some files of the set are not in yet") { $0.isPartial }
        add("† stale: not what this version would compute from the spec as it is") { $0.staleness != nil }
        add("‡ scores that another program computed") { $0.isImported }
        return notes + declaration.notes
    }

    /// One line for each cell that has a number, every part of it a column: for programs.
    public var tidy: Table {
        let names = [
            "table", "row", "set", "metric", "reported", "reported_std", "reported_n", "mark", "source", "ours",
            "spread", "files",
            "seeds", "difference", "lower", "upper", "within", "stale", "partial", "imported", "below_anchor",
        ]
        var table = Table(columns: names.map { Table.Column($0) })
        for (row, line) in zip(declaration.rows, cells) {
            for (column, cell) in zip(columns, line) where cell.reported != nil || cell.ours != nil {
                let (reported, ours) = (cell.reported, cell.ours)
                table.rows.append(
                    Table.Row([
                        .text(declaration.name), .text(row.label), .text(column.set.reported), .text(column.metric),
                        .number(or: reported?.value.value), .number(or: reported?.value.std),
                        .integer(or: reported?.figures.count),
                        .text(reported?.figures.mark.rawValue ?? ""), .text(reported?.figures.source ?? ""),
                        .number(or: ours?.mean),
                        .number(or: ours?.spread), .integer(or: ours?.files), .integer(or: ours?.seeds),
                        .number(or: ours?.difference?.mean),
                        .number(or: ours?.difference?.interval?.lowerBound),
                        .number(or: ours?.difference?.interval?.upperBound), .flag(ours?.isWithin),
                        .text(ours?.staleness ?? ""), .flag(ours?.isPartial), .flag(ours?.isImported),
                        .flag(ours?.isBelowAnchor),
                    ]))
            }
        }
        return table
    }

    /// The table as a document: its cells, the commands for its open cells, and what is wrong.
    public var json: JSON {
        let cells = tidy
        let names = cells.columns.map(\.name)
        return [
            "table": .string(declaration.name), "title": .string(declaration.title),
            "paper": .string(declaration.paper),
            "columns": .array(
                columns.map {
                    [
                        "set": .string($0.set.reported), "metric": .string($0.metric),
                        "reported_only": .bool(!$0.isComputable),
                    ]
                }),
            "cells": .array(cells.rows.map { row in .object(zip(names, row.cells).map { .init($0, $1.json) }) }),
            "provenance": provenance.json, "problems": .array(problems.map(JSON.string)),
            "notes": .array(notes.map(JSON.string)),
        ]
    }

    // MARK: Provenance

    /// Where each of our numbers comes from.
    public var provenance: Table {
        let names = [
            "row", "set", "metric", "run", "id", "seed", "checkpoint", "n", "signature", "spec", "commit", "command",
        ]
        var table = Table(title: "provenance of ours", columns: names.map { Table.Column($0, alignment: .leading) })
        for (row, line) in zip(declaration.rows, cells) {
            for (column, cell) in zip(columns, line) {
                for source in cell.ours?.sources ?? [] {
                    let made = source.provenance
                    table.rows.append(
                        Table.Row([
                            .text(row.label), .text(column.set.reported), .text(column.metric), .text(source.system),
                            .text(source.run?.shortID ?? ""), .text(source.run.map { String($0.key.seed) } ?? ""),
                            .text(source.checkpoint ?? ""), .integer(source.files), .text(source.signature),
                            .text(String(source.run?.key.identity.prefix(12) ?? "")),
                            .text(made.gitCommit.prefix(12) + (made.isDirty ? " (with changes)" : "")),
                            .text(made.commandLine),
                        ]))
                }
            }
        }
        return table
    }

    // MARK: Problems

    /// What keeps the table from being printed as it is; empty where nothing does.
    public var problems: [String] {
        var problems = library.contradictions.map { "one figure with two values: \($0)" }
        for (row, line) in zip(declaration.rows, cells) {
            for (column, cell) in zip(columns, line) {
                guard let ours = cell.ours else { continue }
                let place = "\(row.label), \(column.metric) on \(column.set.reported)"
                if let reason = ours.staleness { problems.append("stale: \(place): \(reason)") }
                if ours.isBelowAnchor {
                    problems.append("below its anchor: \(place): \(ours.text), worse than the noisy input")
                }
                guard cell.reported != nil, let known = row.known[column.metric], let margin = known.std else {
                    continue
                }
                if !(abs(ours.mean - known.value) <= margin) {
                    problems.append("known value missed: \(place): \(ours.text), and it must be \(known.text)")
                }
            }
        }
        return problems
    }
}

extension PaperTable.Ours {
    /// `2.91 ± 0.62 (824)`, `1.86 ± 0.03 (824, 3 seeds)`, with its marks.
    var text: String {
        let spread = self.spread.isNaN ? "" : " ± \(self.spread.fixed(digits))"
        let count = seeds > 1 ? "\(files), \(seeds) seeds" : "\(files)"
        let marks =
            (isBelowAnchor ? "▼" : "") + (isPartial ? "*" : "") + (staleness == nil ? "" : "†")
            + (isImported ? "‡" : "")
        return "\(mean.fixed(digits))\(spread) (\(count))\(marks)"
    }

    /// `-0.02 [-0.06, +0.02] within`
    var differenceText: String? {
        guard let one = difference else { return nil }
        let interval = one.interval.map { " [\($0.lowerBound.signed(digits)), \($0.upperBound.signed(digits))]" } ?? ""
        return one.mean.signed(digits) + interval + (isWithin.map { $0 ? " within" : " outside" } ?? "")
    }
}

extension ReportedValue {
    /// As its source prints it.
    var text: String { value.fixed(digits) + (std.map { " ± \($0.fixed(digits))" } ?? "") }
}

extension Table.Cell {
    /// The number at full precision, or nothing.
    fileprivate static func number(or value: Double?) -> Self {
        value.map { $0.isNaN ? .empty : .number($0, digits: 4) } ?? .empty
    }

    fileprivate static func integer(or value: Int?) -> Self { value.map { .integer($0) } ?? .empty }

    fileprivate static func flag(_ value: Bool?) -> Self { value.map { .text(String($0)) } ?? .empty }
}
