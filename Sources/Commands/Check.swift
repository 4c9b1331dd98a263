import ArgumentParser
import Corpora
import Experiments
import Foundation
import Reports
import Runs
import Specs

/// `sgmse check`: whether specs are right, and their data what they say.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check specs and their data before anything is trained.",
        discussion: """
            Every mistake of the specs' files in one pass, settings that are marked as not known, and two rows of papers \
            that mean the same (exit 2); then what training and evaluation do differently, and the audio: rates, pairing, \
            lengths, channels, silence, clipping, overlap between splits (exit 3 unless the spec waives a check by name).
            """)

    @Argument(help: "Experiments, YAML files.")
    var specs: [String]

    @Option(name: .customLong("set"), help: ArgumentHelp("Overrides a setting, as train.lr=3e-4; may be repeated.", valueName: "path=value"))
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
        var reports: [Reports.JSON] = []
        do {
            let loaded = try load()
            if profile == nil { try SharedIdentity.check(loaded.map { ($0.file, $0.spec) }) }
            for spec in loaded {
                let (report, lines) = try check(spec)
                reports.append(report)
                if !json { for line in lines { print(line) } }
            }
        } catch let error as SpecErrors where json {
            print(String(decoding: try JSONEncoder().encode(error), as: UTF8.self))
            throw ExitCode(2)
        } catch let error as IncompleteSpec where json {
            let errors = error.settings.sorted { $0.key < $1.key }.map { path, missing -> Reports.JSON in
                ["code": "incomplete", "severity": "error", "file": .string(error.file), "path": .string(path), "message": .string(missing)]
            }
            print(Reports.JSON.object([.init("errors", .array(errors))]).text, terminator: "")
            throw ExitCode(2)
        } catch let error as GateFailure where json {
            print(Reports.JSON.object([.init("errors", .array(error.findings.map(\.json)))]).text, terminator: "")
            throw ExitCode(3)
        } catch where json && !(error is ExitCode) {
            let text = "\(error)"
            let mistake: Reports.JSON = ["code": "error", "severity": "error", "message": .string(text.hasPrefix("error: ") ? String(text.dropFirst(7)) : text)]
            print(Reports.JSON.object([.init("errors", [mistake])]).text, terminator: "")
            throw ExitCode(SGMSE.code(of: error))
        }
        if json { print(Reports.JSON.object([.init("errors", []), .init("specs", .array(reports))]).text, terminator: "") }
    }

    /// All specs, or the mistakes of all.
    private func load() throws -> [LoadedSpec] {
        let loader = SpecLoader(vocabulary: Catalog.standard.vocabulary)
        var loaded: [LoadedSpec] = []
        var errors: [SpecError] = []
        for file in specs {
            do {
                let spec = try loader.load(file, overrides: overrides, profile: profile)
                try NetworkCheck().check(spec)
                loaded.append(spec)
            } catch {
                errors += error.all
            }
        }
        guard errors.isEmpty else { throw SpecErrors(errors) }
        return loaded
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    private func check(_ loaded: LoadedSpec) throws -> (Reports.JSON, [String]) {
        let evaluations = loaded.runs.reduce(0) { $0 + $1.evaluations.count }
        var lines = loaded.warnings.map(\.description)
        lines.append("\(loaded.file): \(Self.count(loaded.runs.count, "run")), \(Self.count(evaluations, "evaluation")), no mistakes")
        var findings = try ProtocolGate.enter(loaded)
        var data: [Reports.JSON] = []
        if !noData {
            let workspace = Workspace(store: try store.open(.readWrite), corpora: corpora.folder, commandLine: CommandLine.arguments)
            var preparer = DataPreparer(workspace: workspace)
            var seen: Set<String> = []
            for run in loaded.runs {
                try ProtocolGate.checkStart(of: run, in: workspace)
                let audio = try preparer.prepare(run.spec)
                guard seen.insert(audio.fingerprint).inserted else { continue }
                findings += audio.findings.filter { !findings.contains($0) }
                let tests = audio.tests.values.reduce(0) { $0 + $1.set.files.count }
                let verdict = audio.findings.contains { $0.severity == .error } ? "waived errors" : "no errors"
                lines.append(
                    audio.training.isEmpty
                        ? "data: \(tests) test pairs, \(verdict)"
                        : "data: \(audio.training.count) training pairs, \(verdict), fingerprint \(audio.fingerprint)")
                data.append([
                    "training_pairs": .integer(audio.training.count),
                    "validation_pairs": .integer(audio.validation.count), "fingerprint": .string(audio.fingerprint),
                ])
            }
        }
        lines += findings.map { finding in
            let waiver = finding.severity == .error ? loaded.spec.waive[finding.code.rawValue] : nil
            return "\(finding)" + (waiver.map { "\n  waived: \($0)" } ?? "")
        }
        return (
            [
                "file": .string(loaded.file), "runs": .integer(loaded.runs.count), "evaluations": .integer(evaluations),
                "warnings": .array(loaded.warnings.map(\.json)), "findings": .array(findings.map(\.json)), "data": .array(data),
            ], lines
        )
    }
}

extension SpecError {
    var json: Reports.JSON {
        [
            "code": .string(code), "severity": .string(severity.rawValue), "file": .string(mark.file), "line": .integer(mark.line),
            "column": .integer(mark.column), "message": .string(summary), "hint": hint.map(Reports.JSON.string) ?? .null,
        ]
    }
}

extension Finding {
    var json: Reports.JSON {
        [
            "code": .string(code.rawValue), "severity": .string(severity.rawValue), "set": .string(set), "message": .string(message),
            "fix": .string(fix), "files": .array(files.map(Reports.JSON.string)),
        ]
    }
}
