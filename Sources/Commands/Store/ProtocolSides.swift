import ArgumentParser
import Corpora
import Experiments
import Failures
import Foundation
import Gates
import Investigations
import Models
import Parallelism
import Runs
import Specs
import Training

/// Reads the sides of a comparison of protocols: specs with what checks find in their data, runs with what was
/// measured.
struct ProtocolSides {
    let store: StoreOptions
    let corpora: CorpusOptions
    let readsData: Bool
    let interruption: Interruption

    init(store: StoreOptions, corpora: CorpusOptions, readsData: Bool, interruption: Interruption) {
        (self.store, self.corpora, self.readsData, self.interruption) = (store, corpora, readsData, interruption)
    }

    static func isSpec(_ name: String) -> Bool { name.hasSuffix(".yaml") || name.hasSuffix(".yml") }

    func side(of name: String, overrides: [String] = []) throws -> ProtocolSide {
        guard Self.isSpec(name) else { return try side(ofRun: name) }
        let loaded = try Library.loader.load(Library.file(of: name), overrides: overrides)
        if loaded.runs.contains(where: { !$0.point.isEmpty }) {
            printError("\(name) is a sweep; it is compared as it stands before its points change it")
        }
        return ProtocolSide(
            label: name, spec: loaded.spec, findings: try inSpec(loaded) + (readsData ? inData(of: loaded) : []))
    }

    func side(of recipe: Recipe) throws -> ProtocolSide {
        let loaded = try Library.loader.load(recipe.spec)
        return ProtocolSide(
            label: recipe.name, spec: loaded.spec, findings: try inSpec(loaded), measured: recipe.measured)
    }

    private func side(ofRun name: String) throws -> ProtocolSide { try side(ofRun: try store.open().run(named: name)) }

    func side(ofRun run: Run) throws -> ProtocolSide {
        let store = try store.open()
        let spec = try JSONDecoder().decode(ExperimentSpec.self, from: Data(try store.spec(of: run.id).resolved.utf8))
        let loaded = try Library.loader.load(text: ResolvedRendering.yaml(spec), file: "\(run.name).yaml")
        // What was waived is kept as a warning, and is as wrong as it was.
        let found = try store.findings(of: run.id).filter {
            $0.subject != "protocol" && ($0.severity == .failure || spec.waive[$0.gate] != nil)
        }.map { finding in
            let waived = spec.waive[finding.gate].map { " (waived: \($0))" } ?? ""
            return ProtocolSide.Finding(
                gate: finding.gate, subject: finding.subject,
                message: finding.message.hasSuffix(waived)
                    ? String(finding.message.dropLast(waived.count)) : finding.message)
        }
        return ProtocolSide(
            label: "\(run.name) (\(run.shortID))", spec: spec, findings: try inSpec(loaded) + found,
            measured: try measured(run, store))
    }

    /// The checkpoint that was evaluated, and by which score it was chosen.
    private func measured(_ run: Run, _ store: RunStore) throws -> [String: String] {
        let used = try store.evaluations(of: run.id).compactMap(\.checkpoint)
        guard let first = used.first else { return [:] }
        var values = ["checkpoint": Set(used.map { "\($0.kind.rawValue)@\($0.step)" }).sorted().joined(separator: ", ")]
        for record in try store.validations(of: run.id) where record.step == first.step && record.metric == "pesq" {
            if let value = record.value {
                values["validation.pesq"] =
                    "\((value * 1000).rounded() / 1000) on \(record.n) files at step \(record.step)"
            }
        }
        return values
    }

    private func inSpec(_ loaded: LoadedSpec) throws -> [ProtocolSide.Finding] {
        guard loaded.unknown.isEmpty else { return [] }
        return try ProtocolGate.report(on: loaded).findings.filter { $0.severity != .note }.map(Self.finding)
    }

    /// The findings of checks in the audio; an error that keeps it from being read is printed and stops nothing.
    private func inData(of loaded: LoadedSpec) throws -> [ProtocolSide.Finding] {
        do {
            let workspace = Workspace(
                store: try store.open(.readWrite), corpora: corpora.folder, commandLine: CommandLine.arguments)
            var preparer = DataPreparer(workspace: workspace, interruption: interruption)
            return try preparer.findings(loaded.spec).filter { $0.severity == .error }.map(Self.finding)
        } catch let error where FailureCategory(of: error) == .data {
            printError("the data of \(loaded.file) was not read, its headers are not compared: \(error)")
            return []
        }
    }

    private static func finding(_ finding: Corpora.Finding) -> ProtocolSide.Finding {
        .init(gate: finding.code.rawValue, subject: finding.set, message: finding.message)
    }
}
