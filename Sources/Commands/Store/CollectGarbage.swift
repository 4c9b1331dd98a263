import ArgumentParser
import Reports
import Runs

/// `sgmse gc`: files that nothing needs.
struct CollectGarbage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "List the files beside the store that nothing needs; delete them with --delete.",
        discussion: """
            Checkpoints and audio that no row of the store names, files of runs the store does not know, and what \
            interrupted writes left over an hour ago. Nothing of a run at work is touched, and no log.
            """)

    @OptionGroup var store: StoreOptions

    @Flag(help: "Delete them.")
    var delete = false

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        let store = try store.open(delete ? .readWrite : .readOnly)
        let garbage = try store.garbage()
        let bytes = garbage.reduce(0) { $0 + $1.bytes }
        if json {
            let files = garbage.map { file -> JSON in
                ["path": .string(file.path), "bytes": .integer(file.bytes), "reason": .string(file.reason.rawValue)]
            }
            try emit(.array(files))
        } else {
            for file in garbage { try emit("\(file.path)  \(file.bytes) bytes  \(file.reason.rawValue)") }
        }
        guard delete else {
            return printError("\(garbage.count) files, \(bytes) bytes; --delete deletes them")
        }
        printError("\(garbage.count) files deleted, \(try store.delete(garbage)) bytes free")
    }
}
