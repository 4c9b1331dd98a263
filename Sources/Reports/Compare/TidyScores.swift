import Runs

extension ComparisonReport {
    /// The shown numbers as a table with one mean a line, or one score of a file: for programs that group and plot.
    ///
    /// A column for each factor that any of them has.
    public func tidy(perFile: Bool) -> Table {
        let places = rows.indices.flatMap { row in
            columns.indices.compactMap { cells[row][$0] == nil ? nil : (row: row, column: $0) }
        }
        let all = places.map { place in
            rows[place.row].factors.merging(columns[place.column].factors) { $1 }
        }
        let names = Set(all.flatMap(\.keys)).subtracting(["metric", "signature"])
        let order = ComparisonFactor.names
        let factors = names.sorted {
            (order.firstIndex(of: $0) ?? order.count, $0) < (order.firstIndex(of: $1) ?? order.count, $1)
        }
        let values =
            perFile
            ? (names.contains("seed") ? [] : ["seed"]) + ["file", "value"] : ScoreSummary.partNames + ["below_anchor"]
        var table = Table(columns: (factors + ["metric", "unit", "signature"] + values).map { Table.Column($0) })
        for (place, known) in zip(places, all) {
            guard let cell = cells[place.row][place.column] else { continue }
            let head =
                factors.map { known[$0].map(Table.Cell.text) ?? .empty }
                + [.text(cell.metric.name), .text(cell.metric.unit), .text(cell.metric.signature)]
            let lines = perFile ? cell.lines(files, withSeed: !names.contains("seed")) : [cell.summary(options).line]
            table.rows += lines.map { Table.Row(head + $0) }
        }
        return table
    }
}

extension ComparisonReport.Cell {
    fileprivate func lines(_ files: [TestFile.ID: TestFile], withSeed: Bool) -> [[Table.Cell]] {
        samples.flatMap { sample in
            zip(sample.series.files, sample.series.values).map { file, value in
                (withSeed ? [.text("\(sample.seed)")] : [])
                    + [.text(files[file]?.path ?? "\(file)"), value.isNaN ? .empty : .number(value, digits: 6)]
            }
        }
    }
}

extension ScoreSummary {
    fileprivate var line: [Table.Cell] {
        parts.map { part in
            part.value.map { part.isCount ? .integer(Int($0)) : .number($0, digits: 6) } ?? .empty
        } + [.text("\(marks.contains(.belowAnchor))")]
    }
}
