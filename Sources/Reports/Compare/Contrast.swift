import Parallelism
public import Runs
public import Statistics

/// The difference of two rows in one column, on the same files.
public struct Contrast: Sendable {
    /// Places of the two rows and of the column in the report; the difference is the first row minus the second.
    public var row: Int
    /// The place of the row that is subtracted.
    public var against: Int
    /// The place of the column.
    public var column: Int
    /// The difference with its interval and p value, which is corrected for all differences of the table.
    public var comparison: PairedComparison
    /// What the clusters are: `speakers` or `files`.
    public var unit: String
    /// Decides which sign of the difference is the better one.
    public var metric: ScoredMetric

    /// What is concluded at 5 %, after Holm's correction over the table.
    public var verdict: String {
        let one = comparison
        switch one.isShown {
        case nil: return "no interval: \(one.clusters) \(unit), at least \(Bootstrap.fewestUnits) are needed"
        case true?: return (one.mean > 0) == metric.higherIsBetter ? "better" : "worse"
        case false?:
            guard let needed = one.neededClusters else { return "cannot tell" }
            return "cannot tell; 80 % power needs about \(needed) \(unit)"
        }
    }
}

extension Contrast {
    static func contrasts(
        _ rows: [ComparisonReport.Row], _ columns: [ComparisonReport.Column], _ cells: [[ComparisonReport.Cell?]],
        _ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options
    ) -> [Contrast] {
        let speakers = SpeakerClusters(snapshot, options)
        let places = pairs(rows, snapshot, options).flatMap { row, against in
            columns.indices.map { (row: row, against: against, column: $0) }
        }
        let found = places.parallelMap(block: 1) { place -> Contrast? in
            guard let mine = cells[place.row][place.column], let other = cells[place.against][place.column],
                mine.metric.id == other.metric.id, mine.set.id == other.set.id,
                let (sample, unit) = mine.differences(from: other, speakers)
            else { return nil }
            return Contrast(
                row: place.row, against: place.against, column: place.column, comparison: PairedComparison(sample),
                unit: unit,
                metric: mine.metric)
        }.compactMap(\.self)
        let tested = found.indices.filter { found[$0].comparison.p != nil }
        var corrected = found
        for (place, p) in zip(tested, HolmCorrection.adjusted(tested.compactMap { found[$0].comparison.p })) {
            corrected[place].comparison.adjusted = p
        }
        return corrected
    }

    /// Which rows are compared: with the baseline's nearest row, or all systems with each other at equal N.
    static func pairs(
        _ rows: [ComparisonReport.Row], _ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options
    ) -> [(Int, Int)] {
        let trainings = snapshot.trainings
        func isOfBaseline(_ row: ComparisonReport.Row) -> Bool {
            guard let run = row.run, let id = options.baseline else { return false }
            return run.id == id || (options.overSeeds && trainings[run.id] == trainings[id])
        }
        if options.allPairs {
            let systems = rows.indices.filter { rows[$0].anchor == nil && rows[$0].evaluation != nil }
            return systems.flatMap { first in
                systems.filter { $0 < first && rows[$0].factors["N"] == rows[first].factors["N"] }.map { (first, $0) }
            }
        }
        let bases = rows.indices.filter { isOfBaseline(rows[$0]) }
        return rows.indices.compactMap { row in
            guard !bases.contains(row) || bases.count > 1 else { return nil }
            let candidates = bases.filter { $0 != row && !(bases.contains(row) && $0 > row) }
            func distance(_ base: Int) -> Int {
                let (mine, theirs) = (rows[row].factors, rows[base].factors)
                let others = Set(mine.keys).union(theirs.keys).subtracting(["system", "run", "seed", "checkpoint"])
                return others.count { mine[$0] != theirs[$0] } * 2 + (mine["N"] == theirs["N"] ? 0 : 1)
            }
            return candidates.min { (distance($0), $0) < (distance($1), $1) }.map { (row, $0) }
        }
    }
}

extension ComparisonReport {
    /// Paired differences on the same files, a line for each pair of systems and column; nil where none were asked for.
    public var differences: Table? {
        guard options.baseline != nil || options.allPairs else { return nil }
        let columns =
            [
                Table.Column("system", alignment: .leading, isKey: true),
                Table.Column("against", alignment: .leading, isKey: true),
            ] + groupNames.map { Table.Column($0, alignment: .leading) } + [
                Table.Column("metric", alignment: .leading), Table.Column("difference"), Table.Column("95 % interval"),
                Table.Column("p"), Table.Column("p (Holm)"), Table.Column("d_z"), Table.Column("n"),
                Table.Column("conclusion", alignment: .leading),
            ]
        var table = Table(title: "differences on the same files", columns: columns)
        table.rows = contrasts.map { one in
            Table.Row(cells(of: one), section: "\(one.row) \(one.against)")
        }
        table.notes = differenceNotes
        return table
    }

    private var groupNames: [String] { (0..<(columns.map(\.groups.count).max() ?? 0)).map { $0 == 0 ? "set" : "" } }

    private func cells(of one: Contrast) -> [Table.Cell] {
        let (column, result) = (columns[one.column], one.comparison)
        let digits = options.precision ?? one.metric.digits
        let interval =
            result.interval.map { "[\($0.lowerBound.signed(digits)), \($0.upperBound.signed(digits))]" } ?? "–"
        let groups = groupNames.indices.map { Table.Cell.text($0 < column.groups.count ? column.groups[$0] : "") }
        let seeds = result.seeds > 1 ? " × \(result.seeds) seeds" : ""
        let count = "\(result.files)" + (one.unit == "speakers" ? " (\(result.clusters) speakers)" : "") + seeds
        return [.text(name(of: one.row)), .text(name(of: one.against))] + groups + [
            .text(one.metric.unit.isEmpty ? column.name : "\(column.name) [\(one.metric.unit)]"),
            .text(result.mean.signed(digits)), .text(interval), .text(Self.text(ofP: result.p)),
            .text(Self.text(ofP: result.adjusted)), .text(result.effectSize.map { $0.signed(2) } ?? "–"), .text(count),
            .text(one.verdict),
        ]
    }

    /// The row's label with N, which distinguishes rows of one label.
    private func name(of row: Int) -> String {
        let rest = rows[row].keys.dropFirst().enumerated().filter { !$0.element.isEmpty }
        return ([rows[row].label] + rest.map { "\(headings[$0.offset + 1]) = \($0.element)" }).joined(separator: ", ")
    }

    private static func text(ofP p: Double?) -> String { p.map { $0 < 0.001 ? "< 0.001" : $0.fixed(3) } ?? "–" }

    private var differenceNotes: [String] {
        var notes = [
            """
            mean difference of the same files; 95 % BCa bootstrap interval (10,000 resamples of whole speakers, or of \
            files where speakers are not known); two-sided sign-flip test; Holm's correction over this table; d_z is \
            Cohen's: mean over standard deviation of the files' differences
            """
        ]
        if contrasts.contains(where: { $0.comparison.interval == nil }) {
            notes.append(
                """
                with fewer than \(Bootstrap.fewestUnits) speakers no interval holds for other speakers; --cluster file \
                takes each file for independent, and its intervals hold for these speakers alone
                """)
        }
        let few = contrasts.contains { (2..<Bootstrap.fewestUnits).contains($0.comparison.seeds) }
        if few {
            notes.append(
                "with fewer than \(Bootstrap.fewestUnits) seeds, intervals and p values hold for these seeds alone")
        }
        return notes
    }
}
