public import Runs

/// A report of runs as one self-contained page: tables, plots, findings, differences, and files to listen to.
public struct ReportPage: Sendable {
    /// The whole document; it needs no other file.
    public let html: String

    /// What goes into a page.
    public struct Options: Sendable {
        /// The heading of the page.
        public var title: String
        /// Names of the test sets to show; all where nil.
        public var sets: Set<String>?
        /// Names of the metrics to show; all where nil.
        public var metrics: Set<String>?
        /// How many of the worst and of the best files have audio players.
        public var examples: Int
        /// Names of metrics for which the noisy input is no floor: nothing is below it there.
        public var unfloored: Set<String>

        public init(
            title: String, sets: Set<String>? = nil, metrics: Set<String>? = nil, examples: Int = 3,
            unfloored: Set<String> = []
        ) {
            (self.title, self.sets, self.metrics) = (title, sets, metrics)
            (self.examples, self.unfloored) = (examples, unfloored)
        }
    }

    public init(of runs: [Run], in store: RunStore, options: Options) throws {
        let ids = runs.map(\.id)
        var page = HTML(title: options.title)
        page.section("Runs", HTML.table(Self.runs(runs)))
        let comparison = try ComparisonReport(
            of: ids, in: store,
            options: .init(sets: options.sets, metrics: options.metrics, unfloored: options.unfloored))
        page.section("Scores", HTML.table(comparison.table))
        let metrics = try Self.metrics(ids, store, options)
        page.section("Training", HTML.figures(Self.curves(runs, store)))
        page.section("Scores over their factors", HTML.figures(Self.plots(ids, store, options, metrics)))
        page.section("Findings and waivers", try Self.findings(runs, store))
        page.section("Differences", try Self.differences(runs, store))
        page.section("Files", try Self.examples(ids, store, options, metrics))
        html = page.document
    }

    private static func runs(_ runs: [Run]) -> Table {
        let names = ["run", "id", "status", "seed", "data", "commit", "tags", "notes"]
        var table = Table(columns: names.map { Table.Column($0, alignment: .leading) })
        table.rows = runs.map { run in
            Table.Row([
                .text(run.name), .text(run.shortID), .text(run.status.rawValue + (run.reason.map { ": \($0)" } ?? "")),
                .text(String(run.key.seed)),
                .text(String(run.key.dataFingerprint.audioDigits.prefix(8))),
                .text(run.provenance.gitCommit.prefix(10) + (run.provenance.isDirty ? " (with changes)" : "")),
                .text(run.tags.joined(separator: " ")), .text(run.notes),
            ])
        }
        return table
    }

    /// The metrics that the runs have, the customary ones first.
    private static func metrics(_ runs: [Run.ID], _ store: RunStore, _ options: Options) throws -> [String] {
        let snapshot = try store.scores(of: runs, sets: options.sets, metrics: options.metrics)
        let used = Set(snapshot.series.keys.compactMap { snapshot.metrics[$0.metric]?.name })
        let custom = ["pesq", "si_sdr", "estoi"]
        return custom.filter(used.contains) + used.subtracting(custom).sorted()
    }

    private static let plotWidth = 360.0

    private static func curves(_ runs: [Run], _ store: RunStore) -> [String] {
        ["loss", "valid_loss", "pesq", "si_sdr"].compactMap { quantity in
            let shown = Array(runs.prefix(7))
            guard var plot = try? Plot.curves(of: shown, in: store, quantity: quantity) else { return nil }
            if shown.count < runs.count { plot.notes.append("the first 7 of \(runs.count) runs") }
            return plot.drawing(width: plotWidth).element
        }
    }

    private static func plots(_ runs: [Run.ID], _ store: RunStore, _ options: Options, _ metrics: [String]) -> [String]
    {
        let shown = Array(runs.prefix(7))
        let set = options.sets?.sorted().first
        var drawings: [String] = []
        for metric in metrics.prefix(3) {
            for factor in [Plot.Factor.N, .guidance] {
                guard let plot = try? Plot.metric(metric, over: factor, of: shown, in: store, set: set),
                    Set(plot.series.flatMap { $0.points.map(\.x) }).count > 1
                else { continue }
                drawings.append(plot.drawing(width: plotWidth).element)
            }
            guard let plot = try? Plot.groups(metric, by: "noise", of: Array(runs.prefix(3)), in: store, set: set),
                plot.x.categories.count > 1, plot.series.count < 9
            else { continue }
            drawings.append(plot.drawing(width: plotWidth).element)
        }
        return drawings
    }

    private static func findings(_ runs: [Run], _ store: RunStore) throws -> String {
        let names = ["run", "severity", "check", "subject", "message", "detail"]
        var table = Table(columns: names.map { Table.Column($0, alignment: .leading) })
        for run in runs {
            for one in try store.findings(of: run.id) {
                table.rows.append(
                    Table.Row(
                        [
                            .text(run.name), .text(one.severity.rawValue), .text(one.gate), .text(one.subject),
                            .text(one.message), .text(one.detail ?? ""),
                        ], section: run.shortID))
            }
        }
        return table.rows.isEmpty ? HTML.paragraph("The checks of these runs found nothing.") : HTML.table(table)
    }

    /// The differences of the later runs from the first.
    private static func differences(_ runs: [Run], _ store: RunStore) throws -> String {
        guard let first = runs.first, runs.count > 1 else { return "" }
        return try runs.dropFirst().prefix(5).map { other in
            let report = try DiffReport(between: first.id, and: other.id, in: store)
            return HTML.heading("\(first.name) (\(first.shortID)) and \(other.name) (\(other.shortID))")
                + (report.tables.first.map(HTML.table) ?? "")
        }.joined() + (runs.count > 6 ? HTML.paragraph("and \(runs.count - 6) further runs; sgmse diff shows them") : "")
    }

    private static func examples(_ runs: [Run.ID], _ store: RunStore, _ options: Options, _ metrics: [String]) throws
        -> String
    {
        guard options.examples > 0, let metric = metrics.first,
            let data = try? PlotData(
                runs, in: store, .init(set: options.sets?.sorted().first, metric: metric, steps: nil))
        else { return "" }
        return try AudioExamples(data, in: store).html(count: options.examples)
    }
}
