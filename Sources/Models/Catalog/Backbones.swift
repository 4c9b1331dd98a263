import Backbones
import Kernels
import Layers
import SpecLanguage
import Specs

extension Registry<any Backbone> {
    /// The networks, by the reference's names.
    static let backbones = Registry(
        "backbone",
        [
            ncsnpp(
                "ncsnpp", .journal, "NCSN++ of SGMSE+, output divided by t before the last convolution",
                source: "Richter et al., TASLP 2023", padding: .zeroPad),
            ncsnpp(
                "ncsnpp_v2", .v2, "NCSN++ of the study of training objectives, scaled from outside",
                source: "Richter et al., ICASSP 2025", padding: .reflection, preconditioned: true),
            ncsnpp(
                "ncsnpp_48k", .fullband, "NCSN++ for 48 kHz, without pyramids and attention levels",
                source: "Richter et al., Interspeech 2024", padding: .reflection),
            regeneration("ncsnpp_storm", .regeneration, "NCSN++ of StoRM, for its regression and its score network"),
            regeneration("ncsnpp_storm_large", large, "NCSN++ of StoRM in the size of SGMSE+"),
            regeneration("ncsnpp_storm_12m", narrow([1, 2, 2, 1]), "NCSN++ of StoRM with 12 million parameters"),
            regeneration("ncsnpp_storm_6m", narrow([1, 1, 1, 1]), "NCSN++ of StoRM with 5 million parameters"),
            conditioned, dcunet, edm2, interval,
        ])

    /// `ncsnpp_v2` over two times; slower frequencies of the time keep its derivative small.
    private static var interval: Entry {
        var standard = NCSNppOptions.v2
        standard.fourierScale = 1
        let left = ["conditional", "centered", "scale_by_sigma"]
        return Entry(
            "ncsnpp_interval", "ncsnpp_v2 over two times, for average velocities",
            source: "after MeanFlowSE, arXiv 2509.14858",
            parameters: NCSNppOptions.fields(standard).filter { !left.contains($0.name) },
            traits: [.halves(levels: "ch_mult"), .padding(.reflection), .takesInterval]
        ) { [standard] settings in
            try IntervalNCSNpp(NCSNppOptions(settings, standard), seed: UInt64(settings.optionalInteger("seed") ?? 0))
        }
    }

    private static func ncsnpp(
        _ name: String, _ standard: NCSNppOptions, _ summary: String, source: String, padding: EvaluateSpec.Padding,
        preconditioned: Bool = false
    ) -> Entry {
        let traits: [Trait] =
            [.halves(levels: "ch_mult"), .padding(padding), .readsSeveral]
            + (preconditioned ? [.takesPreconditioning] : [])
        return Entry(
            name, summary, source: source,
            parameters: preconditioned ? NCSNppOptions.scaledOutsideFields : NCSNppOptions.fields(standard),
            traits: traits
        ) { settings in
            try NCSNpp(
                NCSNppOptions(settings, standard).reading(settings.optionalInteger("inputs") ?? 2),
                seed: UInt64(settings.optionalInteger("seed") ?? 0))
        }
    }

    private static func regeneration(_ name: String, _ standard: NCSNppOptions, _ summary: String) -> Entry {
        ncsnpp(name, standard, summary, source: "Lemercier et al., StoRM, TASLP 2023", padding: .zeroPad)
    }

    private static var large: NCSNppOptions {
        var options = NCSNppOptions.journal
        options.centered = false
        return options
    }

    private static func narrow(_ multiples: [Int]) -> NCSNppOptions {
        var options = NCSNppOptions.regeneration
        (options.nf, options.chMult) = (96, multiples)
        return options
    }
}

