import Foundation
import Runs
import TestFolders
import Testing

/// Many processes on one store at once.
@Suite struct ManyProcessesTests {
    @Test func sixteenWritersAndFourReadersMeetNoError() throws {
        let scratch = try TestFolder()
        let store = try RunStore(at: scratch.store)
        _ = try store.fill(runs: 20, scoresPerRun: 100)
        let run = try store.runs()[0].shortID
        try store.close()
        let readers = [["ls"], ["ls", "--where", "N=50", "--json"], ["compare"], ["show", run]]
        let all =
            try (0..<16).map { try Program(["tag", run, "t\($0)"], in: scratch.path) }
            + readers.map { try Program($0, in: scratch.path) }
        for program in all {
            let end = program.wait()
            #expect(end.code == 0 && end.error.isEmpty, "\(end.error)")
        }
        let after = try RunStore(at: scratch.store)
        #expect(try after.run(named: run).tags.count == 16)
        #expect(try after.integrityProblems().isEmpty)
        try after.close()
    }

    /// Two commands on one spec at the same moment: together they do what one does, each step once.
    @Test func twoRunsOfOneSpecShareTheWork() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        let ends = try (0..<2).map { _ in try Program(["run", spec, "--no-table"], in: scratch.path) }.map {
            $0.wait()
        }
        #expect(ends.allSatisfy { $0.code == 0 }, "\(ends.map(\.error))")
        let done = ends.compactMap { end -> Int? in
            end.error.split(separator: "\n").first { $0.contains("steps done") }?.split(separator: " ").first.flatMap {
                Int($0)
            }
        }
        #expect(done.count == 2 && done.reduce(0, +) == 7, "\(ends.map(\.error))")
        let store = try RunStore(at: scratch.store)
        let events = try store.events(of: try #require(try store.runs().first).id).map(\.kind)
        #expect(events.count { $0 == "started" } == 1 && !events.contains("resumed"))
        try store.close()
    }
}
