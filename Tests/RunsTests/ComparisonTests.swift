import Foundation
import Reports
import Runs
import Testing

@Suite struct ComparisonTests {
    let scratch: Scratch
    let store: RunStore

    init() throws {
        scratch = try Scratch()
        store = try RunStore(at: scratch.store)
    }

    /// Two runs and two anchors on one set of four files at N = 30 and 50.
    private func fill() throws -> [Run] {
        let set = try Sample.set(files: 4, in: store)
        let metric = try Sample.siSDR(in: store)
        try Sample.evaluation(of: .anchor("wiener"), on: set, metric, [2, 3, 4, 5], in: store)
        try Sample.evaluation(of: .anchor("noisy"), on: set, metric, [1, 2, 3, 4], in: store)
        let runs = try ["a", "b"].map { try store.register(Sample.run($0)) }
        let scores: [[Double?]] = [[10, 12, 14, 16], [11, 13, 15, 17], [0, 1, .infinity, nil], [5, 5, 5, 5]]
        for (place, values) in scores.enumerated() {
            try Sample.evaluation(
                of: .run(runs[place / 2].id, checkpoint: nil), on: set,
                at: EvaluationPoint(steps: place % 2 == 0 ? 30 : 50), metric, values, in: store)
        }
        return runs
    }

    @Test func rowsAreAnchorsAndRunsAndColumnsSetsTimesNTimesMetric() throws {
        let runs = try fill()
        let report = try ComparisonReport(of: runs.map(\.id), in: store)
        #expect(report.rows.map(\.label) == ["noisy", "wiener", "a", "b"])
        #expect(report.columns.map(\.groups) == [["test", "N = 30"], ["test", "N = 50"]])
        let a = try #require(report.cells[2][0])
        #expect(a.statistic.mean == 13 && abs(a.statistic.std - 5.0.squareRoot()) < 1e-12 && a.statistic.n == 4)
        #expect(report.cells[0][0]?.statistic.mean == 2.5 && report.cells[0][1]?.statistic.mean == 2.5)
    }

    @Test func infinitiesAndFailuresAreCountedAndARowBelowTheNoisyInputIsMarked() throws {
        let runs = try fill()
        let report = try ComparisonReport(of: runs.map(\.id), in: store)
        let b = try #require(report.cells[3][0])
        #expect(b.statistic.mean == 0.5 && b.statistic.n == 2)
        #expect(b.statistic.positiveInfinities == 1 && b.statistic.missing == 1)
        #expect(b.marks == .belowAnchor)
        #expect(report.shortfalls.map(\.row) == ["b"] && report.shortfalls[0].anchor == 1.5)
        #expect(report.table.rows[3].cells[2].text == "0.5 ± 0.5 (2, 1 ∞, 1 missing)▼")
    }

    @Test func theSameFilesArePairedForDifferences() throws {
        let runs = try fill()
        let report = try ComparisonReport(of: runs.map(\.id), in: store, options: .init(baseline: runs[0].id))
        let rows = try #require(report.differences).rows
        #expect(rows.map { $0.cells[0].text } == ["noisy", "wiener", "b"])
        guard case .difference(let one, _) = rows[2].cells[2] else {
            Issue.record("no difference")
            return
        }
        #expect(one.mean == -10.5 && one.n == 2 && one.isClear && one.lower >= -11 && one.upper <= -10)
    }

