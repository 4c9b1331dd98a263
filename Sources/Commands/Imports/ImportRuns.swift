import ArgumentParser
import Foundation
import Runs

/// `sgmse import runs`: the runs of another store.
struct ImportRuns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Add runs of another store, with their history, evaluations and scores.",
        discussion:
            "What is here already stays as it is: a repeated import adds nothing. The other store is not changed.")

    @Argument(help: "The other store.")
    var file: String

    @Argument(help: "Names or ids of its runs; all if none is given.")
    var runs: [String] = []

    @OptionGroup var store: StoreOptions

    @Flag(help: "Copy the runs' files too: checkpoints, audio, logs.")
    var files = false

    func run() throws {
        let other = try store.open(file)
        let chosen = try runs.isEmpty ? other.runs() : runs.map { try other.run(named: $0) }
        let store = try store.open(.readWrite)
        let summary = try store.importRuns(from: other.path, only: runs.isEmpty ? nil : chosen.map(\.shortID))
        let copied = try files ? chosen.reduce(0) { try $0 + store.importFiles(of: $1, from: other.folder) } : 0
        printError(
            "\(summary.runs) runs, \(summary.evaluations) evaluations, \(summary.scores) scores, \(copied) files added")
    }
}
