import ArgumentParser
import Experiments
import Models
import Reports

/// `sgmse diff`: in what two runs differ.
struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show in what two runs differ: meaning, protocol, provenance, and results on the same files.")

    @Argument(help: "A run's name or id, or a sweep of two runs.")
    var first: String

    @Argument(help: "Another run's name or id.")
    var second: String?

    @OptionGroup var store: StoreOptions

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    func run() throws {
        let store = try store.open()
        let found = try RunSelection([first] + [second].compactMap(\.self)).runs(in: store)
        if let second, found.count == 1 { throw ValidationError("'\(first)' and '\(second)' are one run, \(found[0].shortID)") }
        guard found.count == 2 else {
            let names = found.prefix(8).map { "\($0.shortID) (\($0.name), seed \($0.key.seed))" }.joined(separator: ", ")
            throw ValidationError("two runs are needed to compare; '\([first, second ?? ""].joined(separator: " "))' names \(found.count): \(names)")
        }
        let runs = (found[0], found[1])
        let report = try DiffReport(between: runs.0.id, and: runs.1.id, in: store, unfloored: Catalog.standard.metrics.unfloored)
        if json || format == .json { return try emit(report.json) }
        for (index, table) in report.tables.enumerated() {
            if index > 0 { try emit("") }
            try emit(table, as: format)
        }
    }
}
