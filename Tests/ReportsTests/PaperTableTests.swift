import Foundation
import JSONValues
import Reported
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// A paper's table from a store.
@Suite struct PaperTableTests {
    private let scratch: TestFolder
    private let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    private static let reported = """
        paper: "[2]"
        mark: V
        source: page
        set: VB-DMD
        figures:
          - { system: Noisy, values: { si_sdr: 8.4 ± 5.6, polqa: 3.11 } }
          - { system: SGMSE+, n: 824, values: { si_sdr: 17.3 ± 2.0, polqa: 3.95 } }

        """

    private static let table = """
        title: two
        paper: "[2]"
        sets: [{ reported: VB-DMD, test_set: test, anchors: vb.yaml }]
        columns: [polqa, si_sdr]
        rows:
          - { label: Noisy, anchor: noisy, known: { si_sdr: 2.5 ± 0.02 } }
          - { label: SGMSE+, spec: a.yaml, N: 30 }
          - { label: MetricGAN+, system: metricgan-plus, reported: none }
          - { label: SE-Mamba, reported: none }

        """

    private func table(
        _ text: String = table, reported: String = reported, identity: String = "id-quickstart",
        signature: String = "si_sdr|zero-mean|16000"
    ) throws -> PaperTable {
        let source = RowSource(
            runs: [
                .init(
                    name: "quickstart", identity: identity, seed: 0,
                    points: [.init(set: "test", steps: 30, guidance: nil, identity: "point")]),
                .init(
                    name: "quickstart", identity: identity, seed: 1,
                    points: [.init(set: "test", steps: 30, guidance: nil, identity: "point")]),
            ], metrics: ["si_sdr"], evaluationsOfNetwork: [30: 60])
        let declaration = try TableDeclaration(text: text, file: "tables/two.yaml")
        return try PaperTable(
            declaration, reporting: ReportedLibrary([try ReportedFile(text: reported, file: "r.yaml")]), from: store,
            sources: declaration.rows.indices.map { $0 == 1 ? source : RowSource() },
            metrics: .init(unfloored: []) { name, _ in name == "si_sdr" ? signature : nil })
    }

    /// The noisy input, and a run of a seed, on four files.
    private func fill(seeds: [(seed: UInt64, values: [Double?])]) throws {
        let set = try Sample.set(files: 4, in: store)
        let metric = try Sample.siSDR(in: store)
        try Sample.evaluation(of: .anchor("noisy"), on: set, metric, [1, 2, 3, 4], in: store)
        for (seed, values) in seeds {
            let run = try store.register(Sample.run(seed: seed))
            let evaluation = try store.register(
                EvaluationDraft(
                    identity: "point|\(seed)|fp", subject: .run(run.id, checkpoint: nil), testSet: set.set.id,
                    point: EvaluationPoint(steps: 30), provenance: Sample.provenance))
            try store.record(
                scores: zip(set.files, values).map {
                    Score(file: $0.id!, metric: metric.id, outcome: $1.map { .value($0) } ?? .failed("x"))
                },
                of: evaluation.id)
            try store.end(evaluation.id, as: .finished)
        }
    }

    @Test func aCellHasReportedOursDifferenceAndWhetherItLiesWithin() throws {
        try fill(seeds: [(0, [16, 17, 18, 19])])
        let table = try table()
        let (polqa, sdr) = (table.cells[1][0], table.cells[1][1])
        #expect(polqa.reported?.value.value == 3.95 && polqa.ours == nil && polqa.missingReason == nil)
        let ours = try #require(sdr.ours)
        #expect(ours.mean == 17.5 && ours.files == 4 && ours.seeds == 1 && ours.isWithin == true && !ours.isBelowAnchor)
        let difference = try #require(ours.difference)
        #expect(abs(difference.mean - 0.2) < 1e-12 && difference.interval == nil)  // four files are too few
        #expect(ours.sources.first?.provenance.commandLine == "sgmse run a.yaml")
        #expect(table.problems.isEmpty, "\(table.problems)")
        let text = table.table.terminal()
        #expect(text.contains("17.3 ± 2.0") && text.contains("17.5 ± 1.1 (4)") && text.contains("within"))
        #expect(text.contains("polqa: reported only"))
    }

    @Test func severalSeedsAreTheMeanOfTheirMeansAndTheSpreadBetweenThem() throws {
        try fill(seeds: [(0, [16, 17, 18, 19]), (1, [20, 21, 22, nil])])
        let ours = try #require(try table().cells[1][1].ours)
        #expect(ours.seeds == 2 && ours.mean == (17.5 + 21) / 2 && ours.files == 3)
        #expect(abs(ours.spread - 3.5 / 2.0.squareRoot()) < 1e-12)  // n − 1 = 1
        #expect(ours.sources.count == 2)
    }

