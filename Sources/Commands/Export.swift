import ArgumentParser

/// `sgmse export`: this program's data in other forms.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hand over what was made here.",
        subcommands: [ExportRuns.self, ExportTensorBoard.self, ExportCSV.self, ExportJSONLines.self, ExportCommandLine.self])
}
