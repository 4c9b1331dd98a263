import ArgumentParser
import Reports

/// `sgmse export jsonl`.
struct ExportJSONLines: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jsonl",
        abstract: "Write the history of runs as one JSON object a line: events, steps, validations, evaluations.")

    @OptionGroup var options: HistoryExportOptions

    func run() throws { try options.export(as: .jsonl) }
}
