import Backbones
import Layers
import SpecLanguage
import Specs

extension Registry<any Backbone> {
    /// The magnitude-preserving network, with the defaults of EDM2SE's constructor.
    static var edm2: Entry {
        Entry(
            "edm2", "EDM2 for speech, magnitude-preserving, scales itself and predicts clean speech (M4)",
            source: "Karras et al., CVPR 2024; EDM2SE, ICASSP 2026", parameters: EDM2Options.fields,
            traits: [
                .halves(levels: "channel_mult"), .padding(.reflection),
                .ownLosses(["uncertainty", "data_prediction"]),
            ]
        ) { settings in
            try EDM2(EDM2Options(settings), seed: UInt64(settings.optionalInteger("seed") ?? 0))
        }
    }
}

extension EDM2Options {
    static var fields: [Field] {
        let standard = EDM2Options()
        func integers(_ values: [Int]) -> Field.Standard { .value(.list(values.map(SettingValue.integer))) }
        return [
            .integer(
                "model_channels", default: .value(.integer(standard.modelChannels)), in: .between(1, 4096),
                "channels of the first level"),
            Field(
                "channel_mult", .list(of: .integer(.between(1, 64)), atLeast: 1),
                default: integers(standard.channelMult),
                "channels of each level, in units of model_channels"),
            .integer(
                "channel_mult_noise", default: .absent, in: .between(1, 64),
                "features of the noise level, in units of model_channels"),
            .integer(
                "channel_mult_emb", default: .absent, in: .between(1, 64),
                "embedding of the noise level, in units of model_channels"),
            .integer(
                "num_blocks", default: .value(.integer(standard.numBlocks)), in: .between(1, 256), "blocks of a level"),
            Field(
                "attn_resolutions", .list(of: .integer(.between(1, 65536))),
                default: integers(standard.attnResolutions),
                "bins of the levels with attention; the middle always has it"),
            .integer(
                "freq_resolution", default: .value(.integer(standard.freqResolution)), in: .between(1, 65536),
                "bins for which attn_resolutions are counted, and by which the levels are named"),
            .integer(
                "channels_per_head", default: .value(.integer(standard.block.channelsPerHead)), in: .between(1, 65536),
                "channels of a head of attention"),
            .integer(
                "logvar_channels", default: .value(.integer(standard.logvarChannels)), in: .between(1, 65536),
                "features of the uncertainty"),
            .integer(
                "c_s", default: .value(.integer(standard.prediction.rawValue)), in: .between(0, 1),
                "1: the network inside predicts the noise, beside a skip connection; 0: clean speech"),
            .number(
                "sigma_x", default: .value(.number(standard.sigmaX)), in: .positive,
                "standard deviation of clean speech, per real number"),
            .number(
                "sigma_n", default: .value(.number(standard.sigmaN)), in: .nonNegative,
                "standard deviation of the noise, per real number"),
            .number(
                "dropout", default: .value(.number(standard.block.dropout)), in: .between(0, 0.999),
                "probability of dropping an input of a block's second convolution, in training"),
            .number(
                "res_balance", default: .value(.number(standard.block.residualBalance)), in: .probability,
                "share of a block's residual branch"),
            .number(
                "attn_balance", default: .value(.number(standard.block.attentionBalance)), in: .probability,
                "share of a block's attention"),
            .number(
                "cond_balance", default: .value(.number(standard.block.conditionBalance)), in: .probability,
                "share of the noisy speech at the start"),
            .number(
                "concat_balance", default: .value(.number(standard.concatBalance)), in: .probability,
                "share of the skip connections"),
            .number(
                "clip_act", default: .value(.number(standard.block.clip ?? 256)), in: .positive,
                "what the results of blocks are held within"),
        ]
    }

    init(_ settings: Settings) {
        self.init()
        modelChannels = settings.integer("model_channels")
        channelMult = settings.integers("channel_mult")
        channelMultNoise = settings.optionalInteger("channel_mult_noise")
        channelMultEmb = settings.optionalInteger("channel_mult_emb")
        numBlocks = settings.integer("num_blocks")
        attnResolutions = settings.integers("attn_resolutions")
        freqResolution = settings.integer("freq_resolution")
        block.channelsPerHead = settings.integer("channels_per_head")
        logvarChannels = settings.integer("logvar_channels")
        prediction = Prediction(rawValue: settings.integer("c_s")) ?? .noise
        (sigmaX, sigmaN) = (settings.number("sigma_x"), settings.number("sigma_n"))
        block.dropout = settings.number("dropout")
        (block.residualBalance, block.attentionBalance) = (
            settings.number("res_balance"), settings.number("attn_balance")
        )
        (block.conditionBalance, concatBalance) = (settings.number("cond_balance"), settings.number("concat_balance"))
        block.clip = settings.number("clip_act")
        // Those of the diffusion, which the builder passes on.
        k = settings.optionalNumber("k") ?? k
        c = settings.optionalNumber("c") ?? c
        epsilon = settings.optionalNumber("eps") ?? epsilon
        endTime = settings.optionalNumber("T") ?? endTime
    }
}
