import ArgumentParser
import JSONValues
import Reports
import Runs

/// `sgmse note`: what a person has to say of a run.
struct Note: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a note to a run in place of the former one, or show it.")

    @Argument(help: "A run's name or id.")
    var subject: String

    @Argument(help: "The note; \"\" removes it, and none shows it.")
    var text: String?

    @OptionGroup var store: StoreOptions

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        let store = try store.open(text == nil ? .readOnly : .readWrite)
        let run = try store.run(named: subject)
        if let text { try store.setNotes(text, of: run.id) }
        let note = text ?? run.notes
        if json { return try emit(["id": .string(run.shortID), "note": .string(note)]) }
        try emit(note)
    }
}
