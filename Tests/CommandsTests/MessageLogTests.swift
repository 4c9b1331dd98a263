import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// `SGMSE_LOG`: what a command says besides its messages, and how much detail the logs of runs have.
@Suite struct MessageLogTests {
    private func run(_ level: String?, _ arguments: [String], in scratch: TestFolder) throws -> Program.End {
        try Program(arguments, in: scratch.path, environment: level.map { ["SGMSE_LOG": $0] } ?? [:]).wait()
    }

    private func runLog(_ scratch: TestFolder) throws -> [Substring] {
        let file = try #require(scratch.files("run.log").first)
        return String(decoding: try #require(scratch.data(file)), as: UTF8.self).split(separator: "\n")
    }

    @Test func debugTellsStepsAndFilesAndChangesNoResult() throws {
        let (plain, detailed) = (try TestFolder(), try TestFolder())
        let first = try run(nil, ["run", plain.spec(tinySpec), "--no-table"], in: plain)
        let second = try run("debug", ["run", detailed.spec(tinySpec), "--no-table"], in: detailed)
        #expect(first.code == 0 && second.code == 0, "\(second.error)")
        let entry = /(?m)^\S+Z debug sgmse\.store: opened .*store\.sqlite/
        #expect(
            first.error.firstMatch(of: entry) == nil && second.error.firstMatch(of: entry) != nil, "\(second.error)")
        #expect(second.error.contains("debug sgmse.experiment: claimed train tiny"))
        let (few, many) = (try runLog(plain), try runLog(detailed))
        #expect(!few.contains { $0.contains(" debug: ") })
        #expect(
            (2..<6).allSatisfy { step in many.contains { $0.contains(" debug: step \(step) of 6: loss ") } }, "\(many)")
        // Without the details, of which some appear as time goes by, both tell the same.
        func told(_ lines: [Substring]) -> [String] {
            let events = lines.filter { !$0.contains(/step \d+ of|\d of \d+ files/) }
            return events.map { String($0.drop { $0 != " " }).replacing(/\/\S*/, with: "") }
        }
        #expect(told(few) == told(many))
        #expect(try ResultText(of: plain.store).text == ResultText(of: detailed.store).text)
    }

    @Test func anUnknownLevelIsAMistakeOfTheUser() throws {
        let scratch = try TestFolder()
        let end = try run("loud", ["registry"], in: scratch)
        #expect(end.code == 2 && end.error.contains("SGMSE_LOG is 'loud'; known: trace, debug, info"), "\(end)")
    }

    /// Levels above `info` leave the run's log as it is.
    @Test func aHighLevelKeepsTheRunsLog() throws {
        let scratch = try TestFolder()
        #expect(try run("error", ["run", scratch.spec(tinySpec), "--no-table"], in: scratch).code == 0)
        #expect(try runLog(scratch).contains { $0.contains("done: train tiny") })
    }
}
