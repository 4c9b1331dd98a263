public import Backbones
import Kernels
public import Layers
public import SpecLanguage

extension NCSNppOptions.BlockType: SettingName {}
extension NCSNppOptions.Embedding: SettingName {}
extension Combine.Method: SettingName {}

extension NCSNppOptions {
    /// The options of `ncsnpp_v2`, which always sees the time, and whose input and output are scaled from outside.
    static var settingsScaledOutside: [Setting<NCSNppOptions>] {
        settings.filter { !["conditional", "centered", "scale_by_sigma"].contains($0.name) }
    }

    /// The options as a spec writes them.
    static let settings: [Setting<NCSNppOptions>] = [
        Setting(\.nf, "nf", in: .between(4, 65536), "channels of the first level"),
        Setting(
            \.chMult, "ch_mult", ofAtLeast: 1, in: .between(1, 1024), "channels of each level, in units of nf"),
        Setting(\.numResBlocks, "num_res_blocks", in: .between(1, 256), "residual blocks of a level"),
        Setting(
            \.attnResolutions, "attn_resolutions", ofAtLeast: 0, in: .between(1, 65536),
            "bins of the levels with attention"),
        Setting(
            \.nonlinearity, "nonlinearity",
            oneOf: [("swish", .silu), ("relu", .relu), ("lrelu", .leakyReLU), ("elu", .elu)], "activation"),
        Setting(\.resampWithConv, "resamp_with_conv", "convolve when resampling between DDPM levels"),
        Setting(\.fir, "fir", "resample with a FIR filter; otherwise by repetition and averaging"),
        Setting(\.firKernel, "fir_kernel", ofAtLeast: 1, "its taps, before normalisation"),
        Setting(\.skipRescale, "skip_rescale", "divide sums of two branches by √2"),
        Setting(\.resblockType, "resblock_type", "residual block"),
        Setting(
            \.progressive, "progressive",
            oneOf: [("none", .none), ("output_skip", .skip), ("residual", .residual)], "output pyramid"),
        Setting(
            \.progressiveInput, "progressive_input",
            oneOf: [("none", .none), ("input_skip", .skip), ("residual", .residual)], "input pyramid"),
        Setting(\.progressiveCombine, "progressive_combine", "how the input pyramid joins"),
        Setting(\.initScale, "init_scale", in: .nonNegative, "scale of the last convolutions' initial weights"),
        Setting(
            \.fourierScale, "fourier_scale", in: .positive, "standard deviation of the Fourier frequencies"),
        Setting(
            \.dropout, "dropout", in: .between(0, 0.999),
            "probability of dropping an input of a block's second convolution, in training"),
        Setting(
            \.imageSize, "image_size", in: .between(1, 65536), "bins for which attn_resolutions are counted"),
        Setting(\.embeddingType, "embedding_type", "features of the time"),
        Setting(\.conditional, "conditional", "whether the blocks see the time"),
        Setting(\.centered, "centered", "whether the input is centred"),
        Setting(\.scaleBySigma, "scale_by_sigma", "divide the output by t"),
        Setting(
            \.recompute, "recompute", "recompute blocks in the backward pass to save memory", part: IdentityPart.none),
    ]
}
