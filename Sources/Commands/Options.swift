import ArgumentParser
import Audio
import Checkpoints
import Corpora
import Experiments
import Foundation
import Imports
import Kernels
import Models
import Reports
import Runs
import Specs

/// Where the store lies.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The store; SGMSE_STORE, or runs/store.sqlite, if not given.", valueName: "file"))
    var store: String?

    @Option(help: ArgumentHelp("How commits reach the disk: wal, or rollback on network file systems.", valueName: "mode"))
    var journal: RunStore.Journal = .wal

    var path: String {
        store ?? ProcessInfo.processInfo.environment["SGMSE_STORE"] ?? "runs/store.sqlite"
    }

    /// Opens the store for reading, or creates it where that is wanted; it is closed at the end of the program.
    func open(_ access: RunStore.Access = .readOnly) throws -> RunStore { try open(path, access) }

    /// Opens another store, under the same rules.
    func open(_ path: String, _ access: RunStore.Access = .readOnly) throws -> RunStore {
        OpenStores.shared.add(try RunStore(at: path, access: access, journal: journal))
    }
}

extension RunStore.Journal: ExpressibleByArgument {}
extension TableFormat: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
}

/// Which spec, and what overlays it.
struct SpecOptions: ParsableArguments {
    @Argument(help: "The experiment, a YAML file.")
    var spec: String

    @Option(name: .customLong("set"), help: ArgumentHelp("Overrides a setting, as train.lr=3e-4; may be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Option(help: "A profile of the spec, such as smoke.")
    var profile: String?

    /// - Parameter more: Overrides that come after those of the person.
    func load(_ catalog: Catalog = .standard, adding more: [String] = []) throws -> LoadedSpec {
        let loaded = try SpecLoader(vocabulary: catalog.vocabulary).load(spec, overrides: overrides + more, profile: profile)
        for warning in loaded.warnings { printError(warning.description) }
        try NetworkCheck().check(loaded)
        return loaded
    }
}

/// Where the corpora lie.
struct CorpusOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Folder of the corpora; SGMSE_CORPORA, or corpora beside the store, if not given.", valueName: "folder"))
    private var corpora: String?

    var folder: String? { corpora ?? ProcessInfo.processInfo.environment["SGMSE_CORPORA"] }
}

/// How many threads work.
struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads; SGMSE_THREADS, or all cores, if not given.", valueName: "count"))
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads \(threads): at least one is needed") }
        guard threads == nil, let text = ProcessInfo.processInfo.environment["SGMSE_THREADS"], !text.isEmpty else { return }
        guard let count = Int(text), count > 0 else { throw ValidationError("SGMSE_THREADS is '\(text)'; it must be a whole number above 0") }
    }

    func apply() {
        if let wanted = threads ?? ProcessInfo.processInfo.environment["SGMSE_THREADS"].flatMap(Int.init) { Engine.threads = wanted }
    }
}

/// Whether an error means that data is not what the protocol says.
func isBadData(_ error: any Error) -> Bool {
    guard !isMachineFailure(error) else { return false }
    return error is CorpusError || error is SoundFileError || error is GateFailure || error is ImportFailure || error is EnhancementInputError
        || CheckpointError.isDamage(error)
}
