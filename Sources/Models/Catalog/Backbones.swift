public import Backbones
public import SpecLanguage
import Specs

/// The networks, by the reference's names.
extension Registry<BackboneFactory> {
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

    private static func ncsnpp(
        _ name: String, _ standard: NCSNppOptions, _ summary: String, source: String, padding: EvaluateSpec.Padding,
        preconditioned: Bool = false
    ) -> Entry {
        Entry(
            name, summary, source: source, of: standard,
            preconditioned ? NCSNppOptions.settingsScaledOutside : NCSNppOptions.settings,
            traits: [.halves(levels: "ch_mult"), .padding(padding), .readsSeveral]
                + (preconditioned ? [.takesPreconditioning] : [])
        ) { options in
            BackboneFactory(options) { options, context in
                try NCSNpp(options.reading(context.inputs), seed: context.seed)
            }
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

// MARK: Two times

/// Options of NCSN++, of which a network over two times takes some alone.
private struct IntervalOptions: BackboneOptions {
    var network: NCSNppOptions

    func check(bins: Int, frames: Int) throws(BackboneError) {
        try IntervalNCSNpp.check(network)
        try network.check(bins: bins, frames: frames)
    }
}

extension Registry<BackboneFactory> {
    /// `ncsnpp_v2` over two times; slower frequencies of the time keep its derivative small.
    private static var interval: Entry {
        var standard = NCSNppOptions.v2
        standard.fourierScale = 1
        return Entry(
            "ncsnpp_interval", "ncsnpp_v2 over two times, for average velocities",
            source: "after MeanFlowSE, arXiv 2509.14858", of: IntervalOptions(network: standard),
            NCSNppOptions.settingsScaledOutside.map { $0.within(\.network) },
            traits: [.halves(levels: "ch_mult"), .padding(.reflection), .takesInterval]
        ) { options in
            BackboneFactory(options) { options, context in
                try IntervalNCSNpp(options.network, seed: context.seed)
            }
        }
    }
}

// MARK: Noise-conditioned

extension NoiseConditioning.Injection: SettingName {}
extension NoiseConditioning.ScaleStart: SettingName {}

private struct ConditionedOptions: BackboneOptions {
    var network = NCSNppOptions.v2
    var conditioning = NoiseConditioning()

    func check(bins: Int, frames: Int) throws(BackboneError) { try network.check(bins: bins, frames: frames) }
}

extension Registry<BackboneFactory> {
    /// `ncsnpp_v2` with an embedding of the noise.
    private static var conditioned: Entry {
        Entry(
            "ncsnpp_v2_cond", "ncsnpp_v2 that an embedding of the noise changes",
            source: "moonx010/sgmse, after Richter et al., ICASSP 2025", of: ConditionedOptions(),
            NCSNppOptions.settingsScaledOutside.map { $0.within(\.network) } + [
                Setting(
                    \.conditioning.injection, "noise_cond_type",
                    """
                    where the noise embedding enters: the time embedding (add, film), the blocks' normalisation, \
                    attention to a sequence
                    """),
                Setting(
                    \.conditioning.scaleStart, "noise_cond_start",
                    "how the scale of 'film' starts: 'ones' as in the reference, 'identity' without conditioning"),
            ],
            traits: [.halves(levels: "ch_mult"), .padding(.reflection), .takesCondition, .takesPreconditioning]
        ) { options in
            BackboneFactory(options) { options, context in
                var conditioning = options.conditioning
                conditioning.width = context.embeddingWidth
                return try ConditionedNCSNpp(options.network, conditioning, seed: context.seed)
            }
        }
    }
}
