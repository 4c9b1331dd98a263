import ArgumentParser
import Foundation
import Reports
import Runs

/// Runs the commands that fill the open cells of a table, each once, as processes of this program.
struct OpenCellRunner {
    let store: StoreOptions
    let corpora: CorpusOptions

    /// - Throws: `ExitCode` of the first command that was interrupted or met a full disk; others are reported and
    ///   skipped.
    func fill(_ openCells: [PaperTable.OpenCells]) throws {
        var seen: Set<[String]> = []
        for one in openCells {
            guard let command = one.commands.first, command.count > 2, command[1] == "run" else {
                let text = one.commands.map { $0.map(\.shellWord).joined(separator: " ") }.joined(separator: " && ")
                if !text.isEmpty { printError("\(one.label), \(one.set): give by hand: \(text)") }
                continue
            }
            guard seen.insert(command).inserted else { continue }
            printError(command.map(\.shellWord).joined(separator: " "))
            let code = try run(Array(command.dropFirst()))
            if [5, 130].contains(code) { throw ExitCode(code) }
            if code != 0 { printError("warning: that command ended with exit code \(code); its cells stay open") }
        }
    }

    private func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
        process.arguments =
            arguments + ["--no-table", "--store", store.path, "--journal", store.journal.rawValue]
            + (corpora.folder.map { ["--corpora", $0] } ?? [])
        try process.run()
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? 130 : process.terminationStatus
    }
}
