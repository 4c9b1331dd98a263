import SpecLanguage

/// The noise reference of a network, and how its embedding is made and dropped.
public struct ConditioningSpec: Hashable, Sendable {
    public var noiseEncoder: Choice
    public var noiseEmbedDim: Int
    /// Base number of filters of the encoder.
    public var noiseEncoderNF: Int
    public var trainNoiseEncoder: Bool
    public var freezeClap: Bool
    /// Frames of the reference in training.
    public var refNumFrames: Int
    /// Where the reference is cut from `y − x` in training: `segment`, the crop itself, or `elsewhere` in its file.
    public var refFrom: String
    /// Probability of an empty reference in training, for classifier-free guidance.
    public var condDropProb: Double

    static let schema = Schema([
        .choice("noise_encoder_type", of: .noiseEncoder, default: "default", "The network that embeds the reference."),
        .integer("noise_embed_dim", default: 512, in: .between(1, 65536), "Length of the embedding."),
        .integer("noise_encoder_nf", default: 64, in: .between(1, 4096), "Base number of filters of the encoder."),
        .bool("train_noise_encoder", default: true, "Train the encoder with the network."),
        .bool("freeze_clap", default: false, "Keep the pretrained weights of a CLAP encoder."),
        .integer("ref_num_frames", default: .derived("32, or what ref_length_sec gives"), in: .between(1, 1e6), unit: "frames",
            "Length of the reference in training."),
        .number("ref_length_sec", default: .absent, in: .positive, unit: "s",
            "Length of the reference in seconds, instead of ref_num_frames: int(s · sample_rate / hop_length) + 1 frames.", part: IdentityPart.none),
        .oneOf("ref_from", ["segment", "elsewhere"], default: "segment",
            "Where the reference is cut from y − x in training: the crop itself, or elsewhere in its file."),
        .number("cond_drop_prob", default: 0.0, in: .probability,
            "Probability of leaving the reference out in training, for classifier-free guidance."),
    ])

    /// The frames of a reference of some seconds.
    package static func frames(seconds: Double, sampleRate: Int, hopLength: Int) -> Int {
        Int(min(1e9, seconds * Double(sampleRate) / Double(hopLength))) + 1
    }

    init(_ settings: Settings) {
        noiseEncoder = settings.choice("noise_encoder_type")
        noiseEmbedDim = settings.integer("noise_embed_dim")
        noiseEncoderNF = settings.integer("noise_encoder_nf")
        trainNoiseEncoder = settings.bool("train_noise_encoder")
        freezeClap = settings.bool("freeze_clap")
        refNumFrames = settings.integer("ref_num_frames")
        refFrom = settings.optionalText("ref_from") ?? "segment"
        condDropProb = settings.number("cond_drop_prob")
    }
}
