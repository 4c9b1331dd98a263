import Foundation
import Imports
import Reports
import Runs
import TestFolders
import Testing

/// Histories of training that other programs logged.
@Suite struct LogFileTests {
    private let scratch: TestFolder
    private let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    private func record(_ path: String, name: String? = nil) throws -> [Run] {
        try LogFile(path, name: name).record(in: store, provenance: ExternalSample.provenance)
    }

    /// What this program writes for TensorBoard, read back.
    @Test func tensorBoardEventsAreRead() throws {
        let draft = RunDraft(
            name: "a", key: RunKey(identity: "i", seed: 0, dataFingerprint: ""),
            spec: StoredSpec(written: "", resolved: "{}"),
            provenance: ExternalSample.provenance)
        let run = try store.register(draft)
        try store.record(
            TrainingBatch(
                steps: (1...3).map {
                    StepRecord(
                        step: $0, loss: 1 / Double($0), terms: ["spectral": 0.5], gradientNorm: 2, learningRate: 0.25,
                        seconds: 2)
                },
                validations: [ValidationRecord(step: 3, metric: "pesq", value: 1.5, n: 4)]), of: run.id)
        var export = ExportFormat.tensorboard.export(of: run.id, in: store, to: scratch.path + "/log")
        try export.update()
        let read = try #require(try record(scratch.path + "/log").first)
        #expect(read.name == "log" && read.origin == .imported && read.status == .finished)
        let steps = try store.steps(of: read.id)
        #expect(
            steps.map(\.step) == [1, 2, 3] && abs(steps[1].loss - 0.5) < 1e-6 && steps[1].learningRate == 0.25
                && steps[1].gradientNorm == 2)
        #expect(steps[1].terms == ["spectral": 0.5] && abs(steps[1].seconds - 2) < 1e-3)
        #expect(try store.validations(of: read.id) == [ValidationRecord(step: 3, metric: "pesq", value: 1.5, n: 0)])
        // Repeated, it adds nothing.
        _ = try record(scratch.path + "/log")
        #expect(try store.runs().count == 2)
    }

    @Test(arguments: [1, 20, 200])
    func anEventFileThatIsCutGivesItsWholeRecords(bytes: Int) throws {
        try tensorBoardEventsAreRead()
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/log").first)
        let data = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/log/" + name))
        try data.dropLast(bytes).write(to: URL(fileURLWithPath: scratch.path + "/log/" + name))
        let log = try LogFile(scratch.path + "/log", name: "cut")
        #expect(log.remarks.count == 1 && !log.histories[0].steps.isEmpty)
    }

    @Test func lightningTablesAreRead() throws {
        let path = try scratch.write(
            "epoch,step,train_loss,valid_loss,pesq,si_sdr,lr-Adam\n"
                + "0,9,2.5,,,,1e-4\n0,19,1.5,,,,1e-4\n0,19,,3.5,1.2,4.5,\n",
            to: "csv/version_0/metrics.csv"
        )
        let run = try #require(try record(path).first)
        #expect(run.name == "version_0")
        let steps = try store.steps(of: run.id)
        #expect(steps.map(\.loss) == [2.5, 1.5] && steps[0].learningRate == 1e-4 && steps[0].terms.isEmpty)
        let found = try store.validations(of: run.id)
        #expect(
            found.map(\.metric) == ["pesq", "si_sdr", "valid_loss"] && found.compactMap(\.value) == [1.2, 4.5, 3.5])
    }

    @Test func anExportOfSeveralRunsBecomesSeveralRuns() throws {
        let path = try scratch.write(
            """
            "Step","base - train_loss","base - train_loss__MIN","cfg - p - train_loss","cfg - p - pesq"
            10,2.0,1.0,3.0,
            20,1.0,0.5,2.0,1.4

            """, to: "wandb.csv"
        )
        let runs = try record(path)
        #expect(runs.map(\.name) == ["base", "cfg - p"])
        #expect(
            try store.steps(of: runs[0].id).map(\.loss) == [2, 1]
                && store.validations(of: runs[1].id).map(\.value) == [1.4])
    }

    @Test(arguments: [
        ("a.csv", "x,y\n1,2\n", "no column is called step"), ("a.csv", "step,x\n", "no number with a step"),
        ("b.tfevents", "not an event file at all", "no TensorBoard event file"),
    ])
    func whatIsNoLogIsRefused(name: String, text: String, message: String) throws {
        let path = try scratch.write(text, to: name)
        let error = #expect(throws: (any Error).self) { try record(path) }
        #expect(error.map { "\($0)".contains(message) } == true, "\(error.map { "\($0)" } ?? "")")
        #expect(try store.runs().isEmpty)
    }
}