extension Registry<any Backbone> {
    /// `ncsnpp_v2` with an embedding of the noise.
    private static var conditioned: Entry {
        let standard = NoiseConditioning()
        func names<Name: RawRepresentable & CaseIterable>(_ type: Name.Type) -> [String] where Name.RawValue == String {
            type.allCases.map(\.rawValue)
        }
        let fields: [Field] = [
            Field(
                "noise_cond_type", .oneOf(names(NoiseConditioning.Injection.self)),
                default: .value(.text(standard.injection.rawValue)),
                """
                where the noise embedding enters: the time embedding (add, film), the blocks' normalisation, attention \
                to a sequence
                """
            ),
            Field(
                "noise_cond_start", .oneOf(names(NoiseConditioning.ScaleStart.self)),
                default: .value(.text(standard.scaleStart.rawValue)),
                "how the scale of 'film' starts: 'ones' as in the reference, 'identity' without conditioning"),
        ]
        return Entry(
            "ncsnpp_v2_cond", "ncsnpp_v2 that an embedding of the noise changes",
            source: "moonx010/sgmse, after Richter et al., ICASSP 2025",
            parameters: NCSNppOptions.scaledOutsideFields + fields,
            traits: [.halves(levels: "ch_mult"), .padding(.reflection), .takesCondition, .takesPreconditioning]
        ) { settings in
            let conditioning = NoiseConditioning(
                NoiseConditioning.Injection(rawValue: settings.text("noise_cond_type")) ?? standard.injection,
                width: settings.optionalInteger("noise_embed_dim") ?? standard.width,
                scaleStart: NoiseConditioning.ScaleStart(rawValue: settings.text("noise_cond_start"))
                    ?? standard.scaleStart)
            return try ConditionedNCSNpp(
                NCSNppOptions(settings, .v2), conditioning, seed: UInt64(settings.optionalInteger("seed") ?? 0))
        }
    }
}

extension NCSNppOptions {
    private static let activations: [(String, Activation)] = [
        ("swish", .silu), ("relu", .relu), ("lrelu", .leakyReLU), ("elu", .elu),
    ]
    private static let outputPyramids: [(String, Pyramid)] = [
        ("none", .none), ("output_skip", .skip), ("residual", .residual),
    ]
    private static let inputPyramids: [(String, Pyramid)] = [
        ("none", .none), ("input_skip", .skip), ("residual", .residual),
    ]

    private static func name<Value: Equatable>(of value: Value, in table: [(String, Value)]) -> String {
        table.first { $0.1 == value }?.0 ?? table[0].0
    }

    private static func value<Value>(named name: String, in table: [(String, Value)]) -> Value {
        table.first { $0.0 == name }?.1 ?? table[0].1
    }

    /// The options of `ncsnpp_v2`, which always sees the time, and whose input and output are scaled from outside.
    static var scaledOutsideFields: [Field] {
        fields(.v2).filter { !["conditional", "centered", "scale_by_sigma"].contains($0.name) }
    }

