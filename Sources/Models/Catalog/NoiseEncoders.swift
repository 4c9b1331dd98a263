public import Backbones
import SpecLanguage
import Specs

/// What a noise encoder's construction takes from a spec's conditioning.
public struct NoiseEncoderContext: Sendable {
    /// Of the initial weights.
    public var seed: UInt64
    /// `noise_encoder_nf`, filters of the first convolution.
    package var filters = 64
    /// `noise_embed_dim`, length of the embedding.
    package var width = 512

    public init(seed: UInt64 = 0) { self.seed = seed }
}

/// Builds a noise encoder whose parameters are chosen.
public struct NoiseEncoderFactory: Sendable {
    /// - Throws: `BackboneError` where the widths give no network.
    public let make: @Sendable (NoiseEncoderContext) throws -> any NoiseEncoder
}

extension Registry<NoiseEncoderFactory> {
    /// The networks that embed a noise reference, by the reference's names.
    static let noiseEncoders = Registry(
        "noise encoder",
        [
            convolutional(
                "default", "convolutions of stride 2, means over four bands, two linear layers",
                source: "moonx010/sgmse",
                isSequence: false),
            convolutional(
                "sequence", "as default, with an embedding for each of the frames that the strides leave",
                isSequence: true),
            Entry(
                "light", "mean over time, three convolutions along the bins, two linear layers",
                source: "moonx010/sgmse"
            ) { NoiseEncoderFactory { try LightNoiseEncoder(width: $0.width, seed: $0.seed) } },
        ])

    private struct ConvolutionalSettings: Sendable {
        var layers = 4
    }

    private static func convolutional(_ name: String, _ summary: String, source: String = "", isSequence: Bool) -> Entry
    {
        Entry(
            name, summary, source: source, of: ConvolutionalSettings(),
            [Setting(\.layers, "num_layers", in: .between(1, 16), "convolutions")]
        ) { settings in
            NoiseEncoderFactory { context in
                try ConvolutionalNoiseEncoder(
                    filters: context.filters, width: context.width, layers: settings.layers, isSequence: isSequence,
                    seed: context.seed)
            }
        }
    }
}
