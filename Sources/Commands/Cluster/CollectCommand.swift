import ArgumentParser
import Foundation
import Launchers
import Runs

/// `sgmse collect`: merges what tasks of a cluster did into the store.
struct CollectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "collect", abstract: "Merge what tasks of a cluster did into the store.",
        discussion: """
            The tasks of sgmse run --launcher keep a store of their own for each unit. This command adds what is done \
            to the store that planned it; sgmse run does so too, and a job after all tasks. Interrupted and repeated, \
            it adds nothing twice.
            """)

    @OptionGroup var store: StoreOptions

    func run() throws {
        let folder = QueueFolder(store)
        try folder.refuseMissing(beside: store.path)
        let store = try store.open(.readWrite)
        let collected = try folder.exclusively(store) {
            try folder.reclaim()
            return try folder.collect(into: store)
        }
        let (added, rest) = (collected.added, try folder.queue.entries([.todo, .running]))
        printError(
            "\(counted(collected.units, "unit")) collected: \(counted(added.evaluations, "evaluation")), "
                + "\(counted(added.scores, "score")) added; "
                + "\(rest.count { $0.state == .running }) at work, \(rest.count { $0.state == .todo }) waiting")
        for failure in collected.failed { printError("✗ \(failure.title): \(failure.reason)") }
        if !collected.failed.isEmpty { throw ExitCode(1) }
    }
}
