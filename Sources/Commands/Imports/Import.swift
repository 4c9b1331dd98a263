import ArgumentParser
import Imports
import Models
import Runs
import SpecLanguage
import Training

/// `sgmse import`: what was made elsewhere, in this program's form.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring runs, enhanced files, scores, logs and command lines of other programs in.",
        subcommands: [
            ImportRuns.self, ImportCommandLine.self, ImportEnhanced.self, ImportScores.self, ImportLogs.self,
            ImportReported.self,
        ])
}

/// Which system something is of, and on which set.
struct ExternalOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What tables call the system, such as metricgan-plus.", valueName: "name"))
    var system: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("The test set as the store calls it; test@ab12 chooses a version of it.", valueName: "name"))
    var set: String

    @Option(help: ArgumentHelp("The version of the set that this run was evaluated on.", valueName: "run"))
    var run: String?

    @Option(help: "How often the system's network is called for a file, as its authors say.", in: 0...1_000_000)
    var nfe: Int?

    @Option(help: "Seconds of computing for all files together, if they were measured.", in: 0...1e12)
    var seconds: Double?

    func validate() throws {
        if let nfe, nfe < 0 || nfe > 1_000_000 {
            throw ValidationError("--nfe \(nfe): a number of 0 to 1000000 is needed")
        }
        if let seconds, !(seconds >= 0 && seconds < 1e12) {
            throw ValidationError("--seconds \(seconds): a time of 0 or more is needed")
        }
    }

    func external() throws -> ExternalSystem {
        try ExternalSystem(
            system, nfe: nfe, seconds: seconds, reserved: Set(Catalog.standard.anchors.entries.map(\.name)))
    }

    func testSet(in store: RunStore) throws -> (set: TestSet, files: [TestFile]) {
        try store.testSet(named: set, of: try run.map { try store.run(named: $0).id })
    }
}
