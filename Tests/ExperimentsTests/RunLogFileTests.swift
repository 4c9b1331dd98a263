import Experiments
import Foundation
import Logging
import Progress
import TestFolders
import Testing

@Suite struct RunLogFileTests {
    private let owner: TestFolder
    private var folder: String { owner.path }

    init() throws { owner = try TestFolder() }

    private func lines(_ path: String) throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    /// What readers of the file rely on: the time, a space, the message; only details name their level.
    @Test func aLineIsTheTimeAndTheMessage() throws {
        let path = folder + "/logs/run.log"
        let logger = Logger(label: "run", factory: { _ in RunLogFile(path, logLevel: .debug) })
        logger.info("step 3 of 6: loss 0.1")
        logger.debug("step 4 of 6: loss 0.2")
        logger.trace("nobody asked for this")
        let all = try lines(path)
        #expect(all.count == 2)
        #expect(all[0].wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ step 3 of 6: loss 0\.1/) != nil, "\(all[0])")
        #expect(all[1].hasSuffix("Z debug: step 4 of 6: loss 0.2"))
    }

    /// Whole lines, whoever else writes.
    @Test func processesThatShareALogTearNoLine() throws {
        let path = folder + "/run.log"
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            let logger = Logger(label: "run", factory: { _ in RunLogFile(path) })
            for turn in 0..<100 { logger.info("worker \(worker) turn \(turn) \(String(repeating: "x", count: 200))") }
        }
        let all = try lines(path)
        #expect(all.count == 800)
        let messages = Set(all.map { line in String(line.drop { $0 != " " }) })
        #expect(messages.count == 800)
        let areWhole = messages.allSatisfy { $0.hasSuffix("x") && $0.split(separator: " ").count == 5 }
        #expect(areWhole)
    }

    @Test func aLogThatCannotBeWrittenStopsNobody() {
        Logger(label: "run", factory: { _ in RunLogFile("/proc/nowhere/run.log") }).error("lost")
    }
}
