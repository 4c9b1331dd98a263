public import Runs

extension ComparisonReport {
    /// The comparison as a table; anchors are a section above the runs.
    public var table: Table {
        var table = Table(columns: headings.map { Self.keyColumn($0) } + columns.map { Self.column($0) })
        table.showsCounts = options.showsCounts
        table.rows = rows.indices.map { row in
            let keys = headings.indices.map { place -> Table.Cell in
                let text = place < rows[row].keys.count ? rows[row].keys[place] : ""
                return text.isEmpty ? .empty : .text(text)
            }
            let numbers = columns.indices.map { cells[row][$0].map { Table.Cell.score($0.summary(options)) } ?? .empty }
            return Table.Row(keys + numbers, section: rows[row].anchor == nil ? "runs" : "anchors")
        }
        if options.onlyDiffering { table.keepDifferingColumns(section: "runs") }
        table.notes = cellNotes + notes
        return table
    }

    /// How to read the cells.
    private var cellNotes: [String] {
        let all = cells.joined().compactMap { $0 }
        func has(_ mark: Table.Marks) -> Bool { all.contains { $0.marks.contains(mark) } }
        func any(_ condition: (Statistic) -> Bool) -> Bool { all.contains { condition($0.statistic) } }
        let isOverSeeds = all.contains { $0.samples.count > 1 }
        let spread =
            isOverSeeds ? "mean of the seeds' means ± standard deviation between them" : "mean ± standard deviation"
        let what = all.contains { $0.interval != nil } ? "mean [95 % interval]" : spread
        let notes: [(Bool, String)] = [
            (true, what + (options.showsCounts ? isOverSeeds ? " (files × seeds)" : " (files)" : "")),
            (has(.best), "● best of the column; ○ not clearly worse (paired t test over speakers or files, Holm, 5 %)"),
            (has(.belowAnchor), "▼ worse than the noisy input on the same files"),
            (has(.partial), "* some files of the set are not in yet"),
            (
                any { $0.positiveInfinities + $0.negativeInfinities > 0 },
                "∞ and −∞ are left out of the mean and counted beside n"
            ),
            (any { $0.missing > 0 }, "missing: the metric could not be computed; each reason is stored"),
        ]
        return notes.filter(\.0).map(\.1)
    }

    private static func keyColumn(_ name: String) -> Table.Column {
        Table.Column(name, alignment: ["N", "nfe", "seed"].contains(name) ? .trailing : .leading, isKey: true)
    }

    private static func column(_ column: Column) -> Table.Column {
        var made = Table.Column(column.name, groups: column.groups, unit: column.metric?.unit)
        if let metric = column.metric {
            made.symbol = column.name == metric.name ? metric.symbol : nil
            made.higherIsBetter = metric.higherIsBetter
        }
        return made
    }
}

extension ComparisonReport.Cell {
    func summary(_ options: ComparisonReport.Options) -> ScoreSummary {
        ScoreSummary(
            statistic, seeds: seeds, interval: interval, digits: options.precision ?? metric.digits, marks: marks)
    }
}

extension ScoredMetric {
    /// Decimals as papers print them.
    var digits: Int { unit == "dB" ? 1 : 2 }

    /// The name as papers print it, such as `SI-SDR`.
    public var symbol: String { name.asPrintedMetric }
}

extension String {
    /// A metric's name as papers print it: `SI-SDR` for `si_sdr`.
    package var asPrintedMetric: String {
        switch self {
        case "pesq_nb": "PESQ-NB"
        case "seg_snr": "SegSNR"
        default: uppercased().split(separator: "_", omittingEmptySubsequences: false).joined(separator: "-")
        }
    }
}
