public import ArgumentParser
import Audio
import Checkpoints
import Corpora
import Experiments
import Foundation
import Imports
public import Kernels
import Logging
import Models
public import Reports
public import Runs
import SpecLanguage
import Specs

/// The path of the store, and its journal.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The store; SGMSE_STORE, or runs/store.sqlite, if not given.", valueName: "file"))
    var store: String?

    @Option(
        help: ArgumentHelp("How commits reach the disk: wal, or rollback on network file systems.", valueName: "mode"))
    var journal: RunStore.Journal = .wal

    var path: String {
        store ?? ProcessInfo.processInfo.environment["SGMSE_STORE"] ?? "runs/store.sqlite"
    }

    /// Opens the store for reading, or for writing, which creates it; it is closed at the end of the program.
    func open(_ access: RunStore.Access = .readOnly) throws -> RunStore { try open(path, access) }

    /// Opens another store, under the same rules.
    func open(_ path: String, _ access: RunStore.Access = .readOnly) throws -> RunStore {
        let start = ContinuousClock.now
        let store = OpenStores.shared.add(try RunStore(at: path, access: access, journal: journal))
        let way = access == .readOnly ? "to be read" : "journal \(journal.rawValue)"
        Logger(label: "sgmse.store").debug("opened \(path), \(way), in \(ContinuousClock.now - start)")
        return store
    }
}

extension InstructionSet: ExpressibleByArgument {}
extension RunStore.Journal: ExpressibleByArgument {}
extension TableFormat: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
}

/// Which spec, and what overlays it.
struct SpecOptions: ParsableArguments {
    @Argument(help: "The experiment: a YAML file, or the name of one in the library, such as quickstart.")
    var spec: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a setting, as train.lr=3e-4; may be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Option(help: "A profile of the spec, such as smoke.")
    var profile: String?

    /// - Parameters:
    ///   - more: Overrides that come after those of the person.
    ///   - store: A store in which a name that is no file is looked up: the spec's file of its runs is then loaded.
    func load(adding more: [String] = [], ofRunsIn store: RunStore? = nil) throws -> LoadedSpec {
        let file = try store.flatMap { try specFile(ofRunsIn: $0) } ?? Library.file(of: spec)
        let loaded = try Library.loader.load(file, overrides: overrides + more, profile: profile)
        for warning in loaded.warnings { printError(warning.description) }
        try NetworkCheck().check(loaded)
        return loaded
    }
}

extension SpecOptions {
    /// The device that a spec names; nil also where it cannot be read: rank 0 reports the error.
    var device: String? {
        guard let loaded = try? Library.loader.load(Library.file(of: spec), overrides: overrides, profile: profile)
        else { return nil }
        return try? device(of: loaded)
    }

    /// The one device of a spec's runs.
    func device(of loaded: LoadedSpec) throws -> String? {
        let named = Set(loaded.runs.map(\.spec.device))
        guard named.count < 2 else {
            let list = named.map { $0 ?? "none" }.sorted().joined(separator: ", ")
            throw ValidationError(
                "the runs of '\(spec)' name several devices (\(list)); a command has one: give --device")
        }
        return named.first ?? nil
    }

    private func specFile(ofRunsIn store: RunStore) throws -> String? {
        guard !FileManager.default.fileExists(atPath: spec), !spec.hasSuffix(".yaml"), !spec.hasSuffix(".yml"),
            Library.spec(spec) == nil
        else { return nil }
        let files = Set(try store.runs(called: spec).compactMap { try store.spec(of: $0.id).file })
        guard files.count == 1 else {
            throw ValidationError(
                "'\(spec)' is no file, and its runs are of several specs: \(files.sorted().joined(separator: ", "))")
        }
        return files.first
    }
}

/// The folder of the corpora.
struct CorpusOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of the corpora; SGMSE_CORPORA, or corpora beside the store, if not given.", valueName: "folder"))
    private var corpora: String?

    var folder: String? { corpora ?? ProcessInfo.processInfo.environment["SGMSE_CORPORA"] }
}

/// How many threads work, with which instructions, and how far they yield to other programs.
struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads; SGMSE_THREADS, or all cores, if not given.", valueName: "count"), in: bounds)
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            """
            Vector instructions: baseline, avx2 or avx512; SGMSE_INSTRUCTION_SET, or the best there are, if not given.
            """,
            valueName: "set"))
    var instructionSet: InstructionSet?

    @Option(
        help: ArgumentHelp(
            """
            How far to yield to other programs, in processor time and disk access: 0 not, 19 wholly; SGMSE_NICE, or 0, \
            if not given.
            """,
            valueName: "level"), in: levels)
    var nice: Int?

    private static let bounds = 1...1024
    private static let levels = 0...19

    func validate() throws {
        if let set = try wantedSet(), !Engine.use(set) {
            throw ValidationError("this processor has no \(set.rawValue) instructions")
        }
        _ = try Self.bounds.number(threads, or: "SGMSE_THREADS")
        _ = try Self.levels.number(nice, or: "SGMSE_NICE")
    }

    private func wantedSet() throws -> InstructionSet? {
        guard instructionSet == nil, let text = ProcessInfo.processInfo.environment["SGMSE_INSTRUCTION_SET"],
            !text.isEmpty
        else {
            return instructionSet
        }
        guard let set = InstructionSet(rawValue: text) else {
            let known = InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("SGMSE_INSTRUCTION_SET is '\(text)'; known: \(known)")
        }
        return set
    }

    /// Call before any thread or worker is started: each inherits the level of the one that starts it.
    func apply() throws {
        if let wanted = try Self.bounds.number(threads, or: "SGMSE_THREADS") { Engine.threads = wanted }
        if let level = try Self.levels.number(nice, or: "SGMSE_NICE"), level > 0 { Engine.yield(to: level) }
    }
}

/// How many files are sampled in one batch.
struct SamplingBatchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Files of like length to sample in one batch, for a device; SGMSE_BATCH_FILES, or 1, if not given.",
            valueName: "count"), in: bounds)
    var batchFiles: Int?

    private static let bounds = 1...1024

    func validate() throws { _ = try wanted() }

    private func wanted() throws -> Int? { try Self.bounds.number(batchFiles, or: "SGMSE_BATCH_FILES") }

    func apply() throws {
        if let files = try wanted() { SamplingBatch.use(files) }
    }

    /// The option for another process.
    func arguments() throws -> [String] { try wanted().map { ["--batch-files", String($0)] } ?? [] }
}

extension ClosedRange<Int> {
    /// The value of an option, or else of a variable of the environment.
    fileprivate func number(_ option: Int?, or variable: String) throws -> Int? {
        guard option == nil, let text = environmentVariable(variable), !text.isEmpty else { return option }
        do { return try number(text) } catch { throw ValidationError("\(variable) is '\(text)'; \(error)") }
    }
}

/// The value of a variable of the process's environment, for paths in specs.
@Sendable func environmentVariable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
