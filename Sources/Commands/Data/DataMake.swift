import ArgumentParser
import CorpusRecipes
import Foundation
import JSONValues
import Parallelism
import Reports

/// `sgmse data make`: a corpus from a recipe.
struct DataMake: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make", abstract: "Make a corpus from a recipe.",
        discussion: """
            Recordings are read from folders that you give: --from voicebank=/data/vb. The corpus is made in TO.part \
            and renamed when it is whole; Ctrl-C keeps what was made, and the same command goes on from there. The \
            bytes do not depend on the number of threads. Each set gets a manifest.csv: source files, speaker, noise \
            type, SNR asked and measured, gains, seed, and a hash of the content. Exits 3 where a source is missing or \
            bad, or has fewer files than the published corpus.
            """)

    @Argument(help: "A recipe's name, or a YAML file.")
    var recipe: String

    @Option(
        name: .customLong("from"),
        help: ArgumentHelp("The folder of a source; may be repeated.", valueName: "name=folder"))
    var sources: [String] = []

    @Option(
        name: .customLong("to"),
        help: "Folder of the corpus; one of the recipe's name in the corpora's folder, if not given.")
    var target: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Overrides a setting, as rate=48000 or law.levels=[0,5]; may be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Flag(help: "Leave out recordings that cannot be read, and count them.")
    var skipBad = false

    @Flag(help: "Make a corpus of what is there although a source has not all files of the published one.")
    var partial = false

    @Flag(help: "Print a JSON document.")
    var json = false

    @OptionGroup var corpora: CorpusOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var threads: ThreadOptions

    func run() throws {
        try threads.apply()
        let recipe = try RecipeLoader(environment: environmentVariable).load(recipe, overrides: overrides)
        let folders = try SourceFolders(recipe, given: try Self.folders(sources, of: recipe))
        let maker = try RecipeMaker(recipe, sources: folders, skipsBad: skipBad)
        for remark in maker.remarks { printError("warning: \(remark)") }
        for lack in maker.incomplete {
            let advice =
                partial
                ? "the corpus is not the published one"
                : "add them, or give --partial to make a corpus of what is there"
            printError("\(partial ? "warning" : "error"): \(lack); \(advice)")
        }
        guard partial || maker.incomplete.isEmpty else { throw ExitCode(3) }
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        let progress = CountPrinter("recordings", of: maker.count)
        defer {
            progress.finish()
            signals.stop()
        }
        let path = target ?? "\(corpora.folder ?? store.corporaFolder)/\(recipe.name)"
        let outcome = try maker.make(at: path, interruption: interruption, observe: progress.show)
        progress.finish()
        try report(outcome, path)
    }

    private func report(_ outcome: RecipeMaker.Outcome, _ path: String) throws {
        let record = outcome.record
        if json {
            return try emit(
                .object([
                    .init("folder", .string(path)), .init("unchanged", .bool(outcome.isUnchanged)),
                    .init("resumed", .integer(outcome.resumed)),
                    .init("record", record.document),
                ]))
        }
        if outcome.resumed > 0 { printError("note: \(outcome.resumed) recordings were finished before") }
        for skipped in record.skipped { printError("warning: left out: \(skipped)") }
        if record.clippedSamples > 0 {
            printError(
                """
                warning: \(record.clippedSamples) samples of \(record.clippedFiles) pairs saturated; see the column \
                'clipped' of the manifests
                """
            )
        }
        let sets = record.pairs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        try emit(
            """
            \(record.recipe): \(outcome.isUnchanged ? "is in" : "made in") \(path): \(sets) pairs; content \
            \(record.content)
            """
        )
    }

    /// Folders by source.
    private static func folders(_ options: [String], of recipe: Recipe) throws -> [String: String] {
        var folders: [String: String] = [:]
        let names = recipe.sources.map(\.name)
        for option in options {
            guard let equals = option.firstIndex(of: "="), equals != option.startIndex else {
                throw ValidationError(
                    """
                    --from \(option): a source is given as NAME=FOLDER, with NAME one of \
                    \(names.joined(separator: ", "))
                    """
                )
            }
            let name = String(option[..<equals])
            guard names.contains(name) else {
                let known = names.isEmpty ? "it needs none" : "its sources are \(names.joined(separator: ", "))"
                throw ValidationError("--from \(option): the recipe '\(recipe.name)' has no source '\(name)'; \(known)")
            }
            folders[name] = String(option[option.index(after: equals)...])
        }
        return folders
    }
}

extension StoreOptions {
    /// The folder of the corpora where none is named: beside the store.
    var corporaFolder: String {
        let folder = (path as NSString).deletingLastPathComponent
        return (folder.isEmpty ? "." : folder) + "/corpora"
    }
}

extension RecipeRecord {
    /// The record as JSON.
    var document: Reports.JSON {
        [
            "recipe": .string(recipe), "version": .integer(version), "declaration": .string(declaration),
            "sources": .array(
                sources.map { source -> Reports.JSON in
                    [
                        "name": .string(source.name), "folder": .string(source.folder), "files": .integer(source.files),
                        "digest": .string(source.digest),
                    ]
                }),
            "pairs": .object(pairs.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) }),
            "content": .string(content),
            "clipped_samples": .integer(clippedSamples), "clipped_pairs": .integer(clippedFiles),
            "skipped": .array(skipped.map(Reports.JSON.string)),
            "incomplete": .array(incomplete.map(Reports.JSON.string)),
        ]
    }
}
