import ArgumentParser
import Experiments
import Models
import Reports

/// `sgmse diff`: in what two runs differ.
struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show in what two runs differ: meaning, protocol, provenance, and results on the same files.")

    @Argument(help: "A run's name or id.")
    var first: String

    @Argument(help: "Another run's name or id.")
    var second: String

    @OptionGroup var store: StoreOptions

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    func run() throws {
        let store = try store.open()
        let runs = (try store.run(named: first), try store.run(named: second))
        guard runs.0.id != runs.1.id else { throw ValidationError("'\(first)' and '\(second)' are one run, \(runs.0.shortID)") }
        let report = try DiffReport(between: runs.0.id, and: runs.1.id, in: store, unfloored: Catalog.standard.metrics.unfloored)
        if json || format == .json { return try emit(report.json) }
        for (index, table) in report.tables.enumerated() {
            if index > 0 { try emit("") }
            try emit(table, as: format)
        }
    }
}
