import ArgumentParser
import Experiments
import Foundation
import Reports
import Runs
import Specs

/// `sgmse ls`: the runs of the store.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the runs of the store.")

    @OptionGroup var store: StoreOptions

    @Option(name: .customLong("where"), help: "A condition, such as \"backbone=ncsnpp_v2 and train.lr<1e-3\".")
    var condition: String?

    @Option(help: "At most so many, the newest first.")
    var limit: Int?

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    func run() throws {
        let listing = try RunListing(of: try store.open(), where: condition.map { try RunFilter($0) }, limit: limit)
        if json || format == .json { return print(listing.json.text, terminator: "") }
        print(listing.table.written(as: format, width: Terminal.width), terminator: "")
    }
}

/// `sgmse show`: a spec as it is understood, or a run as the store knows it.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a run of the store, or a spec with every default filled in.",
        discussion: "A name that ends in .yaml is a spec; any other is a run's name or id.")

    @Argument(help: "A run's name or id, or a spec.")
    var subject: String

    @OptionGroup var store: StoreOptions

    @Option(name: .customLong("set"), help: ArgumentHelp("Overrides a setting of a spec.", valueName: "path=value"))
    var overrides: [String] = []

    @Option(help: "A profile of a spec.")
    var profile: String?

    @Flag(help: "Every default of a spec filled in; this is what a spec is shown as.")
    var resolved = false

    @Flag(help: "Where each value of a spec comes from.")
    var origins = false

    func run() throws {
        guard !subject.hasSuffix(".yaml"), !subject.hasSuffix(".yml") else {
            let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary)
                .load(subject, overrides: overrides, profile: profile)
            return print(ResolvedRendering.yaml(loaded.spec, origins: origins ? loaded.origins : nil), terminator: "")
        }
        let store = try store.open()
        let run = try store.run(named: subject)
        let last = try store.lastStep(of: run.id)
        print("""
            run          \(run.name)
            id           \(run.shortID)
            status       \(run.status.rawValue)\(run.reason.map { ": \($0)" } ?? "")
            seed         \(run.key.seed)
            identity     \(run.key.identity)
            data         \(run.key.dataFingerprint)
            step         \(last.map { "\($0.step), loss \($0.loss)" } ?? "none")
            folder       \(store.folder)/\(run.folder)
            commit       \(run.provenance.gitCommit)\(run.provenance.isDirty ? " (with changes)" : "")
            program      sgmse \(run.provenance.version), \(run.provenance.threads) threads
            machine      \(run.provenance.machine)
            command      \(run.provenance.commandLine)
            spec         \(try store.spec(of: run.id).file ?? "none")
            started      \(run.started?.formatted(.iso8601) ?? "never")
            ended        \(run.ended?.formatted(.iso8601) ?? "not yet")
            tags         \(run.tags.joined(separator: " "))
            notes        \(run.notes)
            """)
        for checkpoint in try store.checkpoints(of: run.id) {
            print("checkpoint   \(checkpoint.kind.rawValue) at step \(checkpoint.step): \(checkpoint.path), sha256 \(checkpoint.sha256)")
        }
        for evaluation in try store.evaluations(of: run.id) {
            let used = evaluation.checkpoint.map { "\($0.kind.rawValue) of step \($0.step)" } ?? "no checkpoint"
            let set = try store.testSets().first { $0.id == evaluation.testSet }?.name ?? ""
            let steps = evaluation.point.steps.map { ", N = \($0)" } ?? ""
            print("evaluation   \(set)\(steps): \(used), \(evaluation.point.weights ?? "") weights, \(evaluation.status.rawValue)")
        }
        for validation in try store.validations(of: run.id).suffix(4) {
            print("validation   step \(validation.step): \(validation.metric) \(validation.value.map { "\($0)" } ?? "none") (n \(validation.n))")
        }
        for finding in try store.findings(of: run.id) {
            print("finding      \(finding.severity.rawValue)[\(finding.gate)] \(finding.subject): \(finding.message)")
        }
        for event in try store.events(of: run.id) {
            print("event        \(event.time.formatted(.iso8601)) \(event.kind) \(event.message)")
        }
        if resolved { print(try store.spec(of: run.id).resolved) }
    }
}

