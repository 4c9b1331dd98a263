import Backbones
import Kernels
import SpecLanguage
import Specs

extension Registry<any Backbone> {
    /// The complex U-Net, with the defaults of the reference's command line.
    static var dcunet: Entry {
        Entry(
            "dcunet", "complex U-Net of SGMSE", source: "Welker et al., Interspeech 2022",
            parameters: DCUNetOptions.fields, traits: [.bins(multipleOf: 256, plus: 1), .padding(.zeroPad)]
        ) { settings in
            try DCUNet(DCUNetOptions(settings), seed: UInt64(settings.optionalInteger("seed") ?? 0))
        }
    }
}

extension DCUNetOptions {
    private static let activations: [(String, Activation)] = [
        ("leaky_relu", .leakyReLU001), ("relu", .relu), ("silu", .silu),
    ]

    static var fields: [Field] {
        let standard = DCUNetOptions()
        func choice<Value: RawRepresentable & CaseIterable>(_ name: String, _ value: Value, _ doc: String) -> Field
        where Value.RawValue == String {
            Field("dcunet_" + name, .oneOf(Value.allCases.map(\.rawValue)), default: .value(.text(value.rawValue)), doc)
        }
        func activation(_ name: String, _ value: Activation, _ doc: String) -> Field {
            let standard = activations.first { $0.1 == value }?.0 ?? activations[0].0
            return Field("dcunet_" + name, .oneOf(activations.map(\.0)), default: .value(.text(standard)), doc)
        }
        return [
            choice("architecture", standard.architecture, "encoders and decoders"),
            choice("time_embedding", standard.timeEmbedding, "Fourier projection, diffusion steps, or none"),
            .integer(
                "dcunet_temb_layers_global", default: .value(.integer(standard.tembLayersGlobal)), in: .between(0, 256),
                "layers over the time embedding"),
            .integer(
                "dcunet_temb_layers_local", default: .value(.integer(standard.tembLayersLocal)), in: .between(1, 256),
                "layers over it in each encoder and decoder"),
            activation("temb_activation", standard.tembActivation, "activation of those layers"),
            .bool(
                "dcunet_time_embedding_complex", default: .value(.bool(standard.timeEmbeddingComplex)),
                "time as complex exponentials"),
            choice("fix_length", standard.fixLength, "what is done with frames that the strides do not divide"),
            choice("mask_bound", standard.maskBound, "bound of the output; only 'none' is defined"),
            choice("norm_type", standard.norm, "normalisation of real and imaginary part apart, or together"),
            activation("activation", standard.activation, "activation of encoders and decoders"),
            .integer(
                "embed_dim", default: .value(.integer(standard.embedDim)), in: .between(3, 65536),
                "width of the time embedding"),
        ]
    }

    init(_ settings: Settings) {
        self.init()
        func choice<Value: RawRepresentable>(_ name: String, _ value: Value) -> Value where Value.RawValue == String {
            Value(rawValue: settings.text("dcunet_" + name)) ?? value
        }
        func activation(_ name: String) -> Activation {
            let name = settings.text("dcunet_" + name)
            return Self.activations.first { $0.0 == name }?.1 ?? Self.activations[0].1
        }
        architecture = choice("architecture", architecture)
        timeEmbedding = choice("time_embedding", timeEmbedding)
        tembLayersGlobal = settings.integer("dcunet_temb_layers_global")
        tembLayersLocal = settings.integer("dcunet_temb_layers_local")
        tembActivation = activation("temb_activation")
        timeEmbeddingComplex = settings.bool("dcunet_time_embedding_complex")
        fixLength = choice("fix_length", fixLength)
        maskBound = choice("mask_bound", maskBound)
        norm = choice("norm_type", norm)
        self.activation = activation("activation")
        embedDim = settings.integer("embed_dim")
    }
}
