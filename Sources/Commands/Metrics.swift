import ArgumentParser
import Audio
import Corpora
import Enhancement
import Experiments
import Foundation
import Kernels
import Parallelism
import Reports
import SpeechMetrics
import SystemCalls

/// `sgmse metrics`: scores a folder of enhanced files.
struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a folder of enhanced files against clean ones.",
        discussion: """
            An enhanced file belongs to the clean file of its name, .wav and .flac alike; failing that, to the one \
            with the same number behind 'fileid_'; to the one whose name is equal without words such as 'clean' and \
            'enhanced'; or to the longest name that its own begins or ends with, as p232_001_m5.wav and p232_001.wav. \
            Which rule was used is printed. A clean file without an enhanced one stops the command with exit code 3, \
            unless --partial is given. Outputs that are late, of other lengths or at higher rates are scored with \
            --align, --trim and --resample, which the signatures then name.

            A manifest.csv (file, noise, snr_db) in the folder of noisy or clean files, or beside one, adds the means \
            by noise type and SNR. Every mean has its n; infinite and missing values are counted, and are part of no \
            mean.

            _results.csv (every file: values, reasons of failures, signatures, what was resampled) and \
            _avg_results.txt are written to --output, the enhanced folder unless given, both or none. Exits 1 if a \
            metric of a file could not be computed; results of an earlier call are then kept, and the new ones are \
            called _results.failed.csv and _avg_results.failed.txt.
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

    @Flag(
        help:
            """
            Lower the sample rate where a metric needs it or an enhanced file has a higher one than its clean file, \
            and record that.
            """
    )
    var resample = false

    @Flag(help: "Move enhanced files that are late or early by their measured delay, and record that.")
    var align = false

    @Flag(help: "Cut signals of different lengths to the shortest, and record that.")
    var trim = false

    @Flag(
        name: [.customLong("partial"), .customLong("allow-missing")],
        help: "Score what is there although clean files have no enhanced file.")
    var partial = false

    @OptionGroup var threads: ThreadOptions

    func run() throws {
        try threads.apply()
        let chosen = try chosenMetrics()
        try checkFolders()
        let scoring = try FolderScoring(clean: clean, noisy: noisy, enhanced: enhanced, fitting: fitting)
        for remark in remarks(scoring) { printError(remark) }
        guard !scoring.matching.matches.isEmpty else {
            throw ValidationError("no file of \(enhanced) has a clean file in \(clean)")
        }
        let missing = scoring.matching.withoutEnhanced
        if !missing.isEmpty {
            try report(missing: missing, of: missing.count + Set(scoring.matching.matches.map(\.clean)).count)
        }
        let misfits = scoring.alignmentRemarks()
        for misfit in misfits { printError("warning: \(misfit)") }
        let report = try report(scoring, chosen, misfits)
        let scores = report.systems.last?.scores ?? []
        let failures = scores.flatMap(failures)
        let written = try ResultFiles(scores, missingOutputs: missing.count).write(
            to: outputFolder, keeping: !failures.isEmpty)
        switch json ? .json : format {
        case .json: try emit(report.json)
        case .csv: try emit(report.rows, as: .csv)
        case let format: try emit(report.table, as: format)
        }
        for failure in failures { printError(failure) }
        if !written.contains(ResultFiles.scoresName) {
            let place = written.joined(separator: " and ")
            printError(
                "note: \(ResultFiles.scoresName) of an earlier call was kept; the results of this one are in \(place)")
        }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    /// Prints remarks on the pairs before they are scored.
    private func remarks(_ scoring: FolderScoring) -> [String] {
        let matching = scoring.matching
        func files(_ count: Int) -> String { count == 1 ? "1 file was" : "\(count) files were" }
        let rules = matching.byRule.sorted { $0.key.rawValue < $1.key.rawValue }.map { rule, pairs in
            "note: \(files(pairs.count)) paired by \(rule.title), such as \(pairs[0].enhanced) with \(pairs[0].partner)"
        }
        let open = scoring.openEndedFiles()
        let piped = open.first.map {
            """
            note: \(files(open.count)) written to a pipe, such as \($0): the header states no length, and the audio is \
            read to the end
            """
        }
        return rules + [piped].compactMap(\.self)
            + matching.withoutClean.map { "warning: \(enhanced)/\($0) has no clean file in \(clean)" }
            + matching.withoutNoisy.map { "warning: \(enhanced)/\($0) has no noisy file in \(noisy ?? "")" }
    }

    /// Says which outputs are missing, and ends the command unless that is allowed.
    private func report(missing: [String], of count: Int) throws {
        let shown = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? ", ..." : "")
        let (label, advice) =
            partial
            ? ("warning", "the means are over the \(count - missing.count) that have one")
            : ("error", "add them, or give --partial for means over the \(count - missing.count) that have one")
        let files = "\(missing.count) of \(count) clean files have no enhanced file in \(enhanced): \(shown)"
        printError("\(label): \(files); \(advice)")
        if !partial { throw ExitCode(3) }
    }

    private var fitting: OutputFitting {
        let asked: [(Bool, OutputFitting)] = [(align, .alignment), (trim, .trimming), (resample, .resampling)]
        return asked.filter(\.0).reduce(into: []) { $0.formUnion($1.1) }
    }

    private func chosenMetrics() throws -> [any SpeechMetric] {
        let wanted =
            metrics.isEmpty ? ["pesq", "estoi", "si_sdr"] + (noisy == nil ? [] : ["si_sir", "si_sar"]) : metrics
        return try MetricCatalog.standard.named(wanted)
    }

    private func report(
        _ scoring: FolderScoring, _ chosen: [any SpeechMetric], _ misfits: [String]
    ) throws -> MetricsReport {
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
            metrics: chosen, missing: scoring.matching.withoutEnhanced, misfits: misfits,
            systems: try systems.map { system in
                (
                    system.rawValue,
                    try scoring.scores(of: system, by: batch, interruption: interruption, observe: progress.show)
                )
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
            let which =
                metrics.count > 1 && metrics.count == one.outcomes.count
                ? "no metric" : "no " + metrics.joined(separator: ", ")
            return "\(one.name): \(which): \(reason)\(advice(reason))"
        }
    }

    /// What the command can do about a failure.
    private func advice(_ failure: MetricFailure) -> String {
        guard case .sampleRate(let rate, let accepted) = failure, !resample else { return "" }
        guard let target = accepted.filter({ $0 < rate }).max() else { return "" }
        return "; --resample converts the files to \(target) Hz"
    }

    // MARK: Folders

    private var outputFolder: String { output ?? enhanced }

    /// What would end the command after all the scoring ends it before.
    private func checkFolders() throws {
        for (option, folder) in [
            ("--clean", clean), ("--noisy", noisy), ("--enhanced", enhanced), ("--output", outputFolder),
        ] {
            guard let folder else { continue }
            guard POSIX.isFolder(folder) else {
                throw ValidationError("\(option) \(folder): no such folder")
            }
        }
        let trial = outputFolder + "/.results-\(ProcessInfo.processInfo.processIdentifier)"
        guard FileManager.default.createFile(atPath: trial, contents: Data()) else {
            throw CorpusError(outputFolder, .disk("nothing can be written there"))
        }
        try? FileManager.default.removeItem(atPath: trial)
    }
}
