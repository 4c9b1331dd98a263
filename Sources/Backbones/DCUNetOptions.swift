public import Kernels
import Layers

/// The options of the complex U-Net, with the names of the reference and the defaults of its command line.
public struct DCUNetOptions: Hashable, Sendable {
    /// The number of layers, and for the last one the dilated network of SGMSE.
    public enum Architecture: String, CaseIterable, Sendable {
        case dcunet10 = "DCUNet-10"
        case dcunet16 = "DCUNet-16"
        case dcunet20 = "DCUNet-20"
        case dilated = "DilDCUNet-v2"
    }
    /// Gaussian Fourier projection, diffusion steps, or none.
    public enum TimeEmbedding: String, CaseIterable, Sendable { case gfp, ds, none }
    /// What is done with frames that the strides do not divide.
    public enum FixLength: String, CaseIterable, Sendable { case pad, trim, none }
    /// How a mask would be bounded; only `none` is defined for a network that predicts a score.
    public enum MaskBound: String, CaseIterable, Sendable { case tanh, sigmoid, none }
    /// Real and imaginary parts apart, or together.
    public enum Norm: String, CaseIterable, Sendable {
        case separate = "bN"
        case joint = "CbN"
    }

    /// The encoders and decoders.
    public var architecture = Architecture.dilated
    /// Which features of the time the embedding is made of.
    public var timeEmbedding = TimeEmbedding.gfp
    /// Linear layers of the embedding before it is handed to the blocks.
    public var tembLayersGlobal = 1
    /// Linear layers of each block's own.
    public var tembLayersLocal = 1
    /// The activation after each of them.
    public var tembActivation = Activation.silu
    /// Whether the features are complex: cosines as real, sines as imaginary part.
    public var timeEmbeddingComplex = false
    /// What is done with frames that the strides do not divide.
    public var fixLength = FixLength.pad
    /// How the output is bounded.
    public var maskBound = MaskBound.none
    /// How complex maps are normalised.
    public var norm = Norm.separate
    /// The activation of encoders and decoders, of real and imaginary part alike.
    public var activation = Activation.leakyReLU001
    /// Width of the time embedding.
    public var embedDim = 128

    public init() {}

    /// The defaults of the reference's constructor, which differ from those of its command line.
    public static var constructor: DCUNetOptions {
        var options = DCUNetOptions()
        options.tembLayersGlobal = 2
        options.activation = .relu
        return options
    }

    /// - Throws: The first option that contradicts another, with the reason.
    package func validate() throws(BackboneError) {
        func require(_ condition: Bool, _ option: String, _ reason: String) throws(BackboneError) {
            if !condition { throw BackboneError(option: option, reason: reason) }
        }
        try require(
            maskBound == .none, "dcunet_mask_bound",
            "'\(maskBound.rawValue)' is not defined for a network whose output is no mask; use 'none'")
        try require(tembLayersGlobal >= 0, "dcunet_temb_layers_global", "cannot be negative")
        try require(tembLayersLocal >= 0, "dcunet_temb_layers_local", "cannot be negative")
        try require(
            timeEmbedding != .none || !timeEmbeddingComplex, "dcunet_time_embedding_complex",
            "needs the time embedding 'gfp' or 'ds'")
        let isEven = embedDim % 2 == 0
        try require(
            timeEmbedding == .none || embedDim > 2 && (timeEmbeddingComplex || isEven), "embed_dim",
            "\(embedDim) cannot be shared by sines and cosines; use an even number above 2")
    }
}

extension DCUNetOptions {
    /// Whether the network takes any number of frames, or pads or trims them to one it takes.
    package var takesAnyFrames: Bool {
        fixLength != .none || architecture.encoders.allSatisfy { $0.frames.stride == 1 }
    }
}

extension DCUNetOptions.Architecture {
    /// One encoder: its channels, and its windows along bins and frames.
    struct Encoder {
        var filters: Int
        var bins, frames: ConvolutionWindow

        init(_ filters: Int, _ kernel: (Int, Int), _ stride: (Int, Int), dilation: Int = 1) {
            self.filters = filters
            bins = ConvolutionWindow(kernel: kernel.0, stride: stride.0, padBefore: kernel.0 / 2, dilation: dilation)
            frames = ConvolutionWindow(kernel: kernel.1, stride: stride.1, padBefore: kernel.1 / 2)
        }
    }

    /// From the outside in; the decoders are their mirror image.
    ///
    /// Choi et al., *Phase-Aware Speech Enhancement with Deep Complex U-Net*, ICLR 2019; the dilated one is that
    /// of Welker et al., *Speech Enhancement with Score-Based Generative Models in the Complex STFT Domain*,
    /// Interspeech 2022.
    var encoders: [Encoder] {
        switch self {
        case .dcunet10:
            [
                Encoder(32, (7, 5), (2, 2)), Encoder(64, (7, 5), (2, 2)), Encoder(64, (5, 3), (2, 2)),
                Encoder(64, (5, 3), (2, 2)), Encoder(64, (5, 3), (2, 1)),
            ]
        case .dcunet16:
            [
                Encoder(32, (7, 5), (2, 2)), Encoder(32, (7, 5), (2, 1)), Encoder(64, (7, 5), (2, 2)),
                Encoder(64, (5, 3), (2, 1)), Encoder(64, (5, 3), (2, 2)), Encoder(64, (5, 3), (2, 1)),
                Encoder(64, (5, 3), (2, 2)), Encoder(64, (5, 3), (2, 1)),
            ]
        case .dcunet20:
            [
                Encoder(32, (7, 1), (1, 1)), Encoder(32, (1, 7), (1, 1)), Encoder(64, (7, 5), (2, 2)),
                Encoder(64, (7, 5), (2, 1)), Encoder(64, (5, 3), (2, 2)), Encoder(64, (5, 3), (2, 1)),
                Encoder(64, (5, 3), (2, 2)), Encoder(64, (5, 3), (2, 1)), Encoder(64, (5, 3), (2, 2)),
                Encoder(90, (5, 3), (2, 1)),
            ]
        case .dilated:
            [
                Encoder(32, (4, 4), (1, 1)), Encoder(32, (4, 4), (1, 1)), Encoder(32, (4, 4), (1, 1)),
                Encoder(64, (4, 4), (2, 1), dilation: 2), Encoder(128, (4, 4), (2, 2), dilation: 4),
                Encoder(256, (4, 4), (2, 2), dilation: 8),
            ]
        }
    }
}
