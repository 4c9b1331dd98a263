import ArgumentParser
import Experiments
import Foundation
import Imports
import Kernels
import Models
import Parallelism
import Progress
import Runs
import SpeechMetrics
import Training

/// `sgmse import enhanced`: another system's output, scored as an evaluation of its own.
struct ImportEnhanced: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enhanced", abstract: "Score a folder of another system's output for a test set of the store.",
        discussion: """
            An output belongs to the file of its name; failing that, to the one whose name is the part before the \
            first '_'. Before anything is scored, the output is checked as a whole: every file of the set has one, at \
            the set's rate, as long as the clean file and not late against it; the set's own audio is what it was when \
            it was registered. What is wrong ends the command with exit code 3. The system then stands in every table; \
            what was given of it, and a hash of the output, are kept.
            """)

    @Argument(help: "Folder of the output.")
    var folder: String

    @OptionGroup var external: ExternalOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var threads: ThreadOptions

    @Option(
        help: ArgumentHelp(
            """
            Import although a check fails: alignment, for a system that is late. The reason is kept and stands under \
            every table.
            """,
            valueName: "check=reason"))
    var waive: [String] = []

    @Option(parsing: .upToNextOption, help: "Metrics; those that the set's other systems have, if none is named.")
    var metrics: [String] = []

    func run() throws {
        try threads.apply()
        let system = try external.external()
        let store = try store.open(.readWrite)
        let (set, files) = try external.testSet(in: store)
        let chosen = try MetricCatalog.standard.named(metrics.isEmpty ? usual(on: set, in: store) : metrics)
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        let progress = ProgressPrinter()
        defer {
            progress.finish()
            signals.stop()
        }
        let output = try EnhancedFolder(folder, on: set, files: files, waive: waivers(), interruption: interruption)
        for name in output.unmatched { printError("warning: \(folder)/\(name) belongs to no file of '\(set.name)'") }
        let workspace = Workspace(store: store, commandLine: CommandLine.arguments)
        let evaluation = try output.score(
            as: system, with: chosen, in: store, provenance: workspace.provenance, interruption: interruption
        ) { file, done, count in
            progress.show(
                .evaluated(
                    run: system.name, label: "\(system.name) \(set.name)", file: file, done: done, of: count,
                    secondsLeft: 0))
        }
        progress.finish()
        printError(
            evaluation == nil
                ? "\(system.name): the same output was imported before; nothing to do"
                : """
                \(system.name): \(files.count) files of '\(set.name)' scored with \
                \(chosen.map(\.name).joined(separator: ", "))
                """
        )
        try store.close()
    }

    private func waivers() throws -> [String: String] {
        try waive.reduce(into: [:]) { waivers, text in
            let parts = text.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2, !parts[1].isEmpty, EnhancedFolder.waivable.contains(parts[0]) else {
                throw ValidationError(
                    """
                    --waive \(text): write check=reason; checks that can be waived: \
                    \(EnhancedFolder.waivable.joined(separator: ", "))
                    """
                )
            }
            waivers[parts[0]] = parts[1]
        }
    }

    /// The metrics that anchors and other systems have on the set.
    private func usual(on set: TestSet, in store: RunStore) throws -> [String] {
        let snapshot = try store.scores(of: [], sets: [set.name])
        let here = Set(snapshot.evaluations.filter { $0.testSet == set.id && $0.external == nil }.map(\.id))
        let used = Set(
            snapshot.series.keys.filter { here.contains($0.evaluation) }.compactMap {
                snapshot.metrics[$0.metric]?.name
            })
        let known = MetricCatalog.standard.names.filter(used.contains)
        return known.isEmpty ? ["pesq", "estoi", "si_sdr", "si_sir", "si_sar"] : known
    }
}
