import Foundation
import Models
import SpecLanguage
import Specs
import Testing

/// Identities as they were when runs were stored under them: a change of one would train every such run again.
@Suite struct IdentityGoldenTests {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/identities.txt")

    /// `RECORD_GOLDENS=1 swift test` writes the file anew, and fails, so that each change is read first.
    @Test func identitiesAreThoseThatStoresHold() throws {
        let lines = try libraryLines() + settingLines()
        let isRecording = ProcessInfo.processInfo.environment["RECORD_GOLDENS"] != nil
        if isRecording { try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: Self.file) }
        let golden = try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n").map(String.init)
        let changed = golden.filter { !lines.contains($0) } + lines.filter { !golden.contains($0) }
        #expect(!isRecording && changed.isEmpty, "\(changed.joined(separator: "\n"))")
    }

    /// Every run of the library.
    private func libraryLines() throws -> [String] {
        try Library.specs.flatMap { path in
            try Library.load(path).runs.map { run in
                "\(path) \(run.spec.name) \(run.spec.identity.short) \(run.spec.trainingIdentity(seed: run.seed).short)"
            }
        }
    }

    /// The quickstart with every name that a setting of the language can have.
    private func settingLines() throws -> [String] {
        let conditioned = ["backbone=ncsnpp_v2_cond", "conditioning.noise_embed_dim=8"]
        return try ExperimentSchema.root.fields.flatMap { section -> [String] in
            guard case .section(let schema, _) = section.type else { return [] }
            return try schema.fields.flatMap { field -> [String] in
                let names: [String] =
                    switch field.type {
                    case .oneOf(let names), .list(of: .oneOf(let names), _, _): names
                    case .variant(let forms), .list(of: .variant(let forms), _, _): forms.map(\.name)
                    case .bool: ["true", "false"]
                    default: []
                    }
                return try names.map { name in
                    let change = "\(section.name).\(field.name)=\(name)"
                    let others = section.name == "conditioning" || field.name == "reference" ? conditioned : []
                    do {
                        let spec = try Library.load("quickstart.yaml", overrides: others + [change]).runs[0].spec
                        return "\(change) \(spec.identity.short) \(spec.trainingIdentity(seed: 0).short)"
                    } catch let errors as SpecErrors {
                        return "\(change) refused: \(errors.all.map(\.code).joined(separator: " "))"
                    }
                }
            }
        }
    }
}