    /// The options as the spec language knows them, with the defaults of `standard`.
    static func fields(_ standard: NCSNppOptions) -> [Field] {
        func integers(_ values: [Int]) -> Field.Standard { .value(.list(values.map(SettingValue.integer))) }
        return [
            .integer(
                "nf", default: .value(.integer(standard.nf)), in: .between(4, 65536), "channels of the first level"),
            Field(
                "ch_mult", .list(of: .integer(.between(1, 1024)), atLeast: 1), default: integers(standard.chMult),
                "channels of each level, in units of nf"),
            .integer(
                "num_res_blocks", default: .value(.integer(standard.numResBlocks)), in: .between(1, 256),
                "residual blocks of a level"),
            Field(
                "attn_resolutions", .list(of: .integer(.between(1, 65536))),
                default: integers(standard.attnResolutions), "bins of the levels with attention"),
            Field(
                "nonlinearity", .oneOf(activations.map(\.0)),
                default: .value(.text(name(of: standard.nonlinearity, in: activations))), "activation"),
            Field(
                "resamp_with_conv", .bool, default: .value(.bool(standard.resampWithConv)),
                "convolve when resampling between DDPM levels"),
            Field(
                "fir", .bool, default: .value(.bool(standard.fir)),
                "resample with a FIR filter; otherwise by repetition and averaging"),
            Field(
                "fir_kernel", .list(of: .number(), atLeast: 1),
                default: .value(.list(standard.firKernel.map { .number(Double($0)) })), "its taps, before normalisation"
            ),
            Field(
                "skip_rescale", .bool, default: .value(.bool(standard.skipRescale)), "divide sums of two branches by √2"
            ),
            Field(
                "resblock_type", .oneOf(BlockType.allCases.map(\.rawValue)),
                default: .value(.text(standard.resblockType.rawValue)), "residual block"),
            Field(
                "progressive", .oneOf(outputPyramids.map(\.0)),
                default: .value(.text(name(of: standard.progressive, in: outputPyramids))), "output pyramid"),
            Field(
                "progressive_input", .oneOf(inputPyramids.map(\.0)),
                default: .value(.text(name(of: standard.progressiveInput, in: inputPyramids))), "input pyramid"),
            Field(
                "progressive_combine", .oneOf(Combine.Method.allCases.map(\.rawValue)),
                default: .value(.text(standard.progressiveCombine.rawValue)), "how the input pyramid joins"),
            .number(
                "init_scale", default: .value(.number(standard.initScale)), in: .nonNegative,
                "scale of the last convolutions' initial weights"),
            .number(
                "fourier_scale", default: .value(.number(standard.fourierScale)), in: .positive,
                "standard deviation of the Fourier frequencies"),
            .number(
                "dropout", default: .value(.number(standard.dropout)), in: .between(0, 0.999),
                "probability of dropping an input of a block's second convolution, in training"),
            .integer(
                "image_size", default: .value(.integer(standard.imageSize)), in: .between(1, 65536),
                "bins for which attn_resolutions are counted"),
            Field(
                "embedding_type", .oneOf(Embedding.allCases.map(\.rawValue)),
                default: .value(.text(standard.embeddingType.rawValue)), "features of the time"),
            Field(
                "conditional", .bool, default: .value(.bool(standard.conditional)), "whether the blocks see the time"),
            Field("centered", .bool, default: .value(.bool(standard.centered)), "whether the input is centred"),
            Field("scale_by_sigma", .bool, default: .value(.bool(standard.scaleBySigma)), "divide the output by t"),
            Field(
                "recompute", .bool, default: .value(.bool(standard.recompute)),
                "recompute blocks in the backward pass to save memory", part: IdentityPart.none),
        ]
    }

    init(_ settings: Settings, _ standard: NCSNppOptions) {
        self = standard
        func flag(_ name: String, _ standard: Bool) -> Bool {
            if case .bool(let value)? = settings[name] { value } else { standard }
        }
        nf = settings.integer("nf")
        chMult = settings.integers("ch_mult")
        numResBlocks = settings.integer("num_res_blocks")
        attnResolutions = settings.integers("attn_resolutions")
        nonlinearity = Self.value(named: settings.text("nonlinearity"), in: Self.activations)
        resampWithConv = settings.bool("resamp_with_conv")
        fir = settings.bool("fir")
        firKernel = settings.numbers("fir_kernel").map(Float.init)
        skipRescale = settings.bool("skip_rescale")
        resblockType = BlockType(rawValue: settings.text("resblock_type")) ?? .biggan
        progressive = Self.value(named: settings.text("progressive"), in: Self.outputPyramids)
        progressiveInput = Self.value(named: settings.text("progressive_input"), in: Self.inputPyramids)
        progressiveCombine = Combine.Method(rawValue: settings.text("progressive_combine")) ?? .sum
        initScale = settings.number("init_scale")
        fourierScale = settings.number("fourier_scale")
        dropout = settings.number("dropout")
        imageSize = settings.integer("image_size")
        embeddingType = Embedding(rawValue: settings.text("embedding_type")) ?? .fourier
        conditional = flag("conditional", conditional)
        centered = flag("centered", centered)
        scaleBySigma = flag("scale_by_sigma", scaleBySigma)
        recompute = settings.bool("recompute")
    }
}
