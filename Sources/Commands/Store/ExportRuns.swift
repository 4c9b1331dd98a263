import ArgumentParser
import Runs

/// `sgmse export runs`: runs into another store.
struct ExportRuns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Add runs to another store, which is made where it is missing.",
        discussion: "What is there already stays as it is: a repeated export adds nothing.")

    @Argument(help: "Names or ids of runs; all if none is given.")
    var runs: [String] = []

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("The other store.", valueName: "file"))
    var to: String

    @Flag(help: "Copy the runs' files too: checkpoints, audio, logs.")
    var files = false

    func run() throws {
        let store = try store.open()
        let chosen = try runs.isEmpty ? store.runs() : runs.map { try store.run(named: $0) }
        let summary = try store.export(chosen.map(\.id), to: to)
        var copied = 0
        if files {
            let other = try self.store.open(to, .readWrite)
            copied = try chosen.reduce(0) { try $0 + other.importFiles(of: $1, from: store.folder) }
        }
        printError(
            """
            \(summary.runs) runs, \(summary.evaluations) evaluations, \(summary.scores) scores, \(copied) files added \
            to \(to)
            """
        )
    }
}
