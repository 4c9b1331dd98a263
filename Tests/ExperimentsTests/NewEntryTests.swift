import Backbones
import Diffusion
import Layers
import Models
import SpecLanguage
import Specs
import SpeechMetrics
import Tensors
import Testing

/// Exponential shrinking of what separates the state from noisy speech: an SDE that the product does not have.
///
///     f = rate (y − x),    g = spread √(2 rate)
private struct Shrinking: SDE {
    var rate = 2.0
    var spread = 0.3
    var endTime: Double { 1 }

    func drift(at t: Double) -> (x: Double, y: Double) { (-rate, rate) }
    func diffusion(at t: Double) -> Double { spread * (2 * rate).squareRoot() }
    func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) { (1 - t, t, spread * t) }
}

extension Registry<any SDE>.Entry {
    fileprivate static var shrinking: Self {
        .init(
            "shrinking", "Shrinks the difference", of: Shrinking(),
            [
                Setting(\.rate, "rate", in: .positive, "Of the pull."),
                Setting(\.spread, "spread", in: .positive, "Of the noise."),
            ],
            traits: [.steps(7), .samplers(["pc"]), .losses(["score_matching"])]
        ) { $0 }
    }
}

/// A network of one number, which the product does not have either.
private struct Scaling: Backbone {
    var factor: Double
    var seed: UInt64
    var parameters: [Parameter] { [] }
    var divisor: (bins: Int, frames: Int) { (1, 1) }

    func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor {
        .weighted(factor, x, 0, y)
    }
}

private struct ScalingOptions: BackboneOptions {
    var factor = 0.5

    func check(bins: Int, frames: Int) throws(BackboneError) {
        if frames > 64 { throw BackboneError(option: "factor", reason: "takes 64 frames at most, not \(frames)") }
    }
}

extension Registry<BackboneFactory>.Entry {
    fileprivate static var scaling: Self {
        .init(
            "scaling", "Multiplies", of: ScalingOptions(),
            [Setting(\.factor, "factor", in: .between(-1, 1), "What is multiplied by.")]
        ) { options in
            BackboneFactory(options) { Scaling(factor: $0.factor, seed: $1.seed) }
        }
    }
}

/// A metric that gives every file three.
private struct Three: SpeechMetric {
    let name = "three"
    let summary = "Three"
    let unit = ""
    let range = 0.0...10.0
    let direction = MetricDirection.higherIsBetter
    let rates = MetricRates.any
    let references: Set<PairSignal> = [.clean]
    let needsEqualLengths = true
    let mayBeInfinite = false
    let hasNoisyFloor = true
    let source = "here"

    func signature(at sampleRate: Int) -> String { "three 1" }
    func value(for pair: PairAnalysis) -> Double { 3 }
}

/// A new SDE, backbone or metric is an entry: the language, the checks, the builder and the lists then know it.
@Suite struct NewEntryTests {
    private static var catalog: Catalog {
        var catalog = Catalog.standard
        catalog.sdes = catalog.sdes.adding(.shrinking)
        catalog.backbones = catalog.backbones.adding(.scaling)
        catalog.metrics = MetricCatalog(catalog.metrics.metrics + [Three()])
        return catalog
    }

    private func load(sde: String, backbone: String = "scaling", frames: Int = 16) throws -> LoadedSpec {
        let text = """
            name: new
            data: { corpus: { name: synthetic, train: 2, valid: 1, test: 1 }, num_frames: \(frames) }
            transform: { n_fft: 62, hop_length: 16 }
            backbone: \(backbone)
            sde: \(sde)
            objective: { loss_type: score_matching }
            train: { max_steps: 1, num_eval_files: 0 }
            evaluate: { checkpoint: last, metrics: [three, si_sdr] }

            """
        return try SpecLoader(vocabulary: Self.catalog.vocabulary).load(text: text)
    }

    @Test func aSpecFillsTheNewSDE() throws {
        let loaded = try load(sde: "{ name: shrinking, rate: 3 }")
        let builder = ModelBuilder(spec: loaded.spec, catalog: Self.catalog)
        let sde = try #require(try builder.model(seed: 1).sde as? Shrinking)
        #expect(sde.rate == 3 && sde.spread == 0.3)
        // What its traits say holds for the whole spec.
        #expect(loaded.spec.evaluate.N == [7] && loaded.spec.evaluate.samplers.map(\.name) == ["pc"])
        #expect(try load(sde: "shrinking").runs[0].identity != loaded.runs[0].identity)
        #expect(Self.catalog.priorMismatch(of: "shrinking")?.value == 0)
    }

    @Test func itsMistakesAreLocated() throws {
        func problem(_ sde: String) -> String {
            do { _ = try load(sde: sde) } catch { return "\(error)" }
            return ""
        }
        #expect(problem("{ name: shrinking, rate: -1 }").contains("above 0"))
        #expect(problem("{ name: shrinking, rat: 1 }").contains("rate"))
        #expect(problem("shrinkin").contains("shrinking"))
    }

    @Test func aSpecFillsTheNewNetwork() throws {
        let loaded = try load(sde: "shrinking", backbone: "{ name: scaling, factor: 0.25 }")
        let network = try ModelBuilder(spec: loaded.spec, catalog: Self.catalog).model(seed: 9).backbone as? Scaling
        #expect(network?.factor == 0.25 && network?.seed == 9)
        #expect(throws: SpecErrors.self) {
            try NetworkCheck(Self.catalog).check(load(sde: "shrinking", frames: 128))
        }
    }

    @Test func aSpecFindsTheNewMetric() throws {
        let chosen = try load(sde: "shrinking").spec.evaluate.metrics.map(\.name)
        #expect(try Self.catalog.metrics.named(chosen).map { $0.signature(at: 16_000) }.first == "three 1")
    }
}
