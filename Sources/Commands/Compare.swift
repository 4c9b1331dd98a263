import ArgumentParser
import Experiments
import Models
import Reports
import Runs

/// `sgmse compare`: runs and anchors in one table.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare runs and anchors in a table: set × N × metric, mean ± std (n).",
        discussion: """
            Exits 3 with --check if a row is worse than the noisy input, in a metric for which that input is a floor: SI-SAR is \
            none, as the noisy input has no artifacts by definition.
            """)

    @Argument(help: "Names or ids of runs; all finished ones if none is given.")
    var runs: [String] = []

    @OptionGroup var store: StoreOptions

    @Option(name: .customLong("where"), help: "Which runs, where none is named.")
    var condition: String?

    @Option(help: "Show differences from this run on the same files.")
    var baseline: String?

    @Option(name: .customLong("sets"), parsing: .upToNextOption, help: "Only these test sets.")
    var sets: [String] = []

    @Option(name: .customLong("metrics"), parsing: .upToNextOption, help: "Only these metrics.")
    var metrics: [String] = []

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "Exit 3 if a row is worse than the noisy input.")
    var check = false

    func run() throws {
        let store = try store.open()
        let selected = runs.isEmpty
            ? try store.runs(where: try condition.map { try RunFilter($0) }).reversed().map(\.id)
            : try runs.map { try store.run(named: $0).id }
        let catalog = Catalog.standard.metrics
        try ValidationError.check(sets, "test set", among: try store.testSets().map(\.name), none: "the store has none yet")
        try ValidationError.check(metrics, "metric", among: try catalog.names + store.metrics().map(\.name), none: "the store has none yet")
        let report = try ComparisonReport(
            of: selected, in: store,
            options: .init(
                sets: sets.isEmpty ? nil : Set(sets), metrics: metrics.isEmpty ? nil : Set(metrics),
                baseline: try baseline.map { try store.run(named: $0).id }, unfloored: catalog.unfloored))
        if json || format == .json {
            try emit(report.json)
        } else {
            try emit(report.table, as: format)
            if let differences = report.differences {
                try emit("")
                try emit(differences, as: format)
            }
        }
        if check, !report.shortfalls.isEmpty { throw ExitCode(3) }
    }
}
