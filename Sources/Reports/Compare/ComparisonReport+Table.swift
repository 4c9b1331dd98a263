import Runs

extension ComparisonReport {
    /// The comparison as a table; anchors stand apart, above the runs.
    public var table: Table {
        var table = Table(columns: keyColumns + columns.map { Self.column($0) })
        table.rows = rows.indices.map { row in
            let numbers = columns.indices.map { place -> Table.Cell in
                guard let cell = cells[row][place] else { return .empty }
                return .statistic(cell.statistic, digits: columns[place].metric.digits, marks: cell.marks)
            }
            return Table.Row(key(of: row) + numbers, section: section(of: row))
        }
        let all = cells.joined().compactMap { $0 }
        table.notes = ["mean ± standard deviation (files)"]
        if all.contains(where: { $0.marks.contains(.belowAnchor) }) {
            table.notes.append("▼ worse than the noisy input on the same files")
        }
        if all.contains(where: { $0.marks.contains(.partial) }) {
            table.notes.append("* some files of the set are not in yet")
        }
        if all.contains(where: { $0.statistic.positiveInfinities + $0.statistic.negativeInfinities > 0 }) {
            table.notes.append("∞ and −∞ are left out of the mean and counted beside n")
        }
        if all.contains(where: { $0.statistic.missing > 0 }) {
            table.notes.append("missing: the metric could not be computed; each reason is stored")
        }
        table.notes += notes
        return table
    }

    /// Differences from the baseline on the same files, with 95 % bootstrap intervals; nil without a baseline.
    ///
    /// Positive is a higher score, which for some metrics is worse.
    public var differences: Table? {
        guard let baseline else { return nil }
        var table = Table(
            title: "difference from \(rows[baseline].label)", columns: keyColumns + columns.map { Self.column($0) })
        for row in rows.indices where row != baseline {
            let numbers = columns.indices.map { place -> Table.Cell in
                guard let mine = cells[row][place], let base = cells[baseline][place],
                    let difference = PairedDifference(
                        mine.series.paired(with: base.series).map { $0.0 - $0.1 })
                else { return .empty }
                return .difference(difference, digits: columns[place].metric.digits)
            }
            table.rows.append(Table.Row(key(of: row) + numbers, section: section(of: row)))
        }
        table.notes = ["mean difference [95 % bootstrap interval] (pairs of files)"]
        return table
    }

    /// The comparison as a document: one object for each system, with one for each of its cells.
    public var json: JSON {
        [
            "systems": .array(rows.indices.map { json(ofRow: $0) }),
            "below_anchor": .array(
                shortfalls.map { one in
                    [
                        "system": .string(one.row), "set": .string(one.set), "N": JSON(one.steps),
                        "metric": .string(one.metric), "value": .number(one.value), "anchor": .number(one.anchor),
                    ]
                }),
            "notes": .array(table.notes.map(JSON.string)),
        ]
    }

    private func json(ofRow row: Int) -> JSON {
        let system = rows[row]
        let scores = columns.indices.compactMap { place -> JSON? in
            guard let cell = cells[row][place] else { return nil }
            let column = columns[place]
            let address: [JSON.Member] = [
                .init("set", .string(column.set.name)), .init("N", JSON(column.steps)),
                .init("metric", .string(column.metric.name)), .init("unit", .string(column.metric.unit)),
                .init("signature", .string(column.metric.signature)),
            ]
            let statistic = Table.Cell.statistic(cell.statistic, digits: 0, marks: cell.marks).json
            return .object(address + statistic.members)
        }
        return [
            "system": .string(system.label), "id": JSON(system.run?.shortID), "anchor": JSON(system.anchor),
            "status": JSON(system.run?.status.rawValue), "scores": .array(scores),
        ]
    }

    private var keyColumns: [Table.Column] {
        [
            Table.Column("system", alignment: .leading, isKey: true),
            Table.Column("id", alignment: .leading, isKey: true),
        ]
    }

    private func key(of row: Int) -> [Table.Cell] {
        [.text(rows[row].label), rows[row].run.map { .text($0.shortID) } ?? .empty]
    }

    private func section(of row: Int) -> String { rows[row].anchor == nil ? "runs" : "anchors" }

    private static func column(_ column: Column) -> Table.Column {
        Table.Column(column.name, groups: column.groups, unit: column.metric.unit)
    }
}

extension ScoredMetric {
    /// Decimals as papers print them.
    var digits: Int { unit == "dB" ? 1 : 2 }
}
