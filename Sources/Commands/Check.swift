import ArgumentParser
import Corpora
import Experiments
import Failures
import Foundation
import Gates
import JSONValues
import Models
import Parallelism
import Reports
import Runs
import SpecLanguage
import Specs
import Training

/// `sgmse check`: whether specs are right, and their data what they say.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check specs and their data before anything is trained.",
        discussion: """
            Every mistake of the specs' files in one pass, settings that are marked as not known, and two rows of \
            papers that mean the same (exit 2); then what training and evaluation do differently, and the audio: \
            rates, pairing, lengths, channels, silence, clipping, delays, levels, SNR, overlap and copies between \
            splits (exit 3 unless the spec waives a check by name).
            """)

    @Argument(help: "Experiments: YAML files, or names of the library, such as quickstart.")
    var specs: [String]

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a setting, as train.lr=3e-4; may be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Option(help: "A profile of the specs, such as smoke.")
    var profile: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions

    @Flag(help: "Check the specs alone.")
    var noData = false

    @Flag(help: "Mistakes and findings as JSON.")
    var json = false

    func run() throws {
        var outcome = Outcome(isJSON: json, namesSpecs: specs.count > 1)
        let loaded = load(&outcome)
        if profile == nil {
            let complete = loaded.filter(\.unknown.isEmpty).map { ($0.file, $0.spec) }
            for shared in SharedIdentity.among(complete) { outcome.add(shared, of: nil) }
        }
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        defer { signals.stop() }
        for spec in loaded { try check(spec, interruption, &outcome) }
        try outcome.finish()
    }

    /// The specs without mistakes.
    private func load(_ outcome: inout Outcome) -> [LoadedSpec] {
        var loaded: [LoadedSpec] = []
        var errors: [SpecError] = []
        for file in specs {
            do {
                let spec = try Library.loader.load(Library.file(of: file), overrides: overrides, profile: profile)
                try NetworkCheck().check(spec)
                loaded.append(spec)
            } catch {
                errors += error.all
            }
        }
        if !errors.isEmpty { outcome.add(SpecErrors(errors), of: nil) }
        return loaded
    }

    private func check(_ loaded: LoadedSpec, _ interruption: Interruption, _ outcome: inout Outcome) throws {
        let evaluations = loaded.runs.reduce(0) { $0 + $1.evaluations.count }
        var (report, data) = (GateReport(), [Reports.JSON]())
        var lines = loaded.warnings.map(\.description)
        let verdict = loaded.unknown.isEmpty ? "no mistakes" : "incomplete"
        lines.append(
            """
            \(loaded.file): \(counted(loaded.runs.count, "run")), \(counted(evaluations, "evaluation")), \
            \(verdict)
            """
        )
        var failures: [any Error] = []
        do {
            report = try ProtocolGate.report(on: loaded)
            if !noData { try checkData(of: loaded, interruption, &report, &lines, &data) }
        } catch {
            failures.append(error)
        }
        lines += report.findings.filter { !report.refused.contains($0) }.map { finding in
            let waiver = finding.severity == .error ? loaded.spec.waive[finding.code.rawValue] : nil
            return "\(finding)" + (waiver.map { "\n  waived: \($0)" } ?? "")
        }
        try outcome.add(
            [
                "file": .string(loaded.file), "runs": .integer(loaded.runs.count), "evaluations": .integer(evaluations),
                "warnings": .array(loaded.warnings.map { Problem($0).json }),
                "findings": .array(report.findings.map { Problem($0, of: loaded.file).json }), "data": .array(data),
            ], lines)
        do { try report.enforce() } catch { failures.append(error) }
        for failure in failures { outcome.add(failure, of: loaded.file) }
        // What the machine cannot do for one spec, it cannot do for the next.
        if let failure = failures.first(where: { FailureCategory(of: $0).endsCommand }) {
            throw try outcome.end(by: failure)
        }
    }

    /// Finds or makes the audio of every run, reads it, and adds what is found in it.
    private func checkData(
        of loaded: LoadedSpec, _ interruption: Interruption, _ report: inout GateReport, _ lines: inout [String],
        _ data: inout [Reports.JSON]
    ) throws {
        let workspace = Workspace(
            store: try store.open(.readWrite), corpora: corpora.folder, commandLine: CommandLine.arguments)
        var preparer = DataPreparer(workspace: workspace, interruption: interruption)
        var seen: Set<String> = []
        for run in loaded.runs {
            let found = try preparer.thoroughFindings(run.spec)
            report.add(found, of: run.spec)
            try ProtocolGate.checkStart(of: run, in: workspace)
            var own = GateReport()
            own.add(found, of: run.spec)
            guard own.refused.isEmpty else { continue }
            let audio = try preparer.prepare(run.spec)
            let fingerprint = audio.fingerprint?.description ?? ""
            guard seen.insert(fingerprint).inserted else { continue }
            let tests = audio.tests.values.reduce(0) { $0 + $1.set.files.count }
            let verdict = found.contains { $0.severity == .error } ? "waived errors" : "no errors"
            lines.append(
                audio.training.isEmpty
                    ? "data: \(tests) test pairs, \(verdict)"
                    : "data: \(audio.training.count) training pairs, \(verdict), fingerprint \(fingerprint)")
            data.append([
                "training_pairs": .integer(audio.training.count),
                "validation_pairs": .integer(audio.validation.count), "fingerprint": .string(fingerprint),
            ])
        }
    }
}

/// The result of checking several specs: a mistake in one does not keep the others from being reported.
private struct Outcome {
    let isJSON: Bool
    /// Whether a message must say which spec it is of.
    let namesSpecs: Bool
    private var errors: [Problem] = []
    private var reports: [Reports.JSON] = []
    private var codes: Set<Int32> = []

    init(isJSON: Bool, namesSpecs: Bool) { (self.isJSON, self.namesSpecs) = (isJSON, namesSpecs) }

    mutating func add(_ report: Reports.JSON, _ lines: [String]) throws(OutputError) {
        reports.append(report)
        if !isJSON { for line in lines { try emit(line) } }
    }

    mutating func add(_ error: any Error, of spec: String?) {
        errors += Problem.all(of: error, spec: spec)
        codes.insert(SGMSE.code(of: error))
        guard !isJSON else { return }
        let text = SGMSE.description(of: error)
        printError(spec.map { namesSpecs && !text.hasPrefix($0) ? "\($0):\n\(text)" : text } ?? text)
    }

    /// Prints the JSON, and decides how the command ends: mistakes of a spec come before findings in its data.
    func finish() throws {
        if isJSON {
            try emit(.object([.init("errors", .array(errors.map(\.json))), .init("specs", .array(reports))]))
        }
        if let code = [2, 3].first(where: codes.contains) ?? codes.max() { throw ExitCode(code) }
    }

    /// Prints the JSON, and returns the exit code of what ended the command.
    func end(by error: any Error) throws(OutputError) -> ExitCode {
        do { try finish() } catch let error as OutputError { throw error } catch {}
        return ExitCode(SGMSE.code(of: error))
    }
}
