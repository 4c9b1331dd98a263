import ArgumentParser
import Experiments
import Foundation
import Launchers
import Runs

/// `sgmse cancel`: ends the tasks of a cluster in good order.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End the tasks of sgmse run --launcher; what they did is kept.",
        discussion:
            """
            Tasks save their state first. The units that are left leave the queue; the next sgmse run goes on from \
            there.
            """
    )

    @Argument(help: "Jobs, as sgmse queue names them; all if none is given.")
    var jobs: [String] = []

    @OptionGroup var store: StoreOptions

    /// Seconds that tasks may take to save their state.
    private static let timeout = 60.0

    func run() throws {
        let folder = QueueFolder(store)
        let queue = folder.queue
        let known = queue.submissions()
        for job in jobs where !known.contains(where: { $0.name == job }) {
            throw ValidationError("unknown job '\(job)'; known: \(known.map(\.name).joined(separator: ", "))")
        }
        let chosen = known.filter { jobs.isEmpty ? !$0.isCancelled : jobs.contains($0.name) }
        guard !chosen.isEmpty else { return printError("no job to cancel") }
        for var submission in chosen {
            submission.isCancelled = true
            try queue.save(submission)
            for refusal in try submission.settings.launcher().cancel(submission) { printError("warning: \(refusal)") }
        }
        let cancelled = Set(chosen.map(\.name))
        try waitForTasks(of: cancelled, in: folder)
        let store = try store.open(.readWrite)
        let others = known.filter { !$0.isCancelled && !cancelled.contains($0.name) }
        let pools = Set(chosen.map(\.settings.pool)).subtracting(others.map(\.settings.pool))
        let withdrawn = try folder.exclusively(store) {
            try folder.reclaim()
            _ = try folder.collect(into: store)
            return try folder.withdraw(pools, into: store)
        }
        let left = try queue.entries([.running]).count
        let names = chosen.map(\.name).joined(separator: ", ")
        printError(
            "cancelled \(names): \(counted(withdrawn, "unit")) left the queue"
                + (left > 0 ? "; \(left) still at work, see sgmse queue" : ""))
    }

    private func waitForTasks(of jobs: Set<String>, in folder: QueueFolder) throws {
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(Self.timeout) {
            let running = try folder.queue.entries([.running]).filter { entry in
                TaskRecord(in: folder.queue.workFolder(of: entry.unit)).map { jobs.contains($0.job) } ?? true
            }
            if running.isEmpty { return }
            if let live = folder.tasks(), !live.contains(where: \.isLive) { return }
            Thread.sleep(forTimeInterval: 0.5)
        }
    }
}
