import ArgumentParser
import Runs

/// `sgmse backup`: a copy of the store as it stands.
struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the store into one file, while others may read and write it.",
        discussion: "The copy appears under its name when it is whole. Checkpoints and audio are not part of it.")

    @Argument(help: "The file to write; one that is there is replaced.")
    var file: String

    @OptionGroup var store: StoreOptions

    func run() throws {
        try store.open().backup(to: file)
        printError("the store is copied to \(file)")
    }
}
