import ArgumentParser
import JSONValues
import Reports
import Runs

/// `sgmse rm`: runs, with their files.
struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm",
        abstract: "Remove runs: their rows, their scores, and the files that the store had made for them.",
        discussion: """
            Without --yes, only says what would go. Files in the run's folder that the store did not make stay. A run \
            that a process works on is refused. A removal that is interrupted is completed by the next command that \
            writes.
            """)

    @Argument(help: "The runs' names or ids.")
    var subjects: [String]

    @OptionGroup var store: StoreOptions

    @Flag(help: "Remove it.")
    var yes = false

    @Flag(help: "Say what would go, and remove nothing; also what happens without --yes.")
    var dryRun = false

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        let isReal = yes && !dryRun
        let store = try store.open(isReal ? .readWrite : .readOnly)
        var seen: Set<Run.ID> = []
        // Every name is looked up before anything is removed.
        let runs = try subjects.map { try store.run(named: $0) }.filter { seen.insert($0.id).inserted }
        var reports: [JSON] = []
        for run in runs {
            let removal = try store.removal(of: run)
            if isReal { try store.removeRun(run) }
            if json {
                reports.append(removal.json(of: run, isDone: isReal))
            } else {
                try say(removal, of: run, isDone: isReal)
            }
        }
        if json { try emit(reports.count == 1 ? reports[0] : .array(reports)) }
    }

    private func say(_ removal: RunRemoval, of run: Run, isDone: Bool) throws {
        for path in removal.files { try emit(path) }
        for path in removal.others { try emit("\(path)  not made by this store; left alone") }
        printError(
            """
            run \(run.shortID) (\(run.name)): \(removal.evaluations) evaluations, \(removal.scores) scores, \
            \(removal.files.count) files, \(removal.bytes) bytes \(isDone ? "removed" : "would go; --yes removes them")
            """)
    }
}

extension RunRemoval {
    fileprivate func json(of run: Run, isDone: Bool) -> JSON {
        [
            "id": .string(run.shortID), "name": .string(run.name), "removed": .bool(isDone),
            "evaluations": .integer(evaluations),
            "scores": .integer(scores), "bytes": .integer(bytes), "files": .array(files.map(JSON.string)),
            "left_alone": .array(others.map(JSON.string)),
        ]
    }
}
