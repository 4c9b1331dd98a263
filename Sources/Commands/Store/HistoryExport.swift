import ArgumentParser
import Foundation
import Reports
import Runs

/// What the exports of a run's history take.
struct HistoryExportOptions: ParsableArguments {
    @Argument(help: "Names or ids of runs.")
    var runs: [String]

    @OptionGroup var store: StoreOptions

    @Option(
        help: ArgumentHelp(
            "Where a folder for each run is written; the runs' own logs/FORMAT if not given.", valueName: "folder"))
    var output: String?

    func validate() throws {
        if output == "" { throw ValidationError("--output is empty; name a folder") }
    }

    @Flag(help: "Go on while a process works on one of the runs.")
    var follow = false

    /// Writes the runs in a format, and their folders' paths to standard output.
    func export(as format: ExportFormat) throws {
        let store = try store.open()
        let runs = try runs.map { try store.run(named: $0) }
        var exports = try runs.map { run in
            let folder = output.map { "\($0)/\(run.folder)" } ?? format.folder(of: run, in: store)
            try emit(folder)
            return format.export(of: run.id, in: store, to: folder)
        }
        while true {
            let isOver = try !follow || !runs.contains { try store.isWorkedOn($0) }
            for index in exports.indices { try exports[index].update() }
            if isOver { return }
            Thread.sleep(forTimeInterval: 2)
        }
    }
}

extension ExportFormat {
    /// Where a run keeps the format beside its log.
    func folder(of run: Run, in store: RunStore) -> String { "\(store.folder)/\(run.folder)/logs/\(rawValue)" }
}
