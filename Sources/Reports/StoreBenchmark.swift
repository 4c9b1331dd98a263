public import JSONValues
public import Runs

/// How fast a store of a given size is filled, listed and compared.
public struct StoreBenchmark: Hashable, Sendable {
    /// What it took to fill the store.
    public var fill: RunStore.FillTiming
    /// Seconds to list all runs, and those of one backbone.
    public var listing: Double
    /// Seconds to list the runs of one backbone.
    public var filteredListing: Double
    /// Seconds to compare 50 runs, table included.
    public var comparison: Double

    /// Fills `store` and measures each reading as the median of five.
    public init(
        filling store: RunStore, runs: Int = 10_000, scoresPerRun: Int = 1000, progress: (Int) -> Void = { _ in }
    ) throws {
        fill = try store.fill(runs: runs, scoresPerRun: scoresPerRun, progress: progress)
        let all = try store.runs()
        let chosen = stride(from: 0, to: all.count, by: max(1, all.count / 50)).prefix(50).map { all[$0].id }
        let filter = try RunFilter("backbone=ncsnpp and N=50")
        listing = try Self.median { _ = try RunListing(of: store).table.terminal() }
        filteredListing = try Self.median { _ = try RunListing(of: store, where: filter).table.terminal() }
        comparison = try Self.median { _ = try ComparisonReport(of: chosen, in: store).table.terminal() }
    }

    /// At 10,000 runs and 10 million scores: 200,000 scores a second, a list in 0.2 s, 50 runs compared in 0.5 s.
    public var meetsBounds: Bool {
        fill.scoresPerSecond >= 200_000 && listing < 0.2 && filteredListing < 0.2 && comparison < 0.5
    }

    /// The measurements in s and per second, and whether the bounds are met.
    public var json: JSON {
        [
            "runs": .integer(fill.runs), "scores": .integer(fill.scores),
            "scores_per_second": .number(fill.scoresPerSecond), "fill_s": .number(fill.seconds),
            "ls_s": .number(listing), "ls_filtered_s": .number(filteredListing), "compare_50_s": .number(comparison),
            "meets_bounds": .bool(meetsBounds),
        ]
    }

    /// A line for each measurement, with its bound.
    public var table: Table {
        Table(
            columns: [
                Table.Column("measure", alignment: .leading, isKey: true), Table.Column("value"), Table.Column("bound"),
            ],
            rows: [
                Table.Row([.text("runs"), .integer(fill.runs), .empty]),
                Table.Row([.text("scores"), .integer(fill.scores), .empty]),
                Table.Row([
                    .text("scores inserted per second"), .number(fill.scoresPerSecond, digits: 0), .text("≥ 200000"),
                ]),
                Table.Row([.text("list all runs, s"), .number(listing, digits: 3), .text("< 0.2")]),
                Table.Row([.text("list with a filter, s"), .number(filteredListing, digits: 3), .text("< 0.2")]),
                Table.Row([.text("compare 50 runs, s"), .number(comparison, digits: 3), .text("< 0.5")]),
            ])
    }

    private static func median(_ body: () throws -> Void) rethrows -> Double {
        let times = try (0..<5).map { _ in
            let start = ContinuousClock.now
            try body()
            return (ContinuousClock.now - start) / .seconds(1)
        }
        return times.sorted()[2]
    }
}
