import Foundation
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// A closed store carries a checksum of each of its pages: a flipped bit is found, wherever it is.
@Suite struct PageChecksumsTests {
    let scratch: TestFolder

    init() throws { scratch = try TestFolder() }

    private func fill() throws {
        let store = try RunStore(at: scratch.store)
        _ = try store.fill(runs: 4, scoresPerRun: 100)
        let run = try store.runs()[0]
        let steps = (1...50).map {
            StepRecord(step: $0, loss: 1, terms: ["mse": 1], gradientNorm: 1, learningRate: 1, seconds: 1)
        }
        try store.record(TrainingBatch(steps: steps), of: run.id)
        try store.close()
    }

    private func doctor(_ path: String? = nil) -> DoctorReport {
        DoctorReport(storeAt: path ?? scratch.store, journal: .wal, isThorough: true)
    }

    /// At least 99 % of 200 flips (of 2000 with `SGMSE_SOAK`), in a copy of the file alone.
    @Test func aFlippedBitIsFoundAnywhereInTheFile() throws {
        try fill()
        #expect(!doctor().hasProblem)
        let whole = try Data(contentsOf: URL(fileURLWithPath: scratch.store))
        let copy = scratch.path + "/copy/store.sqlite"
        try FileManager.default.createDirectory(atPath: scratch.path + "/copy", withIntermediateDirectories: true)
        let count = ProcessInfo.processInfo.environment["SGMSE_SOAK"] == nil ? 200 : 2000
        var missed: [Int] = []
        for _ in 0..<count {
            for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/copy") {
                try FileManager.default.removeItem(atPath: scratch.path + "/copy/" + name)
            }
            var bytes = whole
            let place = Int.random(in: 0..<8 * whole.count)
            bytes[place / 8] ^= 1 << UInt8(place % 8)
            try bytes.write(to: URL(fileURLWithPath: copy))
            if !doctor(copy).hasProblem { missed.append(place / 8) }
        }
        #expect(missed.count * 100 <= count, "not found at bytes \(missed) of \(whole.count)")
    }

    /// A store that goes on being written has no checksums that say otherwise, and has them again when it is closed.
    @Test func aSealFollowsEveryChange() throws {
        try fill()
        for round in 0..<5 {
            let store = try RunStore(at: scratch.store)
            let extra = try (0..<40).map { try store.register(Sample.run("r\(round)-\($0)")) }
            try store.setNotes("changed", of: extra[0].id)
            try store.close()
            let report = doctor()
            #expect(!report.hasProblem, "\(report.findings.filter { $0.verdict == .problem })")
            #expect(report.findings.contains { $0.subject == "pages" && $0.text.hasPrefix("all ") })
        }
        let store = try RunStore(at: scratch.store)
        #expect(try store.runs().count == 204 && store.integrityProblems().isEmpty)
        try store.backup(to: scratch.path + "/copy.sqlite")
        try store.close()
        #expect(
            doctor(scratch.path + "/copy.sqlite").findings.contains {
                $0.subject == "pages" && $0.text.hasPrefix("all ")
            })
    }

    /// Stores that another way of writing, or an older version, left behind.
    @Test func aStoreWithoutChecksumsIsNotDoubted() throws {
        try fill()
        for journal in [RunStore.Journal.rollback, .wal] {
            let store = try RunStore(at: scratch.store, journal: journal)
            for number in 0..<30 { _ = try store.register(Sample.run("\(journal)\(number)")) }
            try store.close()
            #expect(!doctor().hasProblem, "\(doctor().findings.filter { $0.verdict == .problem })")
        }
        let copy = try RunStore(at: scratch.store)
        #expect(try copy.integrityProblems().isEmpty && copy.runs().count == 64)
    }
}
