import Checkpoints
import Experiments
import Foundation
import Models
import Runs
import SpecLanguage
import Specs
import TestFolders
import Testing
import WeightFiles

/// Checkpoints of the reference as runs of a store: evaluated as they are, and trained on.
@Suite struct ImportedModelTests {
    private static let corpus =
        "{ name: synthetic, train: 4, valid: 1, test: 2, test_ood: 1, shortest: 0.8, longest: 1.0 }"
    private static let small = ["evaluate.N=[2]", "evaluate.metrics=[si_sdr]", "evaluate.anchors=[noisy]"]

    /// The spec of a checkpoint of the reference, imported into a folder.
    private func imported(_ name: String, to folder: String) throws -> String {
        let report = try CheckpointImport().run(
            checkpointFixture(name), to: folder, overrides: ["data.corpus=\(Self.corpus)"] + Self.small)
        #expect(report.spec.data.path == nil)
        return try String(contentsOfFile: folder + "/spec.yaml", encoding: .utf8)
    }

    private func scores(_ store: RunStore, _ run: Run) throws -> [Double] {
        try store.evaluations(of: run.id).flatMap { try store.scores(of: $0.id) }.compactMap {
            if case .value(let value) = $0.outcome { value } else { nil }
        }
    }

    @Test func anImportedModelIsEvaluatedAsARun() throws {
        let temporary = try TestFolder()
        let folder = temporary.path + "/model"
        let spec = try imported("bridge.ckpt", to: folder)
        let first = try temporary.run(spec)
        #expect(first.failed.isEmpty)
        #expect((first.done, first.cached) == (3, 0))
        let (run, before) = try {
            let store = try temporary.open()
            defer { try? store.close() }
            let run = try #require(try store.runs().first)
            #expect(run.status == .finished)
            #expect(
                try store.events(of: run.id).contains { $0.kind == "initialised" && $0.message.contains("takes over") })
            let (file, own) = (try StoredModel(at: folder), try StoredModel.find(run.name, folder: "none") { store })
            for choice in StoredModel.Choice.allCases {
                #expect(
                    try own.weights(choice).arrays.map(\.values) == file.weights(choice).arrays.map(\.values),
                    "\(choice)")
            }
            #expect(
                try store.checkpoint(of: run.id, kind: .last)?.step
                    == LightningCheckpoint(path: checkpointFixture("bridge.ckpt")).globalStep)
            return (run, try scores(store, run))
        }()
        #expect(before.count == 2)

        // What lies elsewhere is the same model; what is inside counts.
        try FileManager.default.moveItem(atPath: folder, toPath: folder + "-moved")
        let moved = ["evaluate.checkpoint={ name: file, path: '\(folder)-moved' }"]
        #expect(try temporary.run(spec, overrides: moved).cached == 3)
        try imported("bridge.ckpt", to: folder).write(toFile: folder + "/spec.yaml", atomically: true, encoding: .utf8)
        let raw = try temporary.run(spec, overrides: ["evaluate.weights=[raw]"])
        #expect((raw.done, raw.cached) == (1, 2))
        #expect(raw.runs == [run.id])
        let store = try temporary.open()
        defer { try? store.close() }
        #expect(Set(try scores(store, run)).count == 4)
    }

    @Test func anotherFileIsAnotherRun() throws {
        let temporary = try TestFolder()
        let spec = try imported("bridge.ckpt", to: temporary.path + "/model")
        let all = try temporary.run(spec)
        _ = try CheckpointImport().run(
            checkpointFixture("bridge.ckpt"), to: temporary.path + "/model", weights: .ema, replaces: true)
        let average = try temporary.run(spec)
        #expect(average.runs != all.runs)
        let error = #expect(throws: IncompatibleParts.self) {
            try temporary.run(spec, overrides: ["evaluate.weights=[raw]"])
        }
        #expect(error?.reason.contains("moving average alone") == true)
    }

    @Test func aFileIsNoCheckpointOfATraining() throws {
        let temporary = try TestFolder()
        let spec = try imported("bridge.ckpt", to: temporary.path + "/model")
        #expect(throws: SpecErrors.self) { try temporary.run(spec, overrides: ["train.max_steps=2"]) }
        #expect(throws: IncompatibleParts.self) {
            try temporary.run(spec, overrides: ["evaluate.checkpoint={ name: file, path: /nowhere }"])
        }
        #expect(temporary.files(containing: "corpora").isEmpty)
        let store = try temporary.open()
        defer { try? store.close() }
        #expect(try store.runs().isEmpty)
    }

    /// Training goes on from a checkpoint of the reference, with or without what its optimizer had gathered.
    @Test func trainingGoesOnFromACheckpointOfTheReference() throws {
        let name = "fit_bridge_perceptual/model.ckpt"
        var losses: [[Double]] = []
        for isWarm in [true, false] {
            let temporary = try TestFolder()
            let spec = try imported(name, to: temporary.path + "/model")
            let overrides = [
                "train.max_steps=2", "train.num_eval_files=0", "evaluate.checkpoint=last", "data.num_frames=16",
                "objective.pesq_weight=0",
                "train.init_from={ checkpoint: '\(checkpointFixture(name))', weights: raw, optimizer: \(isWarm) }",
            ]
            let summary = try temporary.run(spec, overrides: overrides)
            #expect(summary.failed.isEmpty)
            let store = try temporary.open()
            defer { try? store.close() }
            losses.append(try store.steps(of: try #require(summary.runs.first)).map(\.loss))
        }
        // The weights are the same before the first step; the step is not.
        #expect(losses[0][0] == losses[1][0])
        #expect(losses[0][1] != losses[1][1])
        let temporary = try TestFolder()
        let old = "older_layout_no_ema/model.ckpt"
        let spec = try imported(old, to: temporary.path + "/model")
        let error = #expect(throws: IncompatibleParts.self) {
            try temporary.run(
                spec,
                overrides: [
                    "train.max_steps=1", "evaluate.checkpoint=last", "train.num_eval_files=0",
                    "train.init_from={ checkpoint: '\(checkpointFixture(old))', optimizer: true }",
                ])
        }
        #expect(error?.reason.contains("no state of Adam") == true)
    }
}
