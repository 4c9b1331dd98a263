import ArgumentParser
import Foundation
import JSONValues
import Reports
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

    @Option(help: "Only so many of the last lines.", in: 0...1_000_000_000)
    var last: Int?

    @Flag(help: "Print a JSON document of times and texts; with --follow, an object on each line.")
    var json = false

    func run() throws {
        let store = try store.open()
        let run = try store.run(named: subject)
        let path = "\(store.folder)/\(run.folder)/logs/run.log"
        guard FileManager.default.fileExists(atPath: path) else {
            let known = try store.events(of: run.id).map { "\($0.time.text) \($0.kind) \($0.message)" }
            return try show(last.map { Array(known.suffix($0)) } ?? known)
        }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        var rest = Data()
        let known = try whole(file, &rest)
        try show(last.map { Array(known.suffix($0)) } ?? known)
        while follow {
            let isOver = try !store.isWorkedOn(run)
            let more = try whole(file, &rest)
            if !more.isEmpty { try show(more) }
            if isOver { return }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }

    /// The whole lines that have come since the last call; `rest` keeps the beginning of the next one.
    private func whole(_ file: FileHandle, _ rest: inout Data) throws -> [String] {
        rest += try file.readToEnd() ?? Data()
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        defer { rest = Data(rest[rest.index(after: end)...]) }
        return String(decoding: rest[..<end], as: UTF8.self).components(separatedBy: "\n")
    }

    private func show(_ lines: [String]) throws {
        let text =
            switch (json, follow) {
            case (false, _): lines.map { $0 + "\n" }.joined()
            case (true, true): lines.map { Self.entry($0).line + "\n" }.joined()
            case (true, false): JSON.array(lines.map(Self.entry)).text
            }
        try json ? emitData(text) : emit(text, terminator: "")
    }

    /// A line of a log begins with its time.
    private static func entry(_ line: String) -> JSON {
        let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return ["time": .null, "text": .string(line)] }
        return ["time": .string(String(parts[0])), "text": .string(String(parts[1]))]
    }
}
