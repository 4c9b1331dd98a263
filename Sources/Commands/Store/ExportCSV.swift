import ArgumentParser
import Reports

/// `sgmse export csv`.
struct ExportCSV: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "csv",
        abstract: "Write the history of runs as tables of comma-separated values: steps, validations, evaluations.")

    @OptionGroup var options: HistoryExportOptions

    func run() throws { try options.export(as: .csv) }
}
