import Backbones
import Diffusion
import Experiments
import Foundation
import Layers
import Models
import Objectives
import SpecLanguage
import Specs
import Tensors
import Testing
import Training

/// A regression in front of a diffusion.
@Suite struct RegressionTests {
    private static func spec(_ regression: String, _ more: String = "") throws -> LoadedSpec {
        let small = "nf: 4, ch_mult: [1, 1], num_res_blocks: 1, attn_resolutions: []"
        return try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(
            text: """
                data: { corpus: synthetic, num_frames: 8 }
                transform: { n_fft: 30, hop_length: 8 }
                backbone: { name: ncsnpp_storm, \(small) }
                regression: { backbone: { name: ncsnpp_storm, \(small) }, \(regression) }
                train: { max_steps: 1, batch_size: 2 }
                \(more)
                """, file: "spec.yaml")
    }

    private func batch() -> TrainingBatchInput {
        func map(_ offset: Float) -> Tensor {
            Tensor((0..<2 * 16 * 8 * 2).map { sin(Float($0) * 0.37 + offset) }, shape: [2, 16, 8, 2])
        }
        return TrainingBatchInput(clean: map(0), noisy: map(1), times: [0.2, 0.8], noise: map(2))
    }

    private func norms(_ training: String, condition: String = "both") throws -> (regression: Double, diffusion: Double)
    {
        let loaded = try Self.spec("training: \(training), condition: \(condition)")
        let builder = ModelBuilder(spec: loaded.spec, catalog: .standard)
        let model = try builder.model(seed: 0)
        let state = TrainingState(model: model, loss: try builder.loss(), rate: 0, averageDecay: 0)
        let gradients = state.evaluate(batch()).total.gradients()
        func norm(_ isRegression: Bool) -> Double {
            model.weights.filter { $0.name.hasPrefix("regression.") == isRegression }.reduce(0) {
                $0 + (gradients[$1.parameter]?.squaredNorm ?? 0)
            }
        }
        return (norm(true), norm(false))
    }

    @Test(arguments: ["both", "post_denoiser", "noisy"]) func jointTrainingReachesBothNetworks(condition: String) throws
    {
        let found = try norms("joint", condition: condition)
        #expect(found.regression > 0 && found.diffusion > 0)
    }

    @Test func aFrozenRegressionHasNoGradient() throws {
        let found = try norms("frozen")
        #expect(found.regression == 0 && found.diffusion > 0)
    }

    @Test func aRegressionAloneLeavesTheDiffusion() throws {
        let found = try norms("alone")
        #expect(found.regression > 0 && found.diffusion == 0)
        #expect(try Self.spec("training: alone").spec.evaluate.samplers.map(\.name) == ["regression"])
    }

    /// With weight 0 and a condition on noisy speech alone, the process still ends at the estimate.
    @Test func theProcessRunsToTheEstimate() throws {
        let builder = ModelBuilder(spec: try Self.spec("weight: 0, condition: noisy").spec, catalog: .standard)
        let model = try builder.model(seed: 0)
        let state = TrainingState(model: model, loss: try builder.loss(), rate: 0, averageDecay: 0)
        let gradients = state.evaluate(batch()).total.gradients()
        let reached = model.weights.contains {
            $0.name.hasPrefix("regression.") && (gradients[$0.parameter]?.squaredNorm ?? 0) > 0
        }
        #expect(reached)
    }

    @Test func theTwoNetworksDoNotBeginEqual() throws {
        let model = try ModelBuilder(spec: try Self.spec("condition: noisy").spec, catalog: .standard).model(seed: 0)
        // Initial values follow from seed and name, and this name both have.
        let regression = try #require(model.regression).backbone.parameters.first { $0.name == "all_modules.0.W" }
        let network = model.backbone.parameters.first { $0.name == "all_modules.0.W" }
        #expect(regression?.shape == network?.shape && regression?.tensor.values != network?.tensor.values)
    }

    @Test func aSamplerOfNoRegressionIsRefused() throws {
        let loader = SpecLoader(vocabulary: Catalog.standard.vocabulary)
        let text = "data: { corpus: synthetic }\ntrain: { max_steps: 1 }\nevaluate: { sampler: regression }\n"
        #expect(throws: SpecErrors.self) { try loader.load(text: text, file: "spec.yaml") }
        #expect(throws: SpecErrors.self) { try Self.spec("training: alone", "evaluate: { sampler: pc }") }
    }
}