    @Test func openCellsNameTheCommandThatFillsThem() throws {
        let openCells = try table().openCells
        #expect(
            openCells.map(\.label) == ["Noisy", "SGMSE+", "MetricGAN+"]
                && openCells.allSatisfy { $0.metrics == ["si_sdr"] })
        #expect(openCells[0].commands == [["sgmse", "run", "tables/vb.yaml"]])
        #expect(openCells[1].commands == [["sgmse", "run", "tables/a.yaml"]])
        #expect(openCells[1].evaluationsOfNetwork == 60)
        #expect(
            openCells[2].commands == [
                ["sgmse", "import", "enhanced", "DIR", "--system", "metricgan-plus", "--set", "test"]
            ])
        let line = try table().openCellTable(costs: [1: .init(seconds: 9000, remark: "5 steps to do")]).csv
        #expect(line.contains("SGMSE+,VB-DMD,si_sdr,not computed yet,sgmse run tables/a.yaml,60,2:30:00,5 steps to do"))
    }

    @Test func aNumberOfAnEarlierSpecOrMetricIsStale() throws {
        try fill(seeds: [(0, [16, 17, 18, 19])])
        let changed = try table(identity: "another")
        #expect(changed.cells[1][1].ours?.staleness == "the spec has changed since it was run")
        #expect(
            changed.problems.contains { $0.hasPrefix("stale: SGMSE+, si_sdr on VB-DMD") }
                && changed.openCells.contains { $0.label == "SGMSE+" })
        let recomputed = try table(signature: "si_sdr|v2")
        #expect(
            recomputed.problems.contains {
                $0.contains("computed as si_sdr|zero-mean|16000; this version computes si_sdr|v2")
            })
    }

    @Test func whatLiesBelowTheNoisyInputOrMissesAKnownValueIsAProblem() throws {
        try fill(seeds: [(0, [0, 1, 2, 3])])
        let below = try table()
        #expect(below.problems.map { $0.prefix(16) } == ["below its anchor"])
        let missed = try table(Self.table.replacingOccurrences(of: "2.5 ± 0.02", with: "1.97 ± 0.02"))
        #expect(
            missed.problems.contains {
                $0.hasPrefix("known value missed: Noisy") && $0.hasSuffix("it must be 1.97 ± 0.02")
            })
    }

    /// The samples' sets lie in `data/test`.
    @Test func aSetOfAnotherCorpusIsAnotherSet() throws {
        try fill(seeds: [(0, [16, 17, 18, 19])])
        let other = try table(Self.table.replacingOccurrences(of: "anchors: vb.yaml", with: "corpus: voicebank-demand"))
        #expect(other.cells[0][1].ours == nil && other.cells[1][1].ours?.mean == 17.5)
        let same = try table(Self.table.replacingOccurrences(of: "anchors: vb.yaml", with: "corpus: data"))
        #expect(same.cells[0][1].ours?.mean == 2.5)
    }

    @Test func oneFigureWithTwoValuesIsAProblem() throws {
        let twice = Self.reported + "  - { system: Noisy, values: { si_sdr: 8.6 } }\n"
        #expect(try table(reported: twice).problems.contains { $0.hasPrefix("one figure with two values: r.yaml:8") })
    }

    @Test func importedScoresStandInTheTableAndAreMarked() throws {
        let set = try Sample.set(files: 2, in: store)
        let metric = try store.register(
            metric: "si_sdr", signature: "si_sdr|imported", unit: "dB", higherIsBetter: true)
        let draft = EvaluationDraft(
            identity: "external|metricgan-plus", subject: .anchor("metricgan-plus"), testSet: set.set.id,
            provenance: Sample.provenance,
            external: #"{"file":"scores.csv"}"#)
        let evaluation = try store.register(draft)
        try store.record(
            scores: set.files.map { Score(file: $0.id!, metric: metric.id, outcome: .value(8.5)) }, of: evaluation.id)
        try store.end(evaluation.id, as: .finished)
        let table = try table()
        #expect(
            table.cells[2][1].ours?.mean == 8.5 && table.cells[2][1].ours?.isImported == true && table.problems.isEmpty)
        #expect(table.table.terminal().contains("8.5 ± 0.0 (2)‡"))
        #expect(try store.evaluation(identity: draft.identity)?.external == #"{"file":"scores.csv"}"#)
    }

    @Test(arguments: TableFormat.allCases)
    func everyFormatIsWrittenAndHasNoInventedCell(format: TableFormat) throws {
        let table = try table()
        let text = table.table.written(as: format)
        #expect(text.contains("SE-Mamba") && text.contains("3.95"))
        #expect(table.tidy.rows.count == 4)
        #expect(try JSONSerialization.jsonObject(with: Data(table.json.text.utf8)) is [String: Any])
    }

    @Test(arguments: TableFormat.allCases)
    func aFormatIsAsRecorded(format: TableFormat) throws {
        try fill(seeds: [(0, [16, 17, 18, 19]), (1, [20, 21, 22, nil])])
        var written = try table().table
        (written.caption, written.label) = ("Denoising", "tab:denoising")
        try Golden.expect(written.written(as: format, width: 120), as: "table.\(format.fileEnding)")
    }

    @Test(.enabled(if: LaTeX.isInstalled, "pdflatex is not installed"), arguments: LaTeX.pages)
    func latexCompilesAndFitsItsColumns(page: String) throws {
        try fill(seeds: [(0, [16, 17, 18, 19])])
        var written = try table().table
        (written.caption, written.label) = ("Denoising", "tab:denoising")
        let complaints = try LaTeX.complaints(of: page, written.latex, in: scratch.path)
        #expect(complaints.isEmpty, "\(complaints)")
    }
}
