import Foundation
import JSONValues
import Reports
import Runs
import Statistics
import StoreSamples
import TestFolders
import Testing

@Suite struct ComparisonTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
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

    @Test func rowsAreSystemsTimesNAndColumnsSetsTimesMetrics() throws {
        let runs = try fill()
        let report = try ComparisonReport(of: runs.map(\.id), in: store)
        #expect(
            report.rows.map(\.keys) == [
                ["noisy", ""], ["wiener", ""], ["a", "30"], ["a", "50"], ["b", "30"], ["b", "50"],
            ])
        #expect(report.columns.map(\.groups) == [["test"]] && report.columns.map(\.name) == ["si_sdr"])
        let a = try #require(report.cells[2][0])
        #expect(a.statistic.mean == 13 && abs(a.statistic.std - 5.0.squareRoot()) < 1e-12 && a.statistic.n == 4)
        #expect(report.table.columns.map(\.name) == ["system", "N", "si_sdr"])
    }

    @Test func columnsMayTellNAndAnchorsStandInAllOfThem() throws {
        let runs = try fill()
        let options = ComparisonReport.Options(rows: ["system"], columns: ["set", "N", "metric"])
        let report = try ComparisonReport(of: runs.map(\.id), in: store, options: options)
        #expect(report.rows.map(\.label) == ["noisy", "wiener", "a", "b"])
        #expect(report.columns.map(\.groups) == [["test", "N = 30"], ["test", "N = 50"]])
        #expect(report.cells[0][0]?.statistic.mean == 2.5 && report.cells[0][1]?.statistic.mean == 2.5)
    }

    @Test func infinitiesAndFailuresAreCountedAndARowBelowTheNoisyInputIsMarked() throws {
        let runs = try fill()
        let report = try ComparisonReport(of: runs.map(\.id), in: store)
        let b = try #require(report.cells[4][0])
        #expect(b.statistic.mean == 0.5 && b.statistic.n == 2)
        #expect(b.statistic.positiveInfinities == 1 && b.statistic.missing == 1)
        #expect(b.marks == .belowAnchor)
        #expect(
            report.shortfalls.map(\.row) == ["b"] && report.shortfalls[0].anchor == 1.5
                && report.shortfalls[0].steps == 30)
        #expect(report.table.rows[4].cells[2].text == "0.5 ± 0.5 (2, 1 ∞, 1 missing)▼")
    }

    @Test func theSameFilesArePairedForDifferences() throws {
        let runs = try fill()
        let report = try ComparisonReport(of: runs.map(\.id), in: store, options: .init(baseline: runs[0].id))
        let pairs = report.contrasts.map {
            [report.rows[$0.row], report.rows[$0.against]].map { $0.label + ($0.factors["N"] ?? "") }
        }
        #expect(pairs == [["noisy", "a30"], ["wiener", "a30"], ["a50", "a30"], ["b30", "a30"], ["b50", "a50"]])
        #expect(report.contrasts[3].comparison.mean == -10.5 && report.contrasts[3].comparison.files == 2)
    }

    @Test func variantsOfARunAreRowsNamedByWhatDiffers() throws {
        let runs = try fill()
        let set = try Sample.set(files: 4, in: store)
        for guidance in [0.0, 3.0] {
            try Sample.evaluation(
                of: .run(runs[0].id, checkpoint: nil), on: set, at: EvaluationPoint(steps: 30, guidance: guidance),
                try Sample.siSDR(in: store), [1, 1, 1, nil], in: store)
        }
        let report = try ComparisonReport(of: [runs[0].id], in: store, options: .init(steps: [30]))
        #expect(
            report.rows.map(\.label) == [
                "noisy", "wiener", "a [guidance=none]", "a [guidance=0.0]", "a [guidance=3.0]",
            ])
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
        #expect(
            try ComparisonReport(of: runs.map(\.id), in: store, options: some).rows.map(\.keys) == [
                ["noisy", ""], ["wiener", ""], ["a", "50"], ["b", "50"],
            ])
        let none = ComparisonReport.Options(metrics: ["pesq"])
        #expect(try ComparisonReport(of: runs.map(\.id), in: store, options: none).columns.isEmpty)
    }

    @Test func theDocumentNamesEachScore() throws {
        let runs = try fill()
        let text = try ComparisonReport(of: [runs[1].id], in: store, options: .init(baseline: runs[1].id)).json.text
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let systems = try #require(document["systems"] as? [[String: Any]])
        #expect(systems.map { $0["system"] as? String } == ["noisy", "wiener", "b", "b"])
        #expect((systems[2]["factors"] as? [String: Any])?["N"] as? String == "30")
        let first = try #require((systems[2]["scores"] as? [[String: Any]])?.first)
        #expect(first["N"] as? Int == 30 && first["mean"] as? Double == 0.5 && first["below_anchor"] as? Bool == true)
        #expect((document["below_anchor"] as? [Any])?.count == 1)
        let differences = try #require(document["differences"] as? [[String: Any]])
        #expect(differences.count == 3 && differences.allSatisfy { $0["conclusion"] is String })
    }

    @Test func aRunNamedTwiceStandsOnce() throws {
        let runs = try fill()
        let twice = try ComparisonReport(
            of: [runs[0].id, runs[1].id, runs[0].id], in: store, options: .init(steps: [30]))
        #expect(twice.rows.map(\.label) == ["noisy", "wiener", "a", "b"])
        #expect(
            try DiffReport(between: runs[0].id, and: runs[0].id, in: store).comparison.rows.map(\.label) == [
                "noisy", "wiener", "a", "a",
            ])
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
