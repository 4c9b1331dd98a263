import Backbones
import Kernels
import Layers
import Testing

/// Builds networks from the hyper-parameters of recorded cases.
enum ReferenceNetworks {
    static let activations: [String: Activation] = [
        "swish": .silu, "silu": .silu, "relu": .relu, "lrelu": .leakyReLU, "elu": .elu, "leaky_relu": .leakyReLU001,
    ]

    static func backbone(_ h: [String: Any]) throws -> any Backbone {
        switch h["backbone"] as? String {
        case "ncsnpp": try NCSNpp(ncsnpp(h, .journal))
        case "ncsnpp_v2": try NCSNpp(ncsnpp(h, .v2))
        case "ncsnpp_48k": try NCSNpp(ncsnpp(h, .fullband))
        case "ncsnpp_v2_cond":
            try ConditionedNCSNpp(
                ncsnpp(h, .v2),
                NoiseConditioning(
                    NoiseConditioning.Injection(rawValue: h["noise_cond_type"] as? String ?? "add") ?? .add,
                    width: h["noise_embed_dim"] as? Int ?? 512))
        case "dcunet": try DCUNet(dcunet(h))
        case let name: throw BackboneError(option: "backbone", reason: "unknown '\(name ?? "")'")
        }
    }

    static func ncsnpp(_ h: [String: Any], _ standard: NCSNppOptions) -> NCSNppOptions {
        var o = standard
        let pyramids: [String: NCSNppOptions.Pyramid] = [
            "none": .none, "output_skip": .skip, "input_skip": .skip, "residual": .residual,
        ]
        o.nf = h["nf"] as? Int ?? o.nf
        o.chMult = h["ch_mult"] as? [Int] ?? o.chMult
        o.numResBlocks = h["num_res_blocks"] as? Int ?? o.numResBlocks
        o.attnResolutions = h["attn_resolutions"] as? [Int] ?? o.attnResolutions
        o.nonlinearity = (h["nonlinearity"] as? String).flatMap { activations[$0] } ?? o.nonlinearity
        o.resampWithConv = h["resamp_with_conv"] as? Bool ?? o.resampWithConv
        o.fir = h["fir"] as? Bool ?? o.fir
        o.firKernel = (h["fir_kernel"] as? [Double])?.map(Float.init) ?? o.firKernel
        o.skipRescale = h["skip_rescale"] as? Bool ?? o.skipRescale
        o.resblockType = (h["resblock_type"] as? String).flatMap(NCSNppOptions.BlockType.init) ?? o.resblockType
        o.progressive = (h["progressive"] as? String).flatMap { pyramids[$0] } ?? o.progressive
        o.progressiveInput = (h["progressive_input"] as? String).flatMap { pyramids[$0] } ?? o.progressiveInput
        o.progressiveCombine =
            (h["progressive_combine"] as? String).flatMap(Combine.Method.init) ?? o.progressiveCombine
        o.initScale = h["init_scale"] as? Double ?? o.initScale
        o.fourierScale = h["fourier_scale"] as? Double ?? o.fourierScale
        o.imageSize = h["image_size"] as? Int ?? o.imageSize
        o.embeddingType = (h["embedding_type"] as? String).flatMap(NCSNppOptions.Embedding.init) ?? o.embeddingType
        o.conditional = h["conditional"] as? Bool ?? o.conditional
        o.centered = h["centered"] as? Bool ?? o.centered
        o.scaleBySigma = h["scale_by_sigma"] as? Bool ?? o.scaleBySigma
        return o
    }

    static func dcunet(_ h: [String: Any]) -> DCUNetOptions {
        var o = DCUNetOptions.constructor
        func named<Value: RawRepresentable>(_ key: String, _ value: Value) -> Value where Value.RawValue == String {
            (h["dcunet_" + key] as? String).flatMap(Value.init) ?? value
        }
        func activation(_ key: String, _ value: Activation) -> Activation {
            (h["dcunet_" + key] as? String).flatMap { activations[$0] } ?? value
        }
        o.architecture = named("architecture", o.architecture)
        o.timeEmbedding = named("time_embedding", o.timeEmbedding)
        o.fixLength = named("fix_length", o.fixLength)
        o.maskBound = named("mask_bound", o.maskBound)
        o.norm = named("norm_type", o.norm)
        o.tembLayersGlobal = h["dcunet_temb_layers_global"] as? Int ?? o.tembLayersGlobal
        o.tembLayersLocal = h["dcunet_temb_layers_local"] as? Int ?? o.tembLayersLocal
        o.timeEmbeddingComplex = h["dcunet_time_embedding_complex"] as? Bool ?? o.timeEmbeddingComplex
        o.activation = activation("activation", o.activation)
        o.tembActivation = activation("temb_activation", o.tembActivation)
        o.embedDim = h["embed_dim"] as? Int ?? o.embedDim
        return o
    }

    static func encoder(_ h: [String: Any]) throws -> any NoiseEncoder {
        let width = h["embed_dim"] as? Int ?? 512
        return h["noise_encoder_type"] as? String == "light"
            ? try LightNoiseEncoder(width: width)
            : try ConvolutionalNoiseEncoder(
                filters: h["nf"] as? Int ?? 64, width: width, layers: h["num_layers"] as? Int ?? 4)
    }
}
