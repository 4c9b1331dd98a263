import ArgumentParser
import Dispatch
import Experiments
import Foundation
import Reports
import Runs
import Specs

/// `sgmse run`: does what a spec asks for and is not done yet.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Train and evaluate what a spec asks for, as far as it is not done yet.",
        discussion: "Every step says why it is done or passed over. Ctrl-C keeps what was done; the same command goes on.")

    @OptionGroup var spec: SpecOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions
    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Print no table at the end.")
    var noTable = false

    func run() throws {
        threads.apply()
        let loaded = try spec.load()
        let store = try store.open(.readWrite)
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        defer { signals.stop() }
        let workspace = Workspace(store: store, corpora: corpora.folder, commandLine: CommandLine.arguments)
        let progress = ProgressPrinter()
        let summary = try Executor(workspace: workspace, interruption: interruption, observe: progress.show).execute(loaded)
        progress.finish()
        if !noTable {
            let report = try ComparisonReport(of: summary.runs, in: store)
            print(report.table.written(as: .terminal, width: Terminal.width))
        }
        printError("""
            \(summary.done) steps done, \(summary.cached) cached, \(summary.failed.count) failed
            store        \(store.path)
            """)
        for run in try store.runs(summary.runs) {
            printError("""
                run          \(run.name) (\(run.shortID))
                  audio        \(store.folder)/\(run.folder)/audio
                  checkpoints  \(store.folder)/\(run.folder)/checkpoints
                """)
        }
        try store.close()
        if !summary.failed.isEmpty { throw ExitCode(1) }
    }
}

/// Turns the first Ctrl-C into a wish to stop, and leaves the second to the system.
final class InterruptSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ interruption: Interruption) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                interruption.request()
                printError("\nstopping after this step; once more to stop at once")
                signal(number, SIG_DFL)
            }
            source.resume()
            return source
        }
    }

    func stop() { for source in sources { source.cancel() } }
}
