import ArgumentParser
import AtomicFiles
import Corpora
import Experiments
import Foundation
import Kernels
import Parallelism
import Reports
import SpeechMetrics

/// `sgmse metrics`: scores a folder of enhanced files.
struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a folder of enhanced files against clean ones.",
        discussion: """
            An enhanced file belongs to the clean file of its name; failing that, to the one whose name is the part before \
            the first '_'. A manifest.csv (file, noise, snr_db) in the folder of noisy or clean files, or beside one, adds the \
            means by noise type and SNR. Every mean has its n; infinite and missing values are counted, and in no mean. \
            _results.csv (every file: values, reasons of failures, signatures, what was resampled) and _avg_results.txt are \
            written to --output, the enhanced folder unless given. Exits 1 if a metric of a file could not be computed.
            """)

    @Option(help: "Folder of clean files.")
    var clean: String

    @Option(help: "Folder of noisy files; SI-SIR, SI-SAR and the anchor row need it.")
    var noisy: String?

    @Option(help: "Folder of enhanced files.")
    var enhanced: String

    @Option(parsing: .upToNextOption, help: "Metrics; pesq, estoi, si_sdr, si_sir and si_sar if none is named.")
    var metrics: [String] = []

    @Option(help: "Folder for the result files; it must exist.")
    var output: String?

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "Lower the sample rate where a metric needs it, and record that.")
    var resample = false

    @OptionGroup var threads: ThreadOptions

    func run() throws {
        threads.apply()
        let chosen = try chosenMetrics()
        try checkFolders()
        let scoring = try FolderScoring(clean: clean, noisy: noisy, enhanced: enhanced)
        for name in scoring.matching.withoutClean { printError("warning: \(enhanced)/\(name) has no clean file in \(clean)") }
        for name in scoring.matching.withoutNoisy { printError("warning: \(enhanced)/\(name) has no noisy file in \(noisy ?? "")") }
        guard !scoring.matching.matches.isEmpty else {
            throw ValidationError("no file of \(enhanced) has a clean file in \(clean)")
        }
        let report = try report(scoring, chosen)
        let scores = report.systems.last?.scores ?? []
        try writeFiles(ResultFiles(scores))
        switch json ? .json : format {
        case .json: try emit(report.json)
        case .csv: try emit(report.rows, as: .csv)
        case let format: try emit(report.table, as: format)
        }
        let failures = scores.flatMap(failures)
        for failure in failures { printError(failure) }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    private func chosenMetrics() throws -> [any SpeechMetric] {
        let wanted = metrics.isEmpty ? ["pesq", "estoi", "si_sdr"] + (noisy == nil ? [] : ["si_sir", "si_sar"]) : metrics
        return try MetricCatalog.standard.named(wanted)
    }

    private func report(_ scoring: FolderScoring, _ chosen: [any SpeechMetric]) throws -> MetricsReport {
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        let progress = ProgressPrinter()
        defer {
            progress.finish()
            signals.stop()
        }
        let batch = MetricBatch(chosen, allowing: resample ? .resampling : [], workers: Engine.threads)
        let systems: [FolderScoring.System] = noisy == nil ? [.enhanced] : [.noisy, .enhanced]
        return MetricsReport(
            metrics: chosen,
            systems: try systems.map { system in
                (system.rawValue, try scoring.scores(of: system, by: batch, interruption: interruption, observe: progress.show))
            })
    }

    /// Each reason of a file once, with the metrics it keeps from a value.
    private func failures(of one: ItemScores) -> [String] {
        var names: [(reason: MetricFailure, metrics: [String])] = []
        for outcome in one.outcomes {
            guard let failure = outcome.failure else { continue }
            if let known = names.firstIndex(where: { $0.reason == failure }) {
                names[known].metrics.append(outcome.name)
            } else {
                names.append((failure, [outcome.name]))
            }
        }
        return names.map { reason, metrics in
            let which = metrics.count > 1 && metrics.count == one.outcomes.count ? "no metric" : "no " + metrics.joined(separator: ", ")
            return "\(one.name): \(which): \(reason)"
        }
    }

    // MARK: Folders

    private var outputFolder: String { output ?? enhanced }

    /// What would end the command after all the scoring ends it before.
    private func checkFolders() throws {
        for (option, folder) in [("--clean", clean), ("--noisy", noisy), ("--enhanced", enhanced), ("--output", outputFolder)] {
            guard let folder else { continue }
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw ValidationError("\(option) \(folder): no such folder")
            }
        }
        let trial = outputFolder + "/.results-\(ProcessInfo.processInfo.processIdentifier)"
        guard FileManager.default.createFile(atPath: trial, contents: Data()) else {
            throw CorpusError(outputFolder, .disk("nothing can be written there"))
        }
        try? FileManager.default.removeItem(atPath: trial)
    }

    private func writeFiles(_ files: ResultFiles) throws {
        for (name, text) in [(ResultFiles.scoresName, files.csv), (ResultFiles.averagesName, files.averages)] {
            do {
                try PendingFile.write(text, to: outputFolder + "/" + name)
            } catch {
                throw CorpusError(outputFolder + "/" + name, .disk("cannot be written: \(error.reason)"))
            }
        }
    }
}
