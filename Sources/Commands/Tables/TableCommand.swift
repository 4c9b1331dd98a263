import ArgumentParser
import Foundation
import Models
import Reported
import Reports
import Runs
import SpeechMetrics

/// `sgmse table`: a table of a paper, ours beside what is reported.
struct TableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table",
        abstract: "Print a table of a paper: what it reports, ours, their difference, and what fills the open cells.",
        discussion: """
            Tables are declared in experiments/tables, reported figures stand in experiments/reported: of the working \
            folder, or else of the library that came with the program; --tables and --reported take other folders. \
            Without a name, the tables are listed. --check exits 3 on a stale cell, a row below its anchor, a known \
            value that is missed, or one figure with two values.
            """)

    @Argument(help: "The table's name, or its file.")
    var name: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions

    @Option(help: ArgumentHelp("Folder of the tables.", valueName: "folder"))
    var tables: String?

    @Option(help: ArgumentHelp("Folder of the reported figures.", valueName: "folder"))
    var reported: String?

    @Option(help: "table, markdown, csv, json, latex or html; csv has a line for each cell, at full precision.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "Say where each of our numbers comes from: run, checkpoint, n, signature, spec, commit, command.")
    var provenance = false

    @Flag(help: "Leave the open cells out.")
    var noHoles = false

    @Flag(help: "Run what fills the open cells, one command after the other, then print the table.")
    var fill = false

    @Flag(help: "Exit 3 if something keeps the table from being printed.")
    var check = false

    func run() throws {
        guard let name else { return try list() }
        let declaration = try TableDeclaration(named: name, folder: tablesFolder, files: Library.files)
        let library = try ReportedLibrary(folder: reported ?? Library.folder("reported"), files: Library.files)
        let rows = TableRows(declaration)
        var table = try read(declaration, library, rows)
        if fill {
            try OpenCellRunner(store: store, corpora: corpora).fill(table.openCells)
            table = try read(declaration, library, rows)
        }
        try show(table, rows)
        let problems = table.problems
        for problem in problems { printError("\(check ? "error" : "warning"): \(problem)") }
        if check, !problems.isEmpty { throw ExitCode(3) }
    }

    private var tablesFolder: String { tables ?? Library.folder("tables") }

    private func read(_ declaration: TableDeclaration, _ library: ReportedLibrary, _ rows: TableRows) throws
        -> PaperTable
    {
        let known = FileManager.default.fileExists(atPath: store.path) ? try store.open() : nil
        let catalog = Catalog.standard.metrics
        let metrics = PaperTable.Metrics(unfloored: catalog.unfloored) { name, rate in
            catalog[name]?.signature(ofAudioAt: rate)
        }
        return try PaperTable(declaration, reporting: library, from: known, sources: rows.sources, metrics: metrics)
    }

    private func show(_ table: PaperTable, _ rows: TableRows) throws {
        if json || format == .json { return try emit(table.json) }
        if format == .html {
            return try emitData(Table.htmlPage(of: [table.table] + (provenance ? [table.provenance] : [])))
        }
        try emit(format == .csv ? table.tidy : table.table, as: format)
        if provenance {
            if format != .csv { try emit("") }
            try emit(table.provenance, as: format)
        }
        guard !noHoles, format != .csv, format != .latex, !table.openCells.isEmpty else { return }
        let costs = rows.costs(of: Set(table.openCells.map(\.row)), store: store, corpora: corpora)
        try emit("")
        try emit(table.openCellTable(costs: costs), as: format)
    }

    private func list() throws {
        var listing = Table(
            columns: ["table", "title", "rows", "columns"].map { Table.Column($0, alignment: .leading) })
        for table in try TableDeclaration.all(folder: tablesFolder, files: Library.files) {
            listing.rows.append(
                Table.Row([
                    .text(table.name), .text(table.title), .integer(table.rows.count),
                    .text(table.columns.joined(separator: " ")),
                ]))
        }
        if json || format == .json { return try emit(listing.json) }
        try emit(listing, as: format)
    }
}
