import ArgumentParser
import Imports
import Models
import Runs
import SpeechMetrics
import Training

/// `sgmse import scores`: scores that another program computed.
struct ImportScores: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scores",
        abstract: "Take over a table of scores of another system: a row for each file of a test set.",
        discussion: """
            Takes the reference's _results.csv (filename, pesq, estoi, si_sdr, ...) as it is, and any other table by \
            --map and --file-column. The scores are marked as imported, with a signature of their own, so that no \
            table sets them beside ours in one column unless they carry our signature (as the _results.csv of sgmse \
            metrics does) or --signature says so.
            """)

    @Argument(help: "The table: comma-separated values with a heading.")
    var file: String

    @OptionGroup var external: ExternalOptions
    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("A column and the metric that it holds; may be repeated.", valueName: "column=metric"))
    var map: [String] = []

    @Option(
        help: ArgumentHelp(
            "The column with the files' names; filename, file or name, if not given.", valueName: "column"))
    var fileColumn: String?

    @Option(
        help: ArgumentHelp(
            "The signature of a metric that is known to be computed as here; may be repeated.",
            valueName: "metric=signature"))
    var signature: [String] = []

    func run() throws {
        let mapping = ScoresFile.Mapping(
            file: fileColumn, metrics: try Self.pairs(map, "--map"),
            signatures: try Self.pairs(signature, "--signature"))
        let catalog = MetricCatalog.standard
        let table = try ScoresFile(file, as: mapping, catalog: catalog)
        for column in table.ignored {
            printError("note: column '\(column)' is called like no metric, and was left out")
        }
        let system = try external.external()
        let store = try store.open(.readWrite)
        let (set, files) = try external.testSet(in: store)
        let workspace = Workspace(store: store, commandLine: CommandLine.arguments)
        let evaluation = try table.record(
            as: system, on: set, files: files, catalog: catalog, in: store, provenance: workspace.provenance)
        printError(
            evaluation == nil
                ? "\(system.name): the same table was imported before; nothing to do"
                : "\(system.name): scores of \(files.count) files of '\(set.name)' imported")
        try store.close()
    }

    private static func pairs(_ texts: [String], _ option: String) throws -> [String: String] {
        try texts.reduce(into: [:]) { pairs, text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw ValidationError("\(option) \(text): two names with '=' between them are needed")
            }
            guard pairs[parts[0]] == nil else {
                throw ValidationError("\(option) \(text): '\(parts[0])' is given twice")
            }
            pairs[parts[0]] = parts[1]
        }
    }
}
