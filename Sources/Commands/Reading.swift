import ArgumentParser
import Experiments
import Failures
import Foundation
import JSONValues
import Models
import Reports
import Runs
import SpecLanguage
import Specs
import SpeechMetrics

/// `sgmse ls`: the runs of the store.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the runs of the store.")

    @OptionGroup var store: StoreOptions

    @Option(name: .customLong("where"), help: RunSelection.help)
    var condition: String?

    @Option(help: "At most so many, the newest first.", in: 0...1_000_000_000)
    var limit: Int?

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    func run() throws {
        let listing = try RunListing(of: try store.open(), where: condition.map { try RunFilter($0) }, limit: limit)
        if let condition, listing.runs.isEmpty { printError("no run matches '\(condition)'") }
        if json || format == .json { try emit(listing.json) } else { try emit(listing.table, as: format) }
        for error in listing.unreadable { printError(error.description) }
        if !listing.unreadable.isEmpty { throw ExitCode(5) }
    }
}

/// `sgmse registry`: everything a spec can name.
struct RegistryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "List everything a spec can name, with parameters, defaults and sources.",
        discussion: """
            The prior mismatch of an SDE is the weight of the clean speech that is left in the marginal's mean where \
            sampling starts at the noisy speech, at the default parameters.
            """)

    @Argument(help: "One kind, or one section of a spec: \(RegistryCommand.kinds.joined(separator: ", ")).")
    var kind: String?

    @Flag(help: "The JSON Schema of the spec language, for editors.")
    var schema = false

    @Flag(help: "Print a JSON document: entries by kind.")
    var json = false

    /// The settings that losses and scalings share.
    private static let objective = [
        "loss_weighting", "network_scaling", "c_in", "c_out", "c_skip", "sigma_data", "l1_weight", "pesq_weight",
    ]

    /// What is no part of a registry, and named in a spec all the same.
    private static let forms: [(kind: String, noun: String, entries: @Sendable () -> [EntryDescriptor])] = [
        ("reference", "noise references, in evaluate.reference", { NoiseReferenceSpec.forms }),
        ("checkpoint", "checkpoints, in evaluate.checkpoint", { CheckpointForm.descriptors }),
        (
            "experiment", "experiments of the library, as in sgmse run quickstart and extends: sgmse:base/16k.yaml",
            { Library.entries }
        ),
    ]

    private static let kinds = RegistryKind.all.map(\.name) + forms.map(\.kind) + RegistrySections.all.map(\.name)

    func validate() throws {
        try ValidationError.check([kind].compactMap(\.self), "kind", among: Self.kinds)
    }

    func run() throws {
        let vocabulary = Catalog.standard.vocabulary
        if schema { return try emitData(SpecJSONSchema.text(vocabulary), terminator: "\n") }
        if json { return try emit(Self.document(of: kind, vocabulary)) }
        for kind in RegistryKind.all where self.kind == nil || self.kind == kind.name {
            try emit("\(kind.noun):")
            for entry in vocabulary.entries(kind) {
                try emit("  \(entry.name) — \(entry.summary)" + (entry.source.isEmpty ? "" : " [\(entry.source)]"))
                if kind == .metric, let metric = Catalog.standard.metrics[entry.name] {
                    try emit("      " + metric.facts)
                }
                if kind == .sde, let mismatch = Catalog.standard.priorMismatch(of: entry.name) {
                    try emit("      prior mismatch \(String(format: "%.4g", mismatch.value)) = \(mismatch.formula)")
                }
                for case .weightings(let names) in entry.traits where !names.isEmpty {
                    try emit("      loss_weighting: \(names.joined(separator: " | "))")
                }
                for field in entry.parameters.fields { try emit(field.line) }
            }
            if kind == .loss {
                try emit("  every loss, in the section 'objective':")
                for name in Self.objective {
                    try ExperimentSchema.field(at: "objective." + name).map { try emit($0.line) }
                }
            }
            if kind == .noiseEncoder, case .section(let schema, _)? = ExperimentSchema.field(at: "conditioning")?.type {
                try emit("  every conditioned network, in the section 'conditioning':")
                for field in schema.fields { try emit(field.line) }
            }
        }
        for form in Self.forms where kind == nil || kind == form.kind {
            try emit("\(form.noun):")
            for entry in form.entries() {
                try emit("  \(entry.name) — \(entry.summary)")
                for field in entry.parameters.fields { try emit(field.line) }
            }
        }
        for section in RegistrySections.all where kind == nil || kind == section.name {
            try emit("\(section.name): \(section.summary)")
            for (path, field) in section.fields { try emit(field.line(path)) }
        }
    }
}

extension RegistryCommand {
    fileprivate static func document(of kind: String?, _ vocabulary: Vocabulary) -> Reports.JSON {
        let all =
            RegistryKind.all.map { ($0.name, vocabulary.entries($0)) }
            + forms.filter { kind == nil || kind == $0.kind }.map { ($0.kind, $0.entries()) }
        let sections = RegistrySections.all.filter { kind == nil || kind == $0.name }.map { section in
            Reports.JSON.Member(section.name, .array(section.fields.map { $0.field.json($0.path) }))
        }
        return .object(
            all.filter { kind == nil || kind == $0.0 }.map { name, entries in
                .init(
                    name,
                    .array(
                        entries.map { entry in
                            [
                                "name": .string(entry.name), "summary": .string(entry.summary),
                                "source": entry.source.isEmpty ? .null : .string(entry.source),
                                "parameters": .array(entry.parameters.fields.map(\.json)),
                            ]
                        }))
            } + sections)
    }
}

extension Field {
    fileprivate var json: Reports.JSON { json(name) }

    fileprivate func json(_ name: String) -> Reports.JSON {
        [
            "name": .string(name), "default": .string(standardText), "unit": unit.map(Reports.JSON.string) ?? .null,
            "summary": .string(doc),
            "values": .array(names.map(Reports.JSON.string)),
        ]
    }

    /// Name, default, unit, meaning, and what else it may be.
    fileprivate var line: String { line(name) }

    fileprivate func line(_ name: String) -> String {
        "      \(name) = \(standardText)\(unit.map { " \($0)" } ?? "")  \(doc)"
            + (names.isEmpty ? "" : " (\(names.joined(separator: " | ")))")
    }

    /// The names that a setting may have, where they are few.
    private var names: [String] {
        switch type {
        case .oneOf(let names), .list(of: .oneOf(let names), _, _): names
        default: []
        }
    }

    /// The default in words.
    private var standardText: String {
        switch standard {
        case .required: "(required)"
        case .value(let value): value.description
        case .absent: "(absent)"
        case .derived(let words): "(\(words))"
        }
    }
}
