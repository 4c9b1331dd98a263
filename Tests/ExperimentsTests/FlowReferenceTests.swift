import Audio
import Checkpoints
import Diffusion
import Experiments
import Foundation
import Models
import ReferenceCommands
import SpecLanguage
import Specs
import Tensors
import Testing
import WeightFiles

/// Checkpoints and commands of the reference of flow matching.
@Suite struct FlowReferenceTests {
    private static let checkpoint = ConformanceTests.root + "/flow_matching/checkpoint_fit/model.ckpt"

    private func spec(_ command: String) throws -> ExperimentSpec {
        let imported = try CommandImport(command, vocabulary: Catalog.standard.vocabulary)
        return try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: imported.yaml).spec
    }

    @Test func aCheckpointSaysThatItIsAFlow() throws {
        let model = try StoredModel(at: Self.checkpoint)
        #expect(model.spec.sde.name == "flow" && model.spec.objective.loss.name == "velocity_matching")
        #expect(model.spec.evaluate.N == [5] && model.spec.train.tEps == 0.03)
        let enhancer = try model.enhancer(.ema).enhancer
        let flow = try #require(enhancer.sampler as? VelocityFlow)
        #expect(flow.process as? FlowMatching == FlowMatching() && flow.solver == .euler(steps: 5) && flow.reachesZero)
        #expect(model.remarks.allSatisfy { !$0.contains("counterpart") }, "\(model.remarks)")
    }

    /// The whole way from a file of audio: as many calls as steps, and a result that depends on the noise.
    @Test func aCheckpointEnhances() throws {
        let loaded = try StoredModel(at: Self.checkpoint, overrides: ["evaluate.N=3"]).enhancer(.ema)
        let noisy = (0..<2000).map { index -> Float in
            let n = Float(index)
            return 0.3 * sin(0.05 * n) + 0.02 * sin(1.9 * n)
        }
        let output = try loaded.enhancer.enhance(noisy, file: "a", seed: 0)
        #expect(output.nfe == 3 && output.audio.count == noisy.count && output.audio.allSatisfy(\.isFinite))
        #expect(try loaded.enhancer.enhance(noisy, file: "a", seed: 1).audio != output.audio)
    }

    /// What is exported says the same model and holds the same numbers, tensor after tensor in the reference's order.
    @Test(arguments: ["flow_matching/checkpoint_fit/model.ckpt", "checkpoint/mean_flow.ckpt"])
    func aModelGoesThereAndBack(file: String) throws {
        let path = ConformanceTests.root + "/" + file
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sgmse-flow-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let original = try StoredModel(at: path)
        let exported = folder + "/" + URL(fileURLWithPath: path).lastPathComponent
        let report = try CheckpointExport().run(original, to: exported)
        #expect(report.remarks.allSatisfy { !$0.contains("word there") }, "\(report.remarks)")
        let again = try StoredModel(at: exported)
        func settings(_ model: StoredModel) -> [Choice] {
            [model.spec.backbone, model.spec.sde, model.spec.objective.loss, model.spec.train.validationSampler]
                + model.spec.evaluate.samplers
        }
        #expect(settings(again) == settings(original) && again.spec.transform == original.spec.transform)
        #expect(
            try LightningCheckpoint(path: exported).parameters.map(\.name)
                == LightningCheckpoint(path: path).parameters.map(\.name))
        for choice in [StoredModel.Choice.ema, .raw] {
            let (mine, theirs) = (try again.weights(choice), try original.weights(choice))
            #expect(mine.arrays.map(\.values) == theirs.arrays.map(\.values) && mine.areAveraged == theirs.areAveraged)
        }
    }

    /// A path or a network that the reference does not have is refused by name.
    @Test func whatTheReferenceLacksIsNotExported() throws {
        func check(_ settings: String) throws {
            let text = "{ name: a, data: { path: d }, train: { max_steps: 1 }, sde: { name: flow\(settings)"
            _ = try HyperParameterExport(try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text).spec)
        }
        #expect(throws: UnknownEntry.self) {
            try check(", origin: noise }, backbone: ncsnpp, objective: { loss_type: velocity_matching } }")
        }
        #expect(throws: UnknownEntry.self) {
            try check(" }, backbone: ncsnpp_v2, objective: { loss_type: velocity_matching } }")
        }
        try check(" }, backbone: ncsnpp, objective: { loss_type: velocity_matching } }")
    }

    @Test func theReadmesCommandsMeanWhatTheySay() throws {
        let plain = try spec("python flowmse/train.py --base_dir data/vb")
        #expect(plain.sde.name == "flow" && plain.backbone.name == "ncsnpp" && plain.train.maxEpochs == 1000)
        #expect(plain.objective.loss.settings.text("norm") == "mse" && plain.train.effectiveBatch == 8)
        let named = try spec(
            """
            python train.py --base_dir d --ode flowmatching --loss_type mae --sigma_min 0.1 --sigma_max 0.6 --T_rev \
            0.9 --batch_size 4 --no_wandb
            """
        )
        #expect(named.objective.loss.settings.text("norm") == "mae" && named.sde.settings.number("T_rev") == 0.9)
        #expect(named.sde.settings.number("sigma_max") == 0.6 && named.train.effectiveBatch == 4)
        let evaluate = try spec(
            """
            python evaluate.py --test_dir data/vb --folder_destination out --ckpt f.ckpt --N 10 --odesolver euler \
            --last_eval_point 0.05 --reverse_starting_point 0.8
            """
        )
        #expect(
            evaluate.evaluate.N == [10] && evaluate.evaluate.tEps == 0.05
                && evaluate.evaluate.sets[0].path == "data/vb/test")
        #expect(
            evaluate.evaluate.samplers[0].name == "ode_euler"
                && evaluate.evaluate.samplers[0].settings.number("start") == 0.8)
        #expect(try spec("python evaluate.py --test_dir d --folder_destination o --ckpt f.ckpt").evaluate.N == [5])
        #expect(
            try spec("python evaluate.py --test_dir d --folder_destination o --ckpt f --odesolver_type black").evaluate
                .samplers[0].name == "ode")
    }

    @Test(arguments: [
        "python flowmse/train.py --base_dir d --sde ouve", "python train.py --base_dir d --ode stochasticinterpolant",
        "python evaluate.py --test_dir d --ckpt f.ckpt",
    ])
    func whatTheScriptsDoNotTakeIsAMistake(command: String) {
        #expect(throws: SpecErrors.self) { try CommandImport(command, vocabulary: Catalog.standard.vocabulary) }
    }

    @Test func aTrainPyWithoutAnOptionOfItsOwnIsThatOfTheDiffusions() throws {
        #expect(try spec("python train.py --base_dir data/vb").sde.name == "ouve")
    }
}
