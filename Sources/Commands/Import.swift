import ArgumentParser

/// `sgmse import`: what was made elsewhere, in this program's form.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take over what was made elsewhere.", subcommands: [ImportRuns.self, ImportCommandLine.self])
}
