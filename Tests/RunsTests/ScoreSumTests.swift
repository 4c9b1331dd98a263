import Foundation
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// A score that changed since its evaluation ended is shown as such everywhere.
@Suite struct ScoreSumTests {
    let scratch: TestFolder
    let store: RunStore
    let run: Run

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
        run = try store.register(Sample.run())
        let (set, metric) = (try Sample.set(files: 3, in: store), try Sample.siSDR(in: store))
        try Sample.evaluation(
            of: .run(run.id, checkpoint: nil), on: set, at: EvaluationPoint(steps: 30), metric, [1, .infinity, nil],
            in: store)
    }

    @Test func soundScoresAreNotDoubted() throws {
        #expect(try store.scoreProblems() == ([], 0))
        let report = DoctorReport(storeAt: store.path, journal: .wal, isThorough: true)
        #expect(report.findings.contains { $0.subject == "scores" && $0.text == "every checksum matches" })
        #expect(try ComparisonReport(of: [run.id], in: store).table.notes.allSatisfy { !$0.contains("checksum") })
    }

    @Test(arguments: [
        "UPDATE score SET value = 1.0000000000000002 WHERE value = 1",
        "UPDATE score SET value = -9e999 WHERE value = 9e999",
        "UPDATE score SET value = 3, reason = NULL WHERE value IS NULL", "DELETE FROM score WHERE value = 1",
        "DELETE FROM score",
    ])
    func aChangedScoreIsNamed(change: String) throws {
        try store.execute(change)
        let (problems, unknown) = try store.scoreProblems()
        #expect(problems.count == 1 && unknown == 0)
        #expect(DoctorReport(storeAt: store.path, journal: .wal, isThorough: true).hasProblem)
        let other = try RunStore(at: scratch.path + "/other/store.sqlite")
        let error = #expect(throws: StoreError.self) { try other.importRuns(from: store.path) }
        #expect(error?.kind == .corrupt)
        guard change != "DELETE FROM score" else { return }
        #expect(
            try ComparisonReport(of: [run.id], in: store).table.notes.contains {
                $0.contains("si_sdr do not match their checksum")
            })
        #expect(try RunReport(of: run, in: store).text.contains("does not match its checksum"))
    }

    /// Scores that come later, here or with an import, are covered too; an evaluation of an earlier version stays
    /// valid.
    @Test func checksumsFollowTheScores() throws {
        let metric = try store.register(metric: "pesq", signature: "pesq|wb", unit: "MOS", higherIsBetter: true)
        let evaluation = try #require(try store.evaluations(of: run.id).first)
        let files = try store.files(of: evaluation.testSet)
        try store.record(
            scores: files.map { Score(file: $0.id!, metric: metric.id, outcome: .value(2)) }, of: evaluation.id)
        #expect(try store.scoreProblems() == ([], 0))
        let other = try RunStore(at: scratch.path + "/other/store.sqlite")
        try other.importRuns(from: store.path)
        #expect(try other.scoreProblems() == ([], 0))
        try other.execute("UPDATE score SET value = 4 WHERE value = 2")
        #expect(try other.scoreProblems().problems.count == 1)
        try store.execute("DELETE FROM scoreSum")
        #expect(try store.scoreProblems() == ([], 1))
        #expect(try !DoctorReport(storeAt: store.path, journal: .wal, isThorough: true).hasProblem)
    }
}