    @Test func variantsOfARunAreRowsNamedByWhatDiffers() throws {
        let runs = try fill()
        let set = try Sample.set(files: 4, in: store)
        for guidance in [0.0, 3.0] {
            try Sample.evaluation(
                of: .run(runs[0].id, checkpoint: nil), on: set, at: EvaluationPoint(steps: 30, guidance: guidance),
                try Sample.siSDR(in: store), [1, 1, 1, nil], in: store)
        }
        let report = try ComparisonReport(of: [runs[0].id], in: store)
        #expect(
            report.rows.map(\.label) == ["noisy", "wiener", "a [guidance=none]", "a [guidance=0.0]", "a [guidance=3.0]"])
    }

    @Test func whatIsNotInYetIsSaid() throws {
        let set = try Sample.set(files: 4, in: store)
        let run = try store.register(Sample.run())
        let empty = try store.register(Sample.run("later"))
        let metric = try Sample.siSDR(in: store)
        try Sample.evaluation(of: .run(run.id, checkpoint: nil), on: set, metric, [1, 2], in: store)
        let table = try ComparisonReport(of: [run.id, empty.id], in: store).table
        #expect(table.rows[0].cells[2].text == "1.5 ± 0.5 (2)*")
        #expect(table.notes.contains("later: no scores yet (planned)"))
        #expect(table.notes.contains { $0.hasPrefix("test: the noisy input has not been scored") })
    }

    @Test func setsStepsAndMetricsCanBeChosen() throws {
        let runs = try fill()
        let some = ComparisonReport.Options(steps: [50])
        #expect(try ComparisonReport(of: runs.map(\.id), in: store, options: some).columns.map(\.steps) == [50])
        let none = ComparisonReport.Options(metrics: ["pesq"])
        #expect(try ComparisonReport(of: runs.map(\.id), in: store, options: none).columns.isEmpty)
    }

    @Test func theDocumentNamesEachScore() throws {
        let runs = try fill()
        let text = try ComparisonReport(of: [runs[1].id], in: store).json.text
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let systems = try #require(document["systems"] as? [[String: Any]])
        #expect(systems.map { $0["system"] as? String } == ["noisy", "wiener", "b"])
        let first = try #require((systems[2]["scores"] as? [[String: Any]])?.first)
        #expect(first["N"] as? Int == 30 && first["mean"] as? Double == 0.5 && first["below_anchor"] as? Bool == true)
        #expect((document["below_anchor"] as? [Any])?.count == 1)
    }

    @Test func aRunNamedTwiceStandsOnce() throws {
        let runs = try fill()
        let twice = try ComparisonReport(of: [runs[0].id, runs[1].id, runs[0].id], in: store)
        #expect(twice.rows.map(\.label) == ["noisy", "wiener", "a", "b"])
        #expect(try DiffReport(between: runs[0].id, and: runs[0].id, in: store).comparison.rows.map(\.label) == ["noisy", "wiener", "a"])
    }

    /// A score of the noisy input that is rounding marks nobody; the number stays.
    @Test func nothingIsBelowAnInputThatIsNoFloor() throws {
        let runs = try fill()
        let report = try ComparisonReport(of: runs.map(\.id), in: store, options: .init(unfloored: ["si_sdr"]))
        #expect(report.shortfalls.isEmpty && report.cells[0][0]?.statistic.mean == 2.5)
        #expect(report.cells.joined().allSatisfy { $0?.marks.contains(.belowAnchor) != true })
        #expect(report.table.notes.contains { $0.hasPrefix("si_sdr: the noisy input is perfect") })
        #expect(try !ComparisonReport(of: runs.map(\.id), in: store).shortfalls.isEmpty)
    }

    /// Namesakes are told apart by seed, or by id where seeds do not.
    @Test func namesakesHaveLabelsOfTheirOwn() throws {
        func run(_ identity: String, _ seed: UInt64) throws -> Run {
            var draft = Sample.run("aud", seed: seed)
            draft.key = RunKey(identity: identity, seed: seed, dataFingerprint: "data")
            return try store.register(draft)
        }
        let (one, other, seeded) = (try run("i", 0), try run("j", 0), try run("i", 1))
        #expect(try ComparisonReport(of: [one.id, seeded.id], in: store).rows.map(\.label) == ["aud #0", "aud #1"])
        #expect(
            try ComparisonReport(of: [one.id, other.id], in: store).rows.map(\.label)
                == ["aud (\(one.shortID))", "aud (\(other.shortID))"])
    }
}
