import ArgumentParser
import JSONValues
import Reports
import Runs

/// `sgmse gc`: files that nothing needs.
struct CollectGarbage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "List the files beside the store that no row needs; --delete deletes those that the store had made.",
        discussion: """
            Deleted are checkpoints and audio that this store had made and no row names any more, and what interrupted \
            writes of sgmse left over an hour ago (.sgmse-part-…). What the store did not record as made is listed as \
            such and left alone. Nothing of a run at work is touched, and no log; symbolic links are not followed.
            """)

    @OptionGroup var store: StoreOptions

    @Flag(help: "Delete them.")
    var delete = false

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        let store = try store.open(delete ? .readWrite : .readOnly)
        let garbage = try store.garbage()
        let removable = garbage.filter(\.isRemovable)
        let bytes = removable.reduce(0) { $0 + $1.bytes }
        let left = garbage.count - removable.count
        let others = left == 0 ? "" : "; \(left) others were not made by this store"
        if json {
            let files = garbage.map { file -> JSON in
                [
                    "path": .string(file.path), "bytes": .integer(file.bytes), "reason": .string(file.reason.rawValue),
                    "removable": .bool(file.isRemovable),
                ]
            }
            try emit(.array(files))
        } else {
            for file in garbage { try emit("\(file.path)  \(file.bytes) bytes  \(file.reason.rawValue)") }
        }
        guard delete else {
            return printError("\(removable.count) files, \(bytes) bytes; --delete deletes them\(others)")
        }
        let freed = try store.delete(garbage)
        printError("\(freed.files) files deleted, \(freed.bytes) bytes free\(others)")
    }
}
