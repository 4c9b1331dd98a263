import ArgumentParser

/// `sgmse export`: this program's data in other forms.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what this program knows in other forms.", subcommands: [ExportCommandLine.self])
}
