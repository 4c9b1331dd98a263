import ArgumentParser

/// `sgmse import`: what others wrote, in this program's form.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn what others wrote into this program's form.", subcommands: [ImportCommandLine.self])
}
