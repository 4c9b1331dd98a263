import Foundation
import JSONValues
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

@Suite struct TransferTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    /// A run with history, a checkpoint and an evaluation of three files beside the noisy anchor.
    private func fill(_ name: String, seed: UInt64 = 0) throws -> Run {
        let run = try store.register(Sample.run(name, seed: seed))
        try store.begin(run.id, provenance: Sample.provenance)
        try store.add(tag: "t-\(name)", to: run.id)
        let checkpoint = CheckpointRecord(
            step: 2, kind: .last, path: "\(run.folder)/checkpoints/last.bin", sha256: "ab", bytes: 3, emaUpdates: 2)
        try store.record(
            TrainingBatch(
                steps: (1...2).map { StepRecord(step: $0, loss: 1, gradientNorm: 1, learningRate: 1, seconds: 1) },
                validations: [ValidationRecord(step: 2, metric: "si_sdr", value: 3, n: 2)],
                checkpoints: [checkpoint], events: []), of: run.id)
        let set = try Sample.set(files: 3, in: store)
        let metric = try Sample.siSDR(in: store)
        try Sample.evaluation(of: .anchor("noisy"), on: set, metric, [0, 0, 0], in: store)
        let used = try #require(try store.checkpoint(of: run.id, kind: .last))
        let evaluation = try Sample.evaluation(
            of: .run(run.id, checkpoint: used.id), on: set, at: EvaluationPoint(steps: 30), metric,
            [1, .infinity, nil], in: store)
        try store.record(
            scores: [],
            results: [
                FileResult(
                    file: set.files[0].id!, nfe: 60, seconds: 1, realTimeFactor: 1, output: "\(run.folder)/audio/a.wav")
            ],
            of: evaluation.id)
        try store.record([
            GateFinding(subject: run.shortID, gate: "rate", severity: .note, message: "16 kHz", run: run.id)
        ])
        try store.end(run.id, as: .finished)
        return try store.run(named: run.shortID)
    }

    @Test func aBackupIsTheStoreAsItStood() throws {
        let run = try fill("a")
        let file = scratch.path + "/backup.sqlite"
        for _ in 0..<2 { try store.backup(to: file) }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter { $0.hasPrefix("backup") } == [
                "backup.sqlite"
            ])
        let copy = try RunStore(at: file)
        #expect(try copy.run(named: run.shortID) == run)
        #expect(try copy.rowCounts()["score"] == 6)
        #expect(try copy.integrityProblems().isEmpty)
    }

    @Test func aBackupOntoItsOwnStoreIsRefused() throws {
        let run = try fill("a")
        let link = scratch.path + "/link.sqlite"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: scratch.store)
        for file in [scratch.store, scratch.path + "/./store.sqlite", link, scratch.store + "-wal"] {
            let error = #expect(throws: StoreError.self, "\(file)") { try store.backup(to: file) }
            #expect(error?.kind == .invalid)
        }
        #expect(try RunStore(at: scratch.store, access: .readOnly).run(named: run.shortID) == run)
    }

    /// A store in a folder that cannot be written, as on an archive's disk.
    @Test func anArchivedStoreIsRead() throws {
        let run = try fill("a")
        let file = scratch.path + "/kept here?/store #1.sqlite"
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/kept here?", withIntermediateDirectories: true)
        try store.backup(to: file)
        try store.close()
        let copy = try RunStore(at: file, access: .readOnly, isArchived: true)
        #expect(try copy.run(named: run.shortID).name == "a")
        #expect(try ComparisonReport(of: [run.id], in: copy).rows.count == 2)
        #expect(throws: StoreError.self) { try copy.register(Sample.run()) }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/kept here?") == ["store #1.sqlite"])
        try Data("no store".utf8).write(to: URL(fileURLWithPath: file))
        #expect(throws: StoreError.self) { try RunStore(at: file, access: .readOnly, isArchived: true) }
    }

    @Test func importingTwiceAddsNothing() throws {
        let runs = try [fill("a"), fill("b")]
        let other = scratch.path + "/other/store.sqlite"
        let first = try store.export([runs[0].id], to: other)
        #expect(first == TransferSummary(runs: 1, evaluations: 2, scores: 6))
        #expect(try store.export([runs[0].id], to: other) == TransferSummary())
        let target = try RunStore(at: other)
        _ = try target.register(Sample.run("local"))
        let second = try target.importRuns(from: store.path)
        #expect(second == TransferSummary(runs: 1, evaluations: 1, scores: 3))
        #expect(try target.importRuns(from: store.path) == TransferSummary())
        #expect(try target.integrityProblems().isEmpty)
        #expect(try Set(target.runs().map(\.name)) == ["a", "b", "local"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/other").allSatisfy {
                !$0.contains("import")
            })
    }

    @Test func anImportedRunIsWhole() throws {
        let run = try fill("a", seed: 7)
        let other = scratch.path + "/other/store.sqlite"
        try store.export([run.id], to: other)
        let target = try RunStore(at: other)
        let copy = try target.run(named: run.shortID)
        #expect(
            copy.key == run.key && copy.tags == run.tags && copy.status == .finished
                && copy.provenance == run.provenance)
        #expect(try target.spec(of: copy.id) == store.spec(of: run.id))
        #expect(try target.steps(of: copy.id) == store.steps(of: run.id))
        #expect(try target.events(of: copy.id) == store.events(of: run.id))
        #expect(try target.findings(of: copy.id).map(\.message) == ["16 kHz"])
        #expect(try target.runs(where: RunFilter("backbone=ncsnpp")).count == 1)
        let (mine, theirs) = (
            try ComparisonReport(of: [run.id], in: store).table.terminal(),
            try ComparisonReport(of: [copy.id], in: target).table.terminal()
        )
        #expect(mine == theirs)
        let evaluation = try #require(try target.evaluations(of: copy.id).first)
        #expect(evaluation.checkpoint?.step == 2)
        #expect(try target.results(of: evaluation.id).map(\.nfe) == [60])
    }

    @Test func aRunPlannedHereAndFinishedThereBecomesFinished() throws {
        let other = try RunStore(at: scratch.path + "/other/store.sqlite")
        let planned = try other.register(Sample.run("a"))
        _ = try fill("a")
        #expect(try other.importRuns(from: store.path).runs == 0)
        #expect(try other.runs([planned.id])[0].status == .finished)
        #expect(try other.steps(of: planned.id).count == 2)
    }

    @Test func aDiffTellsMeaningFromProtocolAndWarnsOfTwoChanges() throws {
        let specs = [
            #"""
            {"name":"x","train":{"lr":0.1},"evaluate":{"N":[30,50],"snr":0.5,\#
            "sets":[{"name":"a","path":null},{"name":"b","path":null}]}}
            """#,
            #"{"name":"y","train":{"lr":0.2},"evaluate":{"N":[30],"snr":0.4,"sets":[{"name":"a","path":null}]}}"#,
        ]
        let runs = try specs.enumerated().map { try store.register(Sample.run("r\($0)", resolved: $1)) }
        let report = try DiffReport(between: runs[0].id, and: runs[1].id, in: store)
        #expect(report.differences.meaning.map(\.path) == ["train.lr"])
        #expect(report.differences.protocols == [.init(path: "evaluate.snr", first: "0.5", second: "0.4")])
        #expect(
            report.differences.selection == [
                .init(path: "evaluate.N", first: "30, 50", second: "30"),
                .init(path: "evaluate.sets.name", first: "a, b", second: "a"),
            ])
        #expect(report.differences.provenance.isEmpty)
        #expect(report.tables[0].notes.first?.hasPrefix("2 things differ") == true)
    }

    @Test func aReportOfARunHasItsMeanScores() throws {
        let run = try fill("a")
        let report = try RunReport(of: run, in: store)
        #expect(
            report.text.contains("score      si_sdr 1.0") && report.text.contains("1 missing) dB"), "\(report.text)")
        let document = try JSONSerialization.jsonObject(with: Data(report.json.text.utf8)) as? [String: Any]
        let evaluation = (document?["evaluations"] as? [[String: Any]])?.first
        let score = (evaluation?["scores"] as? [[String: Any]])?.first
        #expect(evaluation?["N"] as? Int == 30 && score?["mean"] as? Double == 1 && score?["missing"] as? Int == 1)
    }

    @Test func aReasonIsNoNote() throws {
        let run = try store.register(Sample.run("a"))
        try store.setNotes("mine", of: run.id)
        try store.end(run.id, as: .failed, reason: "the loss is not a number")
        let table = try RunListing(of: store).table
        let cells = Dictionary(zip(table.columns.map(\.name), table.rows[0].cells.map(\.text))) { $1 }
        #expect(cells["notes"] == "mine" && cells["reason"] == "the loss is not a number")
    }

    @Test func theListShowsEachRun() throws {
        _ = try fill("a")
        let text = try RunListing(of: store).table.terminal()
        #expect(text.contains("finished") && text.contains("t-a"))
    }
}
