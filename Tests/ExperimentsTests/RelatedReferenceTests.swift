import Backbones
import Checkpoints
import Experiments
import Foundation
import Models
import ReferenceCommands
import SpecLanguage
import Specs
import Tensors
import Testing
import WeightFiles

/// Checkpoints and commands of the references of StoRM and of EDM2 for speech.
@Suite struct RelatedReferenceTests {
    private static let snapshot = ConformanceTests.root + "/edm2/checkpoint_snapshot_pickle/network-snapshot.pkl"

    private func spec(_ command: String) throws -> ExperimentSpec {
        let imported = try CommandImport(command, vocabulary: Catalog.standard.vocabulary)
        return try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: imported.yaml).spec
    }

    @Test func trainingCommandsBecomeSpecs() throws {
        let storm = try spec(
            """
            python train.py --mode regen-freeze-denoiser --base_dir d --condition post_denoiser \
            --weighting_denoiser_to_score 0.3
            """
        )
        #expect(
            storm.regression?.training == .frozen && storm.regression?.condition == .estimate
                && storm.regression?.weight == 0.3)
        #expect(
            storm.transform.specFactor == 0.33 && storm.train.earlyStopping?.monitor == .validationLoss
                && storm.train.maxEpochs == 1000)
        let sized = try spec(
            """
            python train.py --mode regen-joint-training --base_dir d --backbone_score ncsnpplarge --backbone_denoiser \
            ncsnpp6M
            """
        )
        #expect(sized.backbone.name == "ncsnpp_storm_large" && sized.regression?.backbone.name == "ncsnpp_storm_6m")
        let alone = try spec("python train.py --mode denoiser-only --base_dir d")
        #expect(alone.regression?.training == .alone && alone.evaluate.samplers.map(\.name) == ["regression"])
        #expect(try spec("python train.py --mode score-only --base_dir d").regression == nil)
        let edm2 = try spec("torchrun --nproc_per_node=2 train.py --run_dir=r --data=d --batch=8 --lr=1e-3")
        #expect(
            edm2.backbone.name == "edm2" && edm2.train.batchSize == 8 && edm2.train.lr == 1e-3
                && edm2.train.emaStds == [0.05, 0.1])
    }

    /// A regression by itself: its estimate is that of the reference's own network, and it comes as a model of its own.
    @Test func aCheckpointOfARegressionAloneIsRead() throws {
        let folder = ConformanceTests.root + "/checkpoint/"
        let stored = try StoredModel(at: folder + "denoiser.ckpt")
        #expect(stored.spec.regression?.training == .alone && stored.spec.regression?.loss == .mae)
        #expect(
            stored.spec.evaluate.samplers.map(\.name) == ["regression"]
                && stored.remarks.contains { $0.contains("regression alone") })
        let file = try SafetensorsFile(path: folder + "denoiser.safetensors")
        func tensor(_ name: String) throws -> Tensor {
            let array = try file.array(name)
            return Tensor(array.values, shape: array.shape)
        }
        let (y, expected) = (try tensor("y"), try tensor("d"))
        func error(_ model: StoredModel, _ choice: StoredModel.Choice) throws -> Double {
            let regression = try #require(try model.enhancer(choice).enhancer.model.regression)
            let estimate = Gradients.off { regression(y) }
            return (estimate - expected).squaredNorm.squareRoot() / expected.squaredNorm.squareRoot()
        }
        #expect(try error(stored, .ema) < 2e-5)
        #expect(try error(stored, .raw) > 1e-3)
        let target = FileManager.default.temporaryDirectory.appendingPathComponent(
            "sgmse-denoiser-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: target) }
        #expect(try CheckpointImport().run(folder + "denoiser.ckpt", to: target).parameters == 11_690)
        #expect(try error(try StoredModel(at: target), .ema) < 2e-5)
        let output = try StoredModel(at: target).enhancer(.ema).enhancer.enhance(
            (0..<1500).map { 0.1 * Float($0 % 37) / 37 }, file: "a", seed: 0)
        #expect(output.nfe == 1 && output.audio.allSatisfy(\.isFinite))
        // Two networks are not made of one.
        #expect(throws: UnknownEntry.self) { try CheckpointExport().run(stored, to: target + "/back.ckpt") }
    }

    @Test func aCheckpointOfADiffusionAloneIsThatOfItsOwnNetwork() throws {
        let values: [(name: String, value: SettingValue)] = [
            ("backbone", .text("ncsnpplarge")), ("sde", .text("ouve")), ("spatial_channels", .integer(1)),
            ("discriminative", .bool(false)), ("loss_type", .text("mae")), ("spec_factor", .number(0.33)),
        ]
        let imported = HyperParameterImport(
            values, name: "a", weights: "a.ckpt", vocabulary: Catalog.standard.vocabulary)
        let spec = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: imported.yaml).spec
        #expect(
            spec.regression == nil && spec.backbone.name == "ncsnpp_storm_large" && spec.transform.specFactor == 0.33)
        #expect(spec.objective.loss.name == "score_matching_mae" && spec.evaluate.N == [50])
    }

    @Test func enhancementCommandsBecomeSpecs() throws {
        let storm = try spec(
            """
            python enhancement.py --test_dir d/noisy --enhanced_dir o --ckpt c.ckpt --mode storm --corrector none --N \
            30
            """
        )
        #expect(storm.evaluate.N == [30] && storm.evaluate.samplers[0].settings.choice("corrector").name == "none")
        #expect(storm.evaluate.sets[0].path == "d" && storm.train.maxSteps == 0)
        let edm2 = try spec(
            "python generate.py --net n.ckpt --test_dir d/noisy --out_dir o --num_steps 20 --sampler sde")
        #expect(edm2.evaluate.N == [20] && edm2.evaluate.samplers[0].name == "edm2_sde")
    }

    @Test(arguments: [
        "python train.py --mode regen-joint-training",
        "python train.py --mode regen-joint-training --base_dir d --colour red",
        "python generate.py --net n.ckpt", "python enhancement.py --mode storm --test_dir",
    ])
    func mistakesAreReported(command: String) {
        #expect(throws: SpecErrors.self) { try CommandImport(command, vocabulary: Catalog.standard.vocabulary) }
    }

    /// The module's attributes say what the names do not: heads, levels with attention, deviations.
    @Test func aSnapshotDescribesItself() throws {
        let model = try StoredModel(at: Self.snapshot)
        let settings = model.spec.backbone.settings
        #expect(
            settings.integer("channels_per_head") == 4 && settings.integers("attn_resolutions") == [16]
                && settings.integer("model_channels") == 8)
        #expect(
            settings.number("sigma_x") == 0.402 && settings.integer("c_s") == 1
                && model.spec.sde.settings.number("k") == 2.6)
        #expect(try model.weights(.ema).areAveraged)
        #expect(throws: (any Error).self) { try model.weights(.raw) }
    }

    /// A snapshot becomes a folder, the folder a state dictionary, and that is the same network.
    @Test func anEDM2ModelGoesThereAndBack() throws {
        try withFolder { folder in
            let report = try CheckpointImport().run(Self.snapshot, to: folder + "/model")
            #expect(report.sources == ["ema weights from the ema module"])
            _ = try CheckpointExport().run(try StoredModel(at: folder + "/model"), to: folder + "/back.ckpt")
            let (before, after) = (try StoredModel(at: Self.snapshot), try StoredModel(at: folder + "/back.ckpt"))
            let weights = [try before.weights(.ema).arrays, try after.weights(.ema).arrays].map { arrays in
                Dictionary(uniqueKeysWithValues: arrays.map { ($0.name ?? "", $0.values) })
            }
            #expect(weights[0] == weights[1] && !weights[0].isEmpty)
        }
    }
}
