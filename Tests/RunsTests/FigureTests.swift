import Runs
import StoreSamples
import TestFolders
import Testing

@Suite struct FigureTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    @Test func aFigureIsKeptOnceWithItsMark() throws {
        var figure = ReportedFigure(
            paper: "sgmse+", row: "SGMSE+", testSet: "voicebank-demand", metric: "pesq", value: 2.93, std: 0.62,
            mark: .quoted, source: "Table III")
        try store.record([figure])
        figure.mark = .verified
        try store.record([figure])
        #expect(try store.reportedFigures(of: "sgmse+") == [figure])
        #expect(try store.reportedFigures(of: "storm").isEmpty)
    }

    @Test func aFindingIsKeptOnce() throws {
        let run = try store.register(Sample.run()).id
        let finding = GateFinding(
            subject: "train:a", gate: "sample-rate", severity: .failure, message: "p226.wav has 48000 Hz",
            detail: #"{"rate":48000}"#, run: run)
        try store.record([finding, finding])
        #expect(try store.findings(of: run) == [finding])
        #expect(try store.findings(about: "train:b").isEmpty)
    }

    @Test func aFindingThatRunsOfASweepShareIsKeptForEach() throws {
        let runs = try (0..<3).map { try store.register(Sample.run(seed: UInt64($0))).id }
        for run in runs {
            try store.record([
                GateFinding(
                    subject: "test", gate: "overlap", severity: .warning, message: "2 files in two sets", detail: nil,
                    run: run)
            ])
        }
        for run in runs { #expect(try store.findings(of: run).count == 1) }
    }
}
