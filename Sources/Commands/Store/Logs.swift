import ArgumentParser
import Foundation
import Runs

/// `sgmse logs`: what happened to a run.
struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the log of a run; --follow goes on while a process works on it.")

    @Argument(help: "A run's name or id.")
    var subject: String

    @OptionGroup var store: StoreOptions

    @Flag(help: "Go on showing new lines until no process works on the run.")
    var follow = false

    @Option(help: "Only so many of the last lines.")
    var last: Int?

    func run() throws {
        let store = try store.open()
        let run = try store.run(named: subject)
        let path = "\(store.folder)/\(run.folder)/logs/run.log"
        guard FileManager.default.fileExists(atPath: path) else {
            for event in try store.events(of: run.id) { print("\(event.time.formatted(.iso8601)) \(event.kind) \(event.message)") }
            return
        }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        if let last {
            print(text.split(separator: "\n").suffix(max(0, last)).joined(separator: "\n"))
        } else {
            print(text, terminator: "")
        }
        while follow {
            let isOver = try !store.isWorkedOn(run)
            let more = try file.readToEnd() ?? Data()
            if !more.isEmpty { FileHandle.standardOutput.write(more) }
            if isOver { return }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }
}
