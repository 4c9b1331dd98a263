public import Backbones
import Diffusion
import Layers
public import SpecLanguage
import Specs

/// The number that the option `c_s` has.
extension EDM2Options.Prediction: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .integer(bounds) }

    public init?(_ setting: SettingValue) {
        guard case .integer(let number) = setting else { return nil }
        self.init(rawValue: number)
    }

    public var written: SettingValue { .integer(rawValue) }
}

extension Registry<BackboneFactory> {
    /// The magnitude-preserving network, with the defaults of EDM2SE's constructor.
    static let edm2 = Entry(
        "edm2", "EDM2 for speech, magnitude-preserving, scales itself and predicts clean speech (M4)",
        source: "Karras et al., CVPR 2024; EDM2SE, ICASSP 2026", of: EDM2Options(),
        [
            Setting(\.modelChannels, "model_channels", in: .between(1, 4096), "channels of the first level"),
            Setting(
                \.channelMult, "channel_mult", ofAtLeast: 1, in: .between(1, 64),
                "channels of each level, in units of model_channels"),
            Setting(
                \.channelMultNoise, "channel_mult_noise", in: .between(1, 64),
                "features of the noise level, in units of model_channels"),
            Setting(
                \.channelMultEmb, "channel_mult_emb", in: .between(1, 64),
                "embedding of the noise level, in units of model_channels"),
            Setting(\.numBlocks, "num_blocks", in: .between(1, 256), "blocks of a level"),
            Setting(
                \.attnResolutions, "attn_resolutions", ofAtLeast: 0, in: .between(1, 65536),
                "bins of the levels with attention; the middle always has it"),
            Setting(
                \.freqResolution, "freq_resolution", in: .between(1, 65536),
                "bins for which attn_resolutions are counted, and by which the levels are named"),
            Setting(
                \.block.channelsPerHead, "channels_per_head", in: .between(1, 65536),
                "channels of a head of attention"),
            Setting(
                \.logvarChannels, "logvar_channels", in: .between(1, 65536), "features of the uncertainty"),
            Setting(
                \.prediction, "c_s", in: .between(0, 1),
                "1: the network inside predicts the noise, beside a skip connection; 0: clean speech"),
            Setting(\.sigmaX, "sigma_x", in: .positive, "standard deviation of clean speech, per real number"),
            Setting(\.sigmaN, "sigma_n", in: .nonNegative, "standard deviation of the noise, per real number"),
            Setting(
                \.block.dropout, "dropout", in: .between(0, 0.999),
                "probability of dropping an input of a block's second convolution, in training"),
            Setting(
                \.block.residualBalance, "res_balance", in: .probability, "share of a block's residual branch"),
            Setting(\.block.attentionBalance, "attn_balance", in: .probability, "share of a block's attention"),
            Setting(
                \.block.conditionBalance, "cond_balance", in: .probability,
                "share of the noisy speech at the start"),
            Setting(\.concatBalance, "concat_balance", in: .probability, "share of the skip connections"),
            Setting(\.block.clip, "clip_act", in: .positive, "what the results of blocks are held within"),
        ],
        traits: [
            .halves(levels: "channel_mult"), .padding(.reflection), .ownLosses(["uncertainty", "data_prediction"]),
        ]
    ) { options in
        BackboneFactory(options) { options, context in
            var options = options
            if let bridge = context.sde as? SBVE {
                (options.k, options.c) = (bridge.k, bridge.c)
                (options.epsilon, options.endTime) = (bridge.epsilon, bridge.endTime)
            }
            return try EDM2(options, seed: context.seed)
        }
    }
}