/// `sgmse compare`: runs and anchors in one table.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare runs and anchors in a table: set × N × metric, mean ± std (n).",
        discussion: "Exits 3 with --check if a row is worse than the noisy input.")

    @Argument(help: "Names or ids of runs; all finished ones if none is given.")
    var runs: [String] = []

    @OptionGroup var store: StoreOptions

    @Option(name: .customLong("where"), help: "Which runs, where none is named.")
    var condition: String?

    @Option(help: "Show differences from this run on the same files.")
    var baseline: String?

    @Option(name: .customLong("sets"), parsing: .upToNextOption, help: "Only these test sets.")
    var sets: [String] = []

    @Option(name: .customLong("metrics"), parsing: .upToNextOption, help: "Only these metrics.")
    var metrics: [String] = []

    @Option(help: "table, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "Exit 3 if a row is worse than the noisy input.")
    var check = false

    func run() throws {
        let store = try store.open()
        let selected = runs.isEmpty
            ? try store.runs(where: try condition.map { try RunFilter($0) }).reversed().map(\.id)
            : try runs.map { try store.run(named: $0).id }
        let report = try ComparisonReport(
            of: selected, in: store,
            options: .init(
                sets: sets.isEmpty ? nil : Set(sets), metrics: metrics.isEmpty ? nil : Set(metrics),
                baseline: try baseline.map { try store.run(named: $0).id }))
        if json || format == .json {
            print(report.json.text)
        } else {
            print(report.table.written(as: format, width: Terminal.width), terminator: "")
            if let differences = report.differences {
                print("\n" + differences.written(as: format, width: Terminal.width), terminator: "")
            }
        }
        if check, !report.shortfalls.isEmpty { throw ExitCode(3) }
    }
}

/// `sgmse registry`: everything a spec can name.
struct RegistryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry", abstract: "List everything a spec can name, with parameters, defaults and sources.",
        discussion: """
            The prior mismatch of an SDE is the weight of the clean speech that is left in the marginal's mean where sampling \
            starts at the noisy speech, at the default parameters.
            """)

    @Argument(help: "One kind: \(RegistryKind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var kind: String?

    @Flag(help: "The JSON Schema of the spec language, for editors.")
    var schema = false

    /// The settings that losses and scalings share.
    private static let objective = [
        "loss_weighting", "network_scaling", "c_in", "c_out", "c_skip", "sigma_data", "l1_weight", "pesq_weight",
    ]

    func run() throws {
        let vocabulary = Catalog.standard.vocabulary
        if schema { return print(SpecJSONSchema.text(vocabulary)) }
        let kinds = try kind.map { name in
            guard let kind = RegistryKind(rawValue: name) else {
                throw ValidationError("unknown kind '\(name)'; known: \(RegistryKind.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return [kind]
        } ?? RegistryKind.allCases
        for kind in kinds {
            print("\(kind.noun):")
            for entry in vocabulary.entries(kind) {
                print("  \(entry.name) — \(entry.summary)" + (entry.source.isEmpty ? "" : " [\(entry.source)]"))
                if kind == .metric, let metric = Catalog.standard.metrics[entry.name] { print("      " + metric.facts) }
                if kind == .sde, let mismatch = Catalog.standard.priorMismatch(of: entry.name) {
                    print("      prior mismatch \(String(format: "%.4g", mismatch.value)) = \(mismatch.formula)")
                }
                for case .weightings(let names) in entry.traits where !names.isEmpty {
                    print("      loss_weighting: \(names.joined(separator: " | "))")
                }
                for field in entry.parameters.fields { print(field.line) }
            }
            guard kind == .loss else { continue }
            print("  every loss, in the section 'objective':")
            for name in Self.objective { ExperimentSchema.field(at: "objective." + name).map { print($0.line) } }
        }
    }
}

extension Field {
    /// Name, default, unit, meaning, and what else it may be.
    fileprivate var line: String {
        "      \(name) = \(standardText)\(unit.map { " \($0)" } ?? "")  \(doc)" + (names.isEmpty ? "" : " (\(names.joined(separator: " | ")))")
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
