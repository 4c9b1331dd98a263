import ArgumentParser
import Reports
import Runs

/// `sgmse rename`: another name for a run.
struct Rename: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a run another name; its folder is renamed too, and the former name still finds it.",
        discussion: "A run that a process works on is refused.")

    @Argument(help: "A run's name or id.")
    var subject: String

    @Argument(help: "The new name.")
    var name: String

    @OptionGroup var store: StoreOptions

    @Flag(help: "Say what would be renamed, and rename nothing.")
    var dryRun = false

    func run() throws {
        let store = try store.open(dryRun ? .readOnly : .readWrite)
        let run = try store.run(named: subject)
        if !dryRun { try store.changeName(of: run, to: name) }
        let folder = Run.folder(name: name, shortID: run.shortID)
        let verb = dryRun ? "would be" : "is"
        try emit("\(run.name) \(verb) \(name); folder \(run.folder) \(verb) \(folder)")
    }
}
