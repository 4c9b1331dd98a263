import Audio
import Checkpoints
import Enhancement
import Experiments
import Foundation
import Models
import Runs
import Specs
import TestFolders
import Testing
import WeightFiles

/// A run of ours as a model: by its name, by its file, and as the reference's checkpoint.
@Suite struct RunCheckpointTests {
    @Test func aRunEnhancesAsItWasEvaluatedAndTravels() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec)
        let byName = try StoredModel.find("tiny", kind: .last, folder: "none") {
            try RunStore(at: temporary.path + "/store.sqlite", access: .readOnly)
        }
        let file = temporary.path + "/" + (try #require(temporary.files(containing: "checkpoints/step-6").first))
        let byFile = try StoredModel(at: file)
        #expect(byFile.spec == byName.spec)
        let (raw, average) = (try byName.weights(.raw), try byName.weights(.ema))
        #expect((raw.areAveraged, average.areAveraged) == (false, true))
        #expect(raw.arrays != average.arrays)

        let exported = temporary.path + "/tiny.ckpt"
        _ = try CheckpointExport().run(byName, to: exported)
        let checkpoint = try LightningCheckpoint(path: exported)
        #expect(checkpoint.globalStep == 6)
        #expect(checkpoint.movingAverage?.updates == 6)
        #expect(checkpoint.hyperParameters["loss_type"] == "data_prediction")
        #expect(try checkpoint.weights(.raw).arrays == raw.arrays)

        // The same file under the same seed gives the same audio, whichever way the model came.
        let noisy = try #require(temporary.files(containing: "test/noisy/").first { $0.hasSuffix(".wav") })
        var sounds: Set<Sound> = []
        for (index, model) in [byName, byFile, try StoredModel(at: exported)].enumerated() {
            let short = try model.overriding(["evaluate.N=2"])
            let enhancer = FolderEnhancer(
                enhancer: try short.enhancer().enhancer, sampleRate: short.spec.data.sampleRate, options: .init(seed: 5)
            )
            let output = temporary.path + "/out\(index)"
            #expect(try enhancer.run(input: temporary.path + "/" + noisy, output: output).enhanced == 1)
            sounds.insert(try SoundFile.read(output + "/" + (noisy as NSString).lastPathComponent))
        }
        #expect(sounds.count == 1)
    }

    /// A conditioned run hears the reference it is told of; a run without conditioning refuses one.
    @Test func aConditionedRunEnhancesUnderGuidance() throws {
        let temporary = try TestFolder()
        try temporary.run(conditionedSpec)
        let weights = temporary.path + "/" + (try #require(temporary.files(containing: "checkpoints/step-6").first))
        let model = try StoredModel(at: weights)
        let noisy = temporary.path + "/" + (try #require(temporary.files(containing: "test/noisy").first))
        let clean = noisy.replacingOccurrences(of: "test/noisy", with: "test/clean")
        var nfe: [String: Int] = [:]
        for (name, condition) in [
            ("estimated", ReferenceChoice(guidance: 2)), ("oracle", ReferenceChoice(guidance: 1, reference: "oracle")),
            ("long", ReferenceChoice(reference: "zero", seconds: 0.5)),
        ] {
            let loaded = try model.enhancer(under: condition)
            #expect(loaded.remarks.isEmpty == (name != "long"))
            let enhancer = FolderEnhancer(
                enhancer: loaded.enhancer, sampleRate: model.spec.data.sampleRate, references: loaded.references,
                cleanFolder: name == "oracle" ? clean : nil)
            let summary = try enhancer.run(input: noisy, output: temporary.path + "/" + name)
            #expect(summary.enhanced == 3 && summary.failed.isEmpty)
            nfe[name] = summary.nfe
        }
        // Three files of three steps; two calls a step only where both scores are needed.
        #expect(nfe == ["estimated": 18, "oracle": 9, "long": 9])

        let plain = try TestFolder()
        try plain.run(tinySpec)
        let file = plain.path + "/" + (try #require(plain.files(containing: "checkpoints/step-6").first))
        #expect(throws: IncompatibleParts.self) {
            try StoredModel(at: file).enhancer(under: ReferenceChoice(guidance: 2))
        }
        #expect(throws: ReferenceError.self) { try model.enhancer(under: ReferenceChoice(reference: "nowhere")) }
    }
}
