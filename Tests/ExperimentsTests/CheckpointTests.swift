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

/// All but `swapped.ckpt`, which imitates one, are checkpoints of the reference's training.
@Suite struct CheckpointTests {
    private static let bridge = "bridge.ckpt"
    private static let perceptual = "fit_bridge_perceptual/model.ckpt"
    private static let old = "older_layout_no_ema/model.ckpt"
    private static let checkpoints = [bridge, perceptual, old]

    // MARK: Inspecting

    @Test func aFileWrittenAfterAValidationSaysWhereItsWeightsLie() throws {
        let found = try CheckpointInspection(path: checkpointFixture("swapped.ckpt"))
        #expect(found.parts.map(\.name) == ["state_dict", "ema.shadow_params", "ema.collected_params"])
        #expect(found.rawWeights == "ema.collected_params")
        #expect(found.averagedWeights == "ema.shadow_params, and state_dict")
        #expect(found.remarks.contains { $0.contains("after a validation") })
        let stale = try CheckpointInspection(path: checkpointFixture("stale.ckpt"))
        #expect((stale.rawWeights, stale.averagedWeights) == ("state_dict", "ema.shadow_params"))
        let whole = try CheckpointInspection(path: checkpointFixture(Self.perceptual))
        #expect(whole.kind == "PyTorch Lightning 2.6.6")
        #expect((whole.epoch, whole.step) == (1, 3))
        #expect(
            whole.hyperParameters.contains {
                $0.name == "data_module_cls" && $0.value == "class sgmse.data_module.SpecsDataModule"
            })
        #expect(whole.others.contains { $0.name == "optimizer_states" })
        #expect(whole.remarks.contains { $0.contains("pesq_loss") })
        #expect(try CheckpointInspection(path: checkpointFixture(Self.old)).averagedWeights.hasPrefix("none"))
    }

    // MARK: Hyper-parameters

    @Test func hyperParametersBecomeASpec() throws {
        let model = try StoredModel(at: checkpointFixture(Self.bridge))
        let spec = model.spec
        #expect(
            (spec.backbone.name, spec.sde.name, spec.objective.loss.name) == ("ncsnpp_v2", "sbve", "data_prediction"))
        #expect(spec.backbone.settings.integer("nf") == 8)
        #expect(spec.backbone.settings.integer("image_size") == 64)
        #expect((spec.transform.nFFT, spec.transform.hopLength, spec.data.sampleRate) == (126, 63, 16000))
        #expect(spec.evaluationPoints().map(\.sampler.name) == ["sb_ode"])
        #expect(spec.train.maxSteps == 0)
        #expect(spec.evaluate.padding == .reflection)
        let old = try StoredModel(at: checkpointFixture(Self.old))
        #expect(old.remarks == ["without a counterpart here, and left out: gpus, no_wandb, return_time"])
        #expect(old.spec.evaluate.padding == .zeroPad)
    }

    private func imported(_ values: [(String, SettingValue)]) throws -> (spec: ExperimentSpec, remarks: [String]) {
        let vocabulary = Catalog.standard.vocabulary
        let imported = HyperParameterImport(
            values.map { ($0.0, $0.1) }, name: "x", weights: "x.ckpt", vocabulary: vocabulary)
        return (try SpecLoader(vocabulary: vocabulary).load(text: imported.yaml).spec, imported.remarks)
    }

    @Test func whatAFileDoesNotSayIsWhatTheConstructorsTake() throws {
        let complex = try imported([
            ("backbone", .text("dcunet")), ("sde", .text("ouve")), ("n_fft", .integer(512)), ("base_dir", .text("vb")),
        ]).spec
        #expect(complex.backbone.settings.integer("dcunet_temb_layers_global") == 2)
        #expect(complex.backbone.settings.text("dcunet_activation") == "relu")
        let fullband = try imported([
            ("backbone", .text("ncsnpp_48k")), ("n_fft", .integer(1534)), ("hop_length", .integer(384)),
            ("sr", .integer(16000)), ("base_dir", .text("e")),
        ])
        #expect(fullband.spec.data.sampleRate == 48000)
        #expect(fullband.remarks.contains { $0.contains("sr 16000") })
        let early = try imported([
            ("loss_type", .text("mse")), ("N", .integer(1000)), ("base_dir", .text("e")),
            ("network_scaling", .text("1/t")),
        ])
        #expect(early.spec.objective.loss.name == "score_matching")
        #expect(early.spec.evaluate.N == [30])
        #expect(early.remarks.contains { $0.contains("network_scaling") })
        let flow = try imported([("sampler_type", .text("ode")), ("N", .integer(30)), ("base_dir", .text("e"))]).spec
        #expect(flow.evaluationPoints().map(\.sampler.name) == ["ode"])
    }

    /// The options come back as they were, whichever way a model travels.
    @Test(arguments: checkpoints) func hyperParametersSurviveARoundTrip(name: String) throws {
        // The weight of the perceptual loss is not handed on: with it, the reference expects constants of that loss.
        let spec = try StoredModel(at: checkpointFixture(name)).spec.with("objective.pesq_weight", .number(0))
        let exported = try HyperParameterExport(spec).values
        let again = try imported(exported.map { ($0.name, $0.value) }).spec
        for path in [
            "backbone", "sde", "objective", "transform", "data", "train.lr", "train.ema_decay", "train.batch_size",
            "evaluate.sampler",
        ] {
            #expect(again.settings.value(at: path) == spec.settings.value(at: path), "\(path)")
        }
    }

    // MARK: Import and export

    @Test(arguments: checkpoints) func exportedFilesHoldWhatWasImported(name: String) throws {
        try withFolder { folder in
            let report = try CheckpointImport().run(checkpointFixture(name), to: folder + "/model")
            #expect(report.sources.filter { $0.contains("weights") }.count == (name == Self.old ? 1 : 2))
            let model = try StoredModel(at: folder + "/model")
            let alone = try StoredModel(at: folder + "/model/weights.safetensors")
            #expect(alone.spec.backbone == model.spec.backbone)
            _ = try CheckpointExport().run(model, to: folder + "/out.ckpt")
            let (before, after) = (
                try LightningCheckpoint(path: checkpointFixture(name)),
                try LightningCheckpoint(path: folder + "/out.ckpt")
            )
            let network = before.parameters.filter { !$0.name.hasPrefix("pesq_loss.") }
            #expect(after.parameters.map(\.name) == network.map(\.name))
            #expect(after.parameters.map(\.tensor.shape) == network.map(\.tensor.shape))
            #expect(after.movingAverage?.shadow.map(\.shape) == before.movingAverage?.shadow.map(\.shape))
            #expect((after.movingAverage == nil) == (name == Self.old))
            for choice in [LightningCheckpoint.Choice.raw, .averagedIfPresent] {
                let values = try before.weights(choice).arrays.filter { $0.name?.hasPrefix("dnn.") ?? false }
                #expect(try after.weights(choice).arrays.map(\.values) == values.map(\.values), "\(choice)")
            }
            #expect(
                after.hyperParameters["data_module_cls"]
                    == .reference(.init(module: "sgmse.data_module", name: "SpecsDataModule")))
            #expect((after.globalStep, after.epoch) == (before.globalStep, before.epoch))
            #expect(after.movingAverage?.updates == before.movingAverage?.updates)
            let names = network.map(\.name)
            let (old, new) = (try before.adam(parameters: names), try after.adam(parameters: names))
            #expect((old == nil) == (name != Self.perceptual))
            #expect(new?.updates == old?.updates)
            #expect(new?.moments.mapValues(\.first) == old?.moments.mapValues(\.first))
            #expect(new?.moments.mapValues(\.second) == old?.moments.mapValues(\.second))
        }
    }

    @Test func chosenWeightsAreKeptAndNamed() throws {
        try withFolder { folder in
            let raw = try CheckpointImport().run(checkpointFixture(Self.bridge), to: folder + "/raw", weights: .raw)
            #expect(raw.sources == ["raw weights from state_dict"])
            let average = try CheckpointImport().run(checkpointFixture(Self.bridge), to: folder + "/ema", weights: .ema)
            #expect(average.sources == ["ema weights from ema.shadow_params"])
            let model = try StoredModel(at: folder + "/ema")
            #expect(try model.weights(.ema).areAveraged)
            #expect(throws: CheckpointError.self) { try model.weights(.raw) }
            #expect(try StoredModel(at: folder + "/raw").weights(.ema).remark?.contains("raw weights") == true)
        }
    }

    @Test func whatIsThereAlreadyIsKept() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: folder + "/model", withIntermediateDirectories: true)
            #expect(throws: CheckpointError.self) {
                try CheckpointImport().run(checkpointFixture(Self.bridge), to: folder + "/model")
            }
            _ = try CheckpointImport().run(checkpointFixture(Self.bridge), to: folder + "/model", replaces: true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["model"])
            let model = try StoredModel(at: folder + "/model")
            _ = try CheckpointExport().run(model, to: folder + "/a.ckpt")
            #expect(throws: CheckpointError.self) { try CheckpointExport().run(model, to: folder + "/a.ckpt") }
            _ = try CheckpointExport().run(model, to: folder + "/new/deep/a.ckpt")
            #expect(FileManager.default.fileExists(atPath: folder + "/new/deep/a.ckpt"))
        }
    }

    @Test func diffusionsThatTheReferenceLacksAreNotExported() throws {
        let spec = try StoredModel(at: checkpointFixture(Self.old)).spec.with("sde", .choice(Choice("vp")))
        #expect(throws: UnknownEntry.self) { try HyperParameterExport(spec) }
    }

    /// The averages of a conditioned model cover its encoder, network first.
    @Test func conditionedModelsCarryTheirEncoder() throws {
        let catalog = Catalog.standard
        let values: [(String, SettingValue)] = [
            ("backbone", .text("ncsnpp_v2_cond")), ("sde", .text("ouve")), ("nf", .integer(8)),
            ("ch_mult", .list([.integer(1)])),
            ("num_res_blocks", .integer(1)), ("attn_resolutions", .list([])), ("n_fft", .integer(62)),
            ("hop_length", .integer(16)),
            ("noise_encoder_type", .text("light")), ("noise_embed_dim", .integer(24)), ("base_dir", .text("vb")),
        ]
        let spec = try imported(values).spec
        let model = try ModelBuilder(spec: spec, catalog: catalog).model(seed: 0)
        let encoder = try #require(model.encoder)
        let named =
            model.backbone.parameters.map { ("dnn." + $0.name, $0) }
            + encoder.parameters.map { ("noise_encoder." + $0.name, $0) }
        let arrays = named.map { NamedArray(name: $0, shape: $1.shape, values: $1.tensor.values) }
        let halves = arrays.map { NamedArray(name: $0.name, shape: $0.shape, values: $0.values.map { $0 / 2 }) }
        try withFolder { folder in
            try LightningCheckpoint.write(
                .init(
                    weights: arrays, hyperParameters: values.reduce(into: [:]) { $0[$1.0] = PickleValue($1.1) },
                    average: .init(decay: 0.999, updates: 3, parameters: halves)), to: folder + "/a.ckpt")
            _ = try CheckpointImport().run(folder + "/a.ckpt", to: folder + "/a")
            _ = try CheckpointExport().run(StoredModel(at: folder + "/a"), to: folder + "/b.ckpt")
            // Its injections are add and film, its encoders default and light.
            let model = try StoredModel(at: folder + "/a")
            for override in [
                "backbone.noise_cond_type=adagn", "backbone.noise_cond_type=cross_attention",
                "conditioning.noise_encoder_type=sequence",
            ] {
                let other = try model.overriding([override])
                let error = #expect(throws: CheckpointError.self) {
                    try CheckpointExport().run(other, to: folder + "/c.ckpt")
                }
                let words = override.split(separator: ".")[1].split(separator: "=")
                #expect(error?.reason.contains("\(words[0]) '\(words[1])'") == true, "\(override)")
                #expect(!FileManager.default.fileExists(atPath: folder + "/c.ckpt"))
            }
            let back = try LightningCheckpoint(path: folder + "/b.ckpt")
            #expect(try back.weights(.raw).arrays.map(\.name) == arrays.map(\.name))
            #expect(try back.weights(.averaged).arrays.map(\.values) == halves.map(\.values))
            #expect(
                back.hyperParameters["data_module_cls"]
                    == .reference(.init(module: "sgmse.data_module_cond", name: "NoiseCondSpecsDataModule")))
        }
    }

    /// Running statistics travel beside the averages, and counters of batches are integers to PyTorch.
    @Test func runningStatisticsTravelToo() throws {
        let values: [(String, SettingValue)] = [
            ("backbone", .text("dcunet")), ("sde", .text("ouve")), ("dcunet_architecture", .text("DCUNet-10")),
            ("embed_dim", .integer(8)), ("n_fft", .integer(512)), ("base_dir", .text("vb")),
        ]
        let network = try Catalog.standard.backbones.make(imported(values).spec.backbone).make(BackboneContext())
        #expect(!network.buffers.isEmpty)
        var arrays = network.parameters.map {
            NamedArray(name: "dnn." + $0.name, shape: $0.shape, values: $0.tensor.values)
        }
        for buffer in network.buffers {
            let isCounter = buffer.name.hasSuffix("num_batches_tracked")
            arrays.append(
                isCounter
                    ? NamedArray(name: "dnn." + buffer.name, shape: [], integers: [1 << 30])
                    : NamedArray(
                        name: "dnn." + buffer.name, shape: buffer.shape, values: buffer.tensor.values.map { $0 + 0.5 }))
        }
        let average = network.parameters.map { NamedArray(shape: $0.shape, values: $0.tensor.values.map { $0 * 2 }) }
        try withFolder { folder in
            try LightningCheckpoint.write(
                .init(
                    weights: arrays, hyperParameters: values.reduce(into: [:]) { $0[$1.0] = PickleValue($1.1) },
                    average: .init(decay: 0.999, updates: 3, parameters: average)), to: folder + "/a.ckpt")
            _ = try CheckpointImport().run(folder + "/a.ckpt", to: folder + "/a")
            _ = try CheckpointExport().run(StoredModel(at: folder + "/a"), to: folder + "/b.ckpt")
            let back = try LightningCheckpoint(path: folder + "/b.ckpt").weights(
                .raw, parameters: network.parameters.map { "dnn." + $0.name })
            #expect(Set(back.arrays.map(\.name)) == Set(arrays.map(\.name)))
            let byName = Dictionary(uniqueKeysWithValues: back.arrays.map { ($0.name, $0) })
            for array in arrays {
                #expect(byName[array.name]?.values == array.values, "\(array.name ?? "")")
                #expect(byName[array.name]?.type == array.type)
            }
            // A module's statistics stand behind its parameters, as in PyTorch.
            let names = back.arrays.compactMap(\.name)
            let weight = try #require(names.firstIndex { $0.hasSuffix("re_module.bias") })
            #expect(names[weight + 1].hasSuffix("re_module.running_mean"))
        }
    }
}

extension PickleValue {
    fileprivate init(_ value: SettingValue) {
        switch value {
        case .integer(let value): self = .int(value)
        case .text(let value): self = .string(value)
        case .list(let values): self = .list(values.map { PickleValue($0) })
        default: self = .none
        }
    }
}
