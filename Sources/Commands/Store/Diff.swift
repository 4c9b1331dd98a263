import ArgumentParser
import Experiments
import Foundation
import Investigations
import JSONValues
import Models
import Parallelism
import Reports
import Runs
import SpeechMetrics

/// `sgmse diff`: in what two runs, two specs, or a run and a spec differ.
struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Show in what two runs or specs differ: meaning, protocol, provenance, and results on the same files.",
        discussion: """
            A name that ends in .yaml is a spec. Where a spec or a recipe takes part, the protocols are compared line \
            by line, before anything is trained: what is known to matter most stands first, with what is known of it, \
            and what checks find in the data beside it. Recipes of published results lie in experiments/protocols.
            """)

    @Argument(help: "A run's name or id, a sweep of two runs, or a spec.")
    var first: String

    @Argument(help: "Another run's name or id, or another spec.")
    var second: String?

    @Option(help: ArgumentHelp("Compare with a published recipe, such as taslp2023-vbdmd.", valueName: "name"))
    var recipe: String?

    @Option(help: ArgumentHelp("Folder of the recipes.", valueName: "folder"))
    var protocols: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a setting of the first spec; may be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Flag(help: "Compare what specs say, without reading their data.")
    var noData = false

    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    func validate() throws {
        if recipe != nil, second != nil {
            throw ValidationError("--recipe takes the place of '\(second ?? "")'; leave one of them out")
        }
        if !overrides.isEmpty, !ProtocolSides.isSpec(first) {
            throw ValidationError("--set changes a spec, and '\(first)' is a run")
        }
    }

    func run() throws {
        guard recipe != nil || ProtocolSides.isSpec(first) || second.map(ProtocolSides.isSpec) ?? false else {
            return try compareRuns()
        }
        guard recipe != nil || second != nil else {
            throw ValidationError("'\(first)' is compared with nothing; name another spec or run, or --recipe")
        }
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        defer { signals.stop() }
        let sides = ProtocolSides(store: store, corpora: corpora, readsData: !noData, interruption: interruption)
        let mine = try sides.side(of: first, overrides: overrides)
        let comparison: ProtocolComparison
        if let recipe {
            let recipe = try Recipe(
                named: recipe, folder: protocols ?? Library.folder("protocols"), files: Library.files)
            comparison = ProtocolComparison(mine, try sides.side(of: recipe), impossible: recipe.impossible)
        } else {
            comparison = ProtocolComparison(mine, try sides.side(of: second ?? ""))
        }
        try json || format == .json ? emit(comparison.json) : emit(comparison.table, as: format)
    }

    private func compareRuns() throws {
        let store = try store.open()
        let found = try RunSelection([first] + [second].compactMap(\.self)).runs(in: store)
        if let second, found.count == 1 {
            throw ValidationError("'\(first)' and '\(second)' are one run, \(found[0].shortID)")
        }
        guard found.count == 2 else {
            let names = found.prefix(8).map { "\($0.shortID) (\($0.name), seed \($0.key.seed))" }.joined(
                separator: ", ")
            throw ValidationError(
                """
                two runs are needed to compare; '\([first, second ?? ""].joined(separator: " "))' names \
                \(found.count): \(names)
                """
            )
        }
        let runs = (found[0], found[1])
        let report = try DiffReport(
            between: runs.0.id, and: runs.1.id, in: store, unfloored: Catalog.standard.metrics.unfloored)
        let protocols = try protocols(of: runs)
        if json || format == .json {
            guard case .object(let members) = report.json else { return try emit(report.json) }
            return try emit(Reports.JSON.object(members + [.init("protocol", protocols.json)]))
        }
        var ranked = protocols.table
        ranked.title = "by how much such a difference is known to matter"
        ranked.notes = []  // the number of differences is printed above; validation scores follow from them
        for (index, table) in (report.tables + (protocols.items.isEmpty ? [] : [ranked])).enumerated() {
            if index > 0 { try emit("") }
            try emit(table, as: format)
        }
    }

    /// The protocols of two runs, with the checkpoints that were evaluated and their validation scores.
    private func protocols(of runs: (Run, Run)) throws -> ProtocolComparison {
        let sides = ProtocolSides(store: store, corpora: corpora, readsData: false, interruption: Interruption())
        return ProtocolComparison(try sides.side(ofRun: runs.0), try sides.side(ofRun: runs.1))
    }
}
