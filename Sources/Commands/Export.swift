import ArgumentParser

/// `sgmse export`: this program's data in other forms.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write runs, histories and command lines for other programs.",
        subcommands: [
            ExportRuns.self, ExportTensorBoard.self, ExportCSV.self, ExportJSONLines.self, ExportCommandLine.self,
        ])
}
