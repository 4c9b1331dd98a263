import Checkpoints
import Diffusion
import Experiments
import Models
import ReferenceCommands
import SpecLanguage
import Specs
import Tensors
import Testing
import WeightFiles

/// Checkpoints and commands of the references of average velocities, MeanFlowSE and COSE.
@Suite struct MeanFlowReferenceTests {
    private static let folder = ConformanceTests.root + "/checkpoint/"

    private func spec(_ command: String) throws -> (spec: ExperimentSpec, remarks: [String]) {
        let imported = try CommandImport(command, vocabulary: Catalog.standard.vocabulary)
        return (
            try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: imported.yaml).spec, imported.remarks
        )
    }

    @Test func aCheckpointSaysWhichLossAndSamplerItIsFor() throws {
        let model = try StoredModel(at: Self.folder + "mean_flow.ckpt")
        #expect(model.spec.backbone.name == "ncsnpp_interval" && model.spec.sde.name == "flow")
        let loss = model.spec.objective.loss
        #expect(
            loss.name == "mean_flow" && loss.settings.number("correction") == 1 && loss.settings.number("equal") == 0.2)
        #expect(model.spec.evaluate.samplers[0].name == "mean_flow" && model.spec.evaluate.N == [1])
        #expect(
            model.remarks.contains { $0.contains("--last_eval_point") }
                && !model.remarks.contains { $0.contains("counterpart") })
    }

    /// The average velocity is that of the reference's own network, computed by it from the same weights.
    @Test func aCheckpointsNetworkAgreesWithTheReference() throws {
        let model = try StoredModel(at: Self.folder + "mean_flow.ckpt").enhancer(.ema).enhancer.model
        let file = try SafetensorsFile(path: Self.folder + "mean_flow.safetensors")
        func tensor(_ name: String) throws -> Tensor {
            let array = try file.array(name)
            return Tensor(array.values, shape: array.shape)
        }
        let u = Gradients.off { model.average(try! tensor("x"), try! tensor("y"), from: [0.8], until: [0.3]) }
        let expected = try tensor("u")
        let (error, size) = ((u - expected).squaredNorm.squareRoot(), expected.squaredNorm.squareRoot())
        #expect(error < 2e-5 * size, "\(error) of \(size)")
        // The raw weights are others.
        let raw = try StoredModel(at: Self.folder + "mean_flow.ckpt").enhancer(.raw).enhancer.model
        let other = Gradients.off { raw.average(try! tensor("x"), try! tensor("y"), from: [0.8], until: [0.3]) }
        #expect((other - expected).squaredNorm.squareRoot() > 1e-2 * size)
    }

    @Test func aCheckpointEnhancesInOneStep() throws {
        let enhancer = try StoredModel(at: Self.folder + "mean_flow.ckpt").enhancer(.ema).enhancer
        let output = try enhancer.enhance((0..<1500).map { 0.1 * Float($0 % 37) / 37 }, file: "a", seed: 0)
        #expect(output.nfe == 1 && output.audio.count == 1500 && output.audio.allSatisfy(\.isFinite))
    }

    @Test func theReadmesCommandsMeanWhatTheySay() throws {
        let (trained, remarks) = try spec(
            """
            torchrun --standalone --nproc_per_node=4 train.py --backbone ncsnpp --ode flowmatching --base_dir vb \
            --batch_size 2 --num_workers 8 --max_epochs 150 --precision 32 --gradient_clip_val 1.0 --t_eps 0.03 \
            --T_rev 1.0 --sigma_min 0.0 --sigma_max 0.487 --use_mfse --mf_weight_final 0.25 --mf_warmup_frac 0.5 \
            --mf_delta_gamma_start 8.0 --mf_delta_gamma_end 2.0 --mf_delta_warmup_frac 0.7 --mf_r_equals_t_prob 0.1 \
            --mf_jvp_clip 5.0 --mf_jvp_eps 1e-3 --mf_jvp_impl fd --mf_jvp_chunk 1 --mf_skip_weight_thresh 0.05 \
            --val_metrics_every_n_epochs 1 --default_root_dir lightning_logs
            """)
        #expect(trained.backbone.name == "ncsnpp_interval" && trained.objective.loss.name == "mean_flow")
        #expect(trained.train.effectiveBatch == 8 && trained.train.maxEpochs == 150 && trained.train.gradClip == 1)
        #expect(
            remarks.contains { $0.hasPrefix("mf_delta_gamma_end is 1") }
                && !remarks.contains { $0.contains("gamma_start") })
        let (enhanced, ends) = try spec(
            """
            python evaluate.py --test_dir vb --folder_destination o --ckpt f --odesolver euler_mf \
            --reverse_starting_point 1.0 --last_eval_point 0.0 --one_step
            """
        )
        #expect(
            enhanced.evaluate.samplers[0].name == "mean_flow" && enhanced.evaluate.N == [1]
                && !ends.contains { $0.contains("last_eval_point") })
        #expect(
            try spec("python evaluate.py --test_dir vb --folder_destination o --ckpt f --one_step").remarks.contains {
                $0.contains("last_eval_point")
            })
        // Without its mark a training of this reference is one of velocities.
        #expect(try spec("python MeanFlowSE/train.py --base_dir vb").spec.objective.loss.name == "velocity_matching")
    }

    @Test func commandsOfCOSEAreKnownByTheirFolder() throws {
        let trained = try spec("python COSE/train.py --log_dir logs --base_dir vb").spec
        #expect(trained.objective.loss.name == "composition" && trained.sde.settings.text("origin") == "noise")
        #expect(trained.train.lr == 5e-5 && trained.train.effectiveBatch == 1 && trained.evaluate.N == [1])
        let enhanced = try spec("python COSE/enhancement.py --test_dir vb/noisy --enhanced_dir o --ckpt f --N 4").spec
        #expect(enhanced.evaluate.samplers[0].name == "mean_flow" && enhanced.evaluate.N == [4])
    }
}
