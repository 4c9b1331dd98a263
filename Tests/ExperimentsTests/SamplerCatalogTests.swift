import Backbones
import Diffusion
import Experiments
import Gates
import Kernels
import Models
import SpecLanguage
import Specs
import Tensors
import Testing

/// Samplers as a spec names them.
@Suite struct SamplerCatalogTests {
    private func spec(_ sampler: String) -> String {
        """
        name: start
        data: { corpus: { name: synthetic, train: 2, valid: 1, test: 1 }, num_frames: 16 }
        transform: { n_fft: 62, hop_length: 16 }
        backbone: { name: ncsnpp_v2, nf: 8, ch_mult: [1], num_res_blocks: 1, attn_resolutions: [] }
        sde: bbed
        objective: { loss_type: score_matching }
        train: { max_steps: 1, num_eval_files: 0 }
        evaluate: { checkpoint: last, sampler: \(sampler) }

        """
    }

    @Test(arguments: ["pc", "ode", "ode_euler", "ode_heun"]) func samplingStartsWhereItIsTold(name: String) throws {
        for (start, expected) in [(", start: 0.5", 0.5), ("", 0.999)] {
            let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(
                text: spec("{ name: \(name)\(start) }"))
            let point = try #require(loaded.runs.first?.evaluations.first?.point)
            let sampler = try ModelBuilder(spec: loaded.spec, catalog: .standard)
                .sampler(point.sampler, steps: point.N, finalTime: point.tEps)
            #expect(sampler.start == expected)
        }
    }

    /// The bridge's drift is singular at 1, and there is nothing to do before the last time.
    @Test(arguments: [1.0, 0.02]) func aStartOutsideOfTheProcessIsRefusedBeforeTheTraining(start: Double) throws {
        let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(
            text: spec("{ name: pc, start: \(start) }"))
        let error = #expect(throws: IncompatibleParts.self) { try ProtocolGate.enforce(loaded) }
        #expect(error?.reason.contains("0.999") == true)
    }

    /// Every sampler of the registry, on every process that takes it, says whether a sample depends on its batch.
    @Test(arguments: Catalog.standard.samplers.entries.map(\.name), [false, true])
    func aSamplerKnowsWhetherItsSamplesAreIndependent(name: String, isFlow: Bool) throws {
        let catalog = Catalog.standard
        let bridged = ["sb_ode", "sb_sde", "edm2_ode", "edm2_sde"].contains(name)
        let process = bridged ? "sbve" : isFlow && name != "pc" ? "flow" : "ouve"
        let sde = try #require(catalog.sdes.entries.first { $0.name == process }).standard()
        let sampler = try #require(catalog.samplers.entries.first { $0.name == name }).standard().make(
            SamplerContext(catalog: catalog, sde: sde, steps: 3, finalTime: 0.03))
        func stream(_ sample: Int) -> [Float] {
            RandomStream(seed: 2, purpose: "y", sample).normals(64, standardDeviation: 0.1 * Double(1 + 4 * sample))
        }
        func run(_ samples: [Int]) -> [[Float]] {
            var noise = NoiseSource.addressed(seed: 1, files: samples.map { "\($0)" })
            let y = Tensor(samples.flatMap(stream), shape: [samples.count, 4, 8, 2])
            let x = sampler.sample(given: y, noise: &noise) { x, y, t in
                .weighted(0.3 + t, y - 0.05 * (x * y), -0.5, x)
            }.x
            return samples.indices.map { x.samples($0..<$0 + 1).values }
        }
        let (together, alone) = (run([0, 1, 2]), [0, 1, 2].map { run([$0])[0] })
        #expect((together == alone) == sampler.samplesAreIndependent)
        #expect(alone[0].allSatisfy(\.isFinite) && Set(alone).count == 3)
    }

    /// A filter whose estimate never follows the frames is no filter; 1 ended the program once.
    @Test func everyAnchorThatTheLanguageTakesIsBuilt() throws {
        func load(_ smoothing: String) throws -> LoadedSpec {
            let text = spec("pc").replacing(
                "checkpoint: last", with: "checkpoint: last, anchors: [{ name: wiener, smoothing: \(smoothing) }]")
            return try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text)
        }
        for smoothing in ["0", "0.999"] {
            let anchor = try #require(try load(smoothing).spec.evaluate.anchors.first)
            let filter = try Catalog.standard.anchors.make(anchor)
            #expect(try filter([0.1, 0.2, 0.1], sampleRate: 16_000).count == 3)
        }
        #expect(throws: SpecErrors.self) { try load("1") }
    }

    /// Losses and samplers of average velocities ask for both ends of a stretch.
    @Test(arguments: [
        ("mean_flow", "ode_euler", 1), ("velocity_matching", "mean_flow", 1), ("composition", "mean_flow", 2),
        ("velocity_matching", "ode_heun", 0),
    ])
    func averagesNeedANetworkOfTwoTimes(loss: String, sampler: String, mistakes: Int) throws {
        func load(_ backbone: String) throws -> LoadedSpec {
            let text = spec(sampler).replacing("sde: bbed", with: "sde: flow").replacing("score_matching", with: loss)
                .replacing("ncsnpp_v2", with: backbone)
            return try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text)
        }
        let model = try ModelBuilder(spec: try load("ncsnpp_interval").spec, catalog: .standard).model(seed: 0)
        #expect(model.backbone.parameterCount > 0)
        guard mistakes > 0 else { return }
        let error = #expect(throws: SpecErrors.self) { try load("ncsnpp_v2") }
        #expect(error?.all.count { $0.code == "interval" } == mistakes)
    }
}
