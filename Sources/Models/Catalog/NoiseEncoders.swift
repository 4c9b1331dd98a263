package import Backbones
package import SpecLanguage
import Specs

extension Registry<any NoiseEncoder> {
    /// The networks that embed a noise reference, by the reference's names.
    ///
    /// Widths and filters come from the spec's conditioning: `noise_embed_dim` and `noise_encoder_nf`.
    package static let noiseEncoders: Registry<any NoiseEncoder> = Registry(
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
            ) {
                try LightNoiseEncoder(
                    width: $0.optionalInteger("noise_embed_dim") ?? 512, seed: UInt64($0.optionalInteger("seed") ?? 0))
            },
        ])

    private static func convolutional(_ name: String, _ summary: String, source: String = "", isSequence: Bool) -> Entry
    {
        Entry(
            name, summary, source: source,
            parameters: [.integer("num_layers", default: 4, in: .between(1, 16), "convolutions")]
        ) { settings in
            try ConvolutionalNoiseEncoder(
                filters: settings.optionalInteger("noise_encoder_nf") ?? 64,
                width: settings.optionalInteger("noise_embed_dim") ?? 512, layers: settings.integer("num_layers"),
                isSequence: isSequence, seed: UInt64(settings.optionalInteger("seed") ?? 0))
        }
    }
}
