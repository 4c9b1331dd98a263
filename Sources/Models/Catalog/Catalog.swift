import Corpora
public import Diffusion
public import SpecLanguage
public import Specs
public import SpeechMetrics

/// Everything a spec can name, with how it is built: an immutable value that `main` makes and passes down.
public struct Catalog: Sendable {
    /// What training and test pairs come from.
    public var corpora: Registry<any CorpusSource>
    /// The diffusions, whose properties are their parameters.
    public var sdes: Registry<any SDE>
    /// The networks, each checked against spectrograms of a size before it is built.
    public var backbones: Registry<BackboneFactory>
    /// What embeds the noise reference of a conditioned model.
    public var noiseEncoders: Registry<NoiseEncoderFactory>
    /// What trainings minimise.
    public var losses: Registry<LossFactory>
    /// What takes a model from the noisy end of its diffusion to clean speech.
    public var samplers: Registry<SamplerFactory>
    /// The steps back in time of the sampler `pc`.
    public var predictors: Registry<any Predictor>
    /// The steps at each time of the sampler `pc`.
    public var correctors: Registry<CorrectorFactory>
    /// The filters without training that stand in tables beside the systems.
    public var anchors: Registry<any AnchorFilter>
    /// What enhanced files are scored by.
    public var metrics: MetricCatalog

    /// All that the product has.
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
