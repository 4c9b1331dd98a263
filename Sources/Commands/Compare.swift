import ArgumentParser
import Experiments
import Kernels
import Models
import Reports
import Runs
import SpeechMetrics

/// `sgmse compare`: runs and anchors in one table.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare runs and anchors in a table: rows of system × N, columns of set × metric, mean ± std (n).",
        discussion: """
            Rows and columns take any factors: \(ComparisonFactor.names.joined(separator: ", ")), and every path of a \
            spec, such as train.lr. Whatever the columns do not distinguish is a row of its own. --baseline and \
            --pairs add differences on the same files, with intervals over speakers, p values corrected over the \
            table, and what is lacking where the answer is "cannot tell".

            Exits 3 with --check if a row is worse than the noisy input, in a metric for which that input is a floor: \
            SI-SAR is none, as the noisy input has no artifacts by definition.
            """)

    @Argument(help: "Names or ids of runs, or of specs whose runs are meant; all runs if none is given.")
    var runs: [String] = []

    @OptionGroup var store: StoreOptions

    @Option(name: .customLong("where"), help: RunSelection.help)
    var condition: String?

    @OptionGroup(title: "What is shown") var shape: ShapeOptions

    @OptionGroup(title: "Differences") var contrast: ContrastOptions

    @Option(help: "table, markdown, csv, json, latex or html.")
    var format: TableFormat = .terminal

    @Option(help: "The caption of a LaTeX table.")
    var caption: String?

    @Option(help: "The label of a LaTeX table.")
    var label: String?

    @Flag(help: "One mean a line, with a column for each factor, as --format csv or json.")
    var tidy = false

    @Flag(help: "One score of one file a line; implies --tidy.")
    var perFile = false

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "Exit 3 if a row is worse than the noisy input.")
    var check = false

    func run() throws {
        let store = try store.open()
        let selected = try RunSelection(runs, where: condition).runs(in: store).map(\.id)
        let report = try ComparisonReport(of: selected, in: store, options: try options(store))
        let format = json ? .json : format
        if tidy || perFile {
            try emit(report.tidy(perFile: perFile), as: format == .terminal ? .csv : format)
        } else if format == .json {
            try emit(report.json)
        } else {
            var table = report.table
            (table.caption, table.label) = (caption, label)
            let tables = [table] + (report.differences.map { [$0] } ?? [])
            if format == .html {
                try emitData(Table.htmlPage(of: tables))
            } else {
                for (place, table) in tables.enumerated() {
                    if place > 0 { try emit("") }
                    try emit(table, as: format)
                }
            }
        }
        let instructions = try store.instructionSets(ofEvaluationsOf: selected)
        if instructions.count > 1 {
            let named = instructions.joined(separator: ", ")
            let kind =
                instructions.allSatisfy { InstructionSet(rawValue: $0) != nil }
                ? "with different vector instructions" : "by different devices"
            printError("note: rows were computed \(kind) (\(named)); their last digits differ")
        }
        if check, !report.shortfalls.isEmpty { throw ExitCode(3) }
    }

    private func options(_ store: RunStore) throws -> ComparisonReport.Options {
        let catalog = Catalog.standard.metrics
        let metrics = try catalog.names + store.metrics().map(\.name)
        try ValidationError.check(
            shape.sets, "test set", among: try store.testSets().map(\.name), none: "the store has none yet")
        try ValidationError.check(
            shape.metrics + [shape.sort].compactMap(\.self), "metric", among: metrics, none: "the store has none yet")
        try ValidationError.check(
            shape.rows + shape.columns, "factor", among: try ComparisonFactor.names + store.settingPaths())
        var options = ComparisonReport.Options(
            sets: shape.sets.isEmpty ? nil : Set(shape.sets), metrics: shape.metrics.isEmpty ? nil : Set(shape.metrics),
            steps: shape.N.isEmpty ? nil : Set(shape.N), sort: shape.sort, precision: shape.precision,
            showsCounts: !shape.noN,
            showsIntervals: shape.interval, onlyDiffering: shape.onlyDiffering, overSeeds: shape.over != nil,
            ignoresSpeakers: contrast.cluster == .file,
            baseline: try contrast.baseline.map { try store.run(named: $0).id },
            allPairs: contrast.pairs, unfloored: catalog.unfloored)
        options.columns = (shape.columns.isEmpty ? options.columns : shape.columns).filter { !shape.rows.contains($0) }
        options.rows = (shape.rows.isEmpty ? options.rows : shape.rows).filter {
            !shape.columns.contains($0) || shape.rows.contains($0)
        }
        return options
    }
}

/// Which factors are rows and columns, and how the numbers are printed.
struct ShapeOptions: ParsableArguments {
    enum Averaged: String, ExpressibleByArgument { case seed, seeds }

    @Option(
        parsing: .upToNextOption,
        help: "The factors that rows show in columns of their own: system N, if none is given.")
    var rows: [String] = []

    @Option(parsing: .upToNextOption, help: "The factors of columns: set metric, if none is given.")
    var columns: [String] = []

    @Option(parsing: .upToNextOption, help: "Only these test sets.")
    var sets: [String] = []

    @Option(name: .customLong("N"), parsing: .upToNextOption, help: "Only these numbers of reverse steps.")
    var N: [Int] = []

    @Option(parsing: .upToNextOption, help: "Only these metrics.")
    var metrics: [String] = []

    @Option(
        help: ArgumentHelp(
            "Takes the seeds of one training together: the mean of their means ± the spread between them.",
            valueName: "seed"))
    var over: Averaged?

    @Option(help: ArgumentHelp("Sorts rows by the first column of this metric, the best first.", valueName: "metric"))
    var sort: String?

    @Option(help: "Decimals of the numbers; those of papers if not given.", in: 0...12)
    var precision: Int?

    @Flag(name: .customLong("no-n"), help: "Leaves out the numbers of files.")
    var noN = false

    @Flag(help: "Leaves out columns in which all systems agree.")
    var onlyDiffering = false

    @Flag(help: "The mean's 95 % interval instead of the spread: over speakers or files, or over seeds.")
    var interval = false

    func validate() throws {
        if let wrong = N.first(where: { $0 < 1 }) { throw ValidationError("--N \(wrong): at least one step is needed") }
        for name in Set(rows).intersection(columns).sorted() {
            throw ValidationError("'\(name)' is asked for in rows and in columns; name it once")
        }
    }
}

/// Which differences are shown, and what their files have in common.
struct ContrastOptions: ParsableArguments {
    enum Cluster: String, ExpressibleByArgument { case speaker, file }

    @Option(help: ArgumentHelp("Differences from this run on the same files.", valueName: "run"))
    var baseline: String?

    @Flag(help: "Differences between all systems of equal N.")
    var pairs = false

    @Option(help: "What is drawn for intervals and tests: whole speakers where they are known, or single files.")
    var cluster: Cluster = .speaker

    func validate() throws {
        if pairs, baseline != nil { throw ValidationError("--pairs and --baseline exclude each other; give one") }
    }
}
