public import SpecLanguage

/// The noise reference of a network, and how its embedding is made and dropped.
public struct ConditioningSpec: SettingsSection {
    /// Where the reference is cut from `y − x` in training: the crop itself, or elsewhere in its file.
    public enum ReferenceOrigin: String, SettingName { case segment, elsewhere }

    /// Frames of a reference where a spec gives no length.
    package static let usualFrames = 32

    /// The network that embeds the reference.
    public var noiseEncoder = Choice("default")
    /// Length of the embedding.
    public var noiseEmbedDim = 512
    /// Base number of filters of the encoder.
    public var noiseEncoderNF = 64
    /// Whether the encoder is trained with the network; otherwise it keeps its initial weights.
    public var trainNoiseEncoder = true
    /// Frames of the reference in training.
    public var refNumFrames = usualFrames
    /// The seconds that gave ``refNumFrames``, where the spec gives seconds.
    public var refLengthSeconds: Double?
    /// Where the reference is cut in training: in the crop itself, or elsewhere in its file.
    public var refFrom = ReferenceOrigin.segment
    /// Probability of an empty reference in training, for classifier-free guidance.
    public var condDropProb = 0.0

    public init() {}

    public static let declaration = Declaration<Self>(
        [
            Setting(\.noiseEncoder, "noise_encoder_type", of: .noiseEncoder, "The network that embeds the reference."),
            Setting(\.noiseEmbedDim, "noise_embed_dim", in: .between(1, 65536), "Length of the embedding."),
            Setting(
                \.noiseEncoderNF, "noise_encoder_nf", in: .between(1, 4096), "Base number of filters of the encoder."),
            Setting(\.trainNoiseEncoder, "train_noise_encoder", "Train the encoder with the network."),
            Setting(
                \.refNumFrames, "ref_num_frames", default: .derived("\(usualFrames), or what ref_length_sec gives"),
                in: .between(1, 1e6), unit: "frames", "Length of the reference in training."),
            Setting(
                \.refLengthSeconds, "ref_length_sec", in: .positive, unit: "s",
                """
                Length of the reference in seconds, instead of ref_num_frames: int(s · sample_rate / hop_length) + 1 \
                frames.
                """,
                part: IdentityPart.none),
            Setting(
                \.refFrom, "ref_from",
                "Where the reference is cut from y − x in training: the crop itself, or elsewhere in its file."),
            Setting(
                \.condDropProb, "cond_drop_prob", in: .probability,
                "Probability of leaving the reference out in training, for classifier-free guidance."),
        ],
        retired: [
            RetiredSetting(
                "freeze_clap", lastDefault: false,
                reason: "no encoder is a CLAP network: train_noise_encoder says what is trained")
        ])

    /// The frames of a reference of some seconds.
    package static func frames(seconds: Double, sampleRate: Int, hopLength: Int) -> Int {
        Int(min(1e9, seconds * Double(sampleRate) / Double(hopLength))) + 1
    }
}
