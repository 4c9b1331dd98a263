import ArgumentParser
import Experiments
import Foundation
import Models
import Reports
import Runs
import SpecLanguage
import Specs

/// `sgmse show`: a spec with all its defaults, or a run of the store.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a run of the store with its mean scores, or a spec with every default filled in.",
        discussion: """
            A name that ends in .yaml or begins with sgmse: is a spec; any other is a run's name or id, or the name of \
            a sweep, whose runs are listed, or else an experiment of the library that came with the program.
            """)

    @Argument(help: "A run's name or id, or a spec.")
    var subject: String

    @OptionGroup var store: StoreOptions

    @Option(name: .customLong("set"), help: ArgumentHelp("Overrides a setting of a spec.", valueName: "path=value"))
    var overrides: [String] = []

    @Option(help: "A profile of a spec.")
    var profile: String?

    @Flag(help: "The spec of a run with every default filled in, as it was when it was run; a spec is always shown so.")
    var resolved = false

    @Flag(help: "Where each value of a spec comes from.")
    var origins = false

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        let isSpec = subject.hasSuffix(".yaml") || subject.hasSuffix(".yml") || FilePath.inLibrary(subject) != nil
        if isSpec { return try showSpec() }
        guard Library.spec(subject) != nil else { return try showRuns(in: try store.open()) }
        guard FileManager.default.fileExists(atPath: store.path) else { return try showSpec() }
        let store = try store.open()
        do { try showRuns(in: store) } catch let error as StoreError where error.kind == .missing { try showSpec() }
    }

    private func showSpec() throws {
        let loaded = try Library.loader.load(Library.file(of: subject), overrides: overrides, profile: profile)
        if json { return try emitData(try Self.document(of: loaded.spec), terminator: "\n") }
        try emit(
            Self.sweep(of: loaded) + ResolvedRendering.yaml(loaded.spec, origins: origins ? loaded.origins : nil),
            terminator: "")
    }

    private func showRuns(in store: RunStore) throws {
        let found = try store.runs(called: subject)
        guard let run = found.first, found.count == 1 else {
            let listing = try RunListing(of: found, in: store)
            return try json ? emit(listing.json) : emit(listing.table)
        }
        if resolved {
            let text = try store.spec(of: run.id).resolved
            return try json ? emitData(text, terminator: "\n") : emit(Self.yaml(ofResolved: text), terminator: "")
        }
        let report = try RunReport(of: run, in: store)
        try json ? emit(report.json) : emit(report.text, terminator: "")
    }

    private static func document(of spec: ExperimentSpec) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(SettingValue.section(spec.settings)), as: UTF8.self)
    }

    /// Of a sweep, what its runs are called: the settings are those before it.
    private static func sweep(of loaded: LoadedSpec) -> String {
        guard !loaded.sweptPaths.isEmpty else { return "" }
        let shown = loaded.runs.prefix(20).map { "#   \($0.name)\n" }.joined()
        let more = loaded.runs.count > 20 ? "#   and \(loaded.runs.count - 20) more\n" : ""
        return "# \(loaded.runs.count) runs of a sweep over \(loaded.sweptPaths.joined(separator: ", ")):\n" + shown
            + more
            + "# Below, the settings before the sweep.\n"
    }

    /// A stored spec in lines; as it is stored where another version wrote it and this one cannot read it.
    private static func yaml(ofResolved text: String) -> String {
        guard let spec = try? JSONDecoder().decode(ExperimentSpec.self, from: Data(text.utf8)) else {
            return text + "\n"
        }
        return ResolvedRendering.yaml(spec)
    }
}
