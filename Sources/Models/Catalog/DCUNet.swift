public import Backbones
import Kernels
public import SpecLanguage
import Specs

extension DCUNetOptions.Architecture: SettingName {}
extension DCUNetOptions.TimeEmbedding: SettingName {}
extension DCUNetOptions.FixLength: SettingName {}
extension DCUNetOptions.MaskBound: SettingName {}
extension DCUNetOptions.Norm: SettingName {}

extension DCUNetOptions: BackboneOptions {
    package func check(bins: Int, frames: Int) throws(BackboneError) {
        try validate()
        guard takesAnyFrames else {
            throw BackboneError(
                option: "dcunet_fix_length",
                reason: "'none' takes a multiple of its strides plus one frame, and frames are padded to a "
                    + "multiple of 64; use 'pad' or 'trim'")
        }
    }
}

extension Registry<BackboneFactory> {
    private static let activations: [(name: String, value: Activation)] = [
        ("leaky_relu", .leakyReLU001), ("relu", .relu), ("silu", .silu),
    ]

    /// The complex U-Net, with the defaults of the reference's command line.
    static let dcunet = Entry(
        "dcunet", "complex U-Net of SGMSE", source: "Welker et al., Interspeech 2022", of: DCUNetOptions(),
        [
            Setting(\.architecture, "dcunet_architecture", "encoders and decoders"),
            Setting(\.timeEmbedding, "dcunet_time_embedding", "Fourier projection, diffusion steps, or none"),
            Setting(
                \.tembLayersGlobal, "dcunet_temb_layers_global", in: .between(0, 256),
                "layers over the time embedding"),
            Setting(
                \.tembLayersLocal, "dcunet_temb_layers_local", in: .between(1, 256),
                "layers over it in each encoder and decoder"),
            Setting(
                \.tembActivation, "dcunet_temb_activation", oneOf: activations, "activation of those layers"),
            Setting(\.timeEmbeddingComplex, "dcunet_time_embedding_complex", "time as complex exponentials"),
            Setting(
                \.fixLength, "dcunet_fix_length", "what is done with frames that the strides do not divide"),
            Setting(\.maskBound, "dcunet_mask_bound", "bound of the output; only 'none' is defined"),
            Setting(\.norm, "dcunet_norm_type", "normalisation of real and imaginary part apart, or together"),
            Setting(
                \.activation, "dcunet_activation", oneOf: activations, "activation of encoders and decoders"),
            Setting(\.embedDim, "embed_dim", in: .between(3, 65536), "width of the time embedding"),
        ],
        traits: [.bins(multipleOf: 256, plus: 1), .padding(.zeroPad)]
    ) { options in
        BackboneFactory(options) { options, context in try DCUNet(options, seed: context.seed) }
    }
}
