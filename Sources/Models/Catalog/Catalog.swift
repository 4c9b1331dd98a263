import Corpora
public import Diffusion
public import SpecLanguage
public import Specs
public import SpeechMetrics

/// Everything a spec can name, with how it is built: an immutable value that `main` makes and passes down.
public struct Catalog: Sendable {
    public var corpora: Registry<any CorpusSource>
    public var sdes: Registry<any SDE>
    public var backbones: Registry<BackboneFactory>
    public var noiseEncoders: Registry<NoiseEncoderFactory>
    public var losses: Registry<LossFactory>
    public var samplers: Registry<SamplerFactory>
    public var predictors: Registry<any Predictor>
    public var correctors: Registry<CorrectorFactory>
    public var anchors: Registry<any AnchorFilter>
    public var metrics: MetricCatalog

    public static let standard: Catalog = Catalog(
        corpora: .corpora, sdes: .sdes, backbones: .backbones, noiseEncoders: .noiseEncoders, losses: .losses,
        samplers: .samplers,
        predictors: .predictors, correctors: .correctors, anchors: .anchors, metrics: .standard)

    /// What the spec language may name.
    public var vocabulary: Vocabulary {
        Vocabulary(
            [
                .corpus: corpora.descriptors, .sde: sdes.descriptors, .backbone: backbones.descriptors,
                .loss: losses.descriptors, .sampler: samplers.descriptors, .predictor: predictors.descriptors,
                .corrector: correctors.descriptors, .anchor: anchors.descriptors,
                .metric: metrics.metrics.map { EntryDescriptor($0.name, $0.summary, source: $0.source) },
                .noiseEncoder: noiseEncoders.descriptors,
            ], gates: gates(areWaivable: true), fixedGates: gates(areWaivable: false))
    }

    /// The names of the protocol's checks that a spec may waive, or of those without which nothing can be read.
    private func gates(areWaivable: Bool) -> [String] {
        Finding.Code.allCases.filter { $0.isWaivable == areWaivable }.map(\.rawValue)
    }
}
