import ArgumentParser
import JSONValues
import Reports
import Runs

/// `sgmse tag`: words to find runs by.
struct Tag: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a run tags, or take them from it; sgmse ls --where tag=WORD finds it.")

    @Argument(help: "A run's name or id.")
    var subject: String

    @Argument(help: "Tags; none shows those it has.")
    var tags: [String] = []

    @OptionGroup var store: StoreOptions

    @Flag(help: "Take the tags from the run.")
    var remove = false

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        let store = try store.open(tags.isEmpty ? .readOnly : .readWrite)
        let run = try store.run(named: subject)
        for tag in tags {
            if remove { try store.remove(tag: tag, from: run.id) } else { try store.add(tag: tag, to: run.id) }
        }
        let kept = try store.runs([run.id])[0].tags
        if json { return try emit(["id": .string(run.shortID), "tags": .array(kept.map(JSON.string))]) }
        for tag in kept { try emit(tag) }
    }
}
