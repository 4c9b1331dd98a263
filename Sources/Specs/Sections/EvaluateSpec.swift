public import SpecLanguage

/// What is scored and how: test sets, metrics, and the factors whose combinations are the evaluations.
public struct EvaluateSpec: SettingsSection {
    /// How frames are padded to a multiple that the network needs.
    public enum Padding: String, SettingName {
        case reflection
        case zeroPad = "zero_pad"
        case replication
    }
    /// Enhanced files that are kept as audio; `examples` are a few.
    public enum KeptAudio: String, SettingName { case all, examples, none }

    /// The test sets; each is a factor level.
    public var sets = [TestSetSpec("test")]
    /// Steps of the reverse process, each a factor level; empty where the sampler chooses its steps.
    public var N: [Int] = []
    /// The samplers, each a factor level.
    public var samplers: [Choice] = []
    /// Guidance scales `w`: `s₀ + w (s₁ − s₀)`.
    public var guidance: [Double] = []
    /// The noise references, each a factor level; empty without conditioning.
    public var references: [NoiseReferenceSpec] = []
    /// Which weights of the run, each one of ``CheckpointForm``.
    public var checkpoints = [Choice(CheckpointForm.bestPESQ.rawValue)]
    /// Averaged weights, raw weights, or both as factor levels.
    public var weights = [WeightChoice.ema]
    /// Seeds of the sampler's random numbers, each a factor level.
    public var noiseSeeds = [0]
    /// What is measured of every enhanced file; no factor.
    public var metrics = [Choice("pesq"), Choice("estoi"), Choice("si_sdr")]
    /// Reference rows of every table, which are scored on the same files.
    public var anchors = [Choice("noisy")]
    /// The least process time of the sampler; usually that of training.
    public var tEps = 0.03
    /// How spectrograms are padded to the multiple of frames that the backbone takes.
    public var padding = Padding.reflection
    /// Longer recordings are enhanced in segments of so many seconds.
    public var segment: Double?
    /// Of the network's products and convolutions.
    public var precision = PrecisionChoice.fp32
    /// At most so many files of each set.
    public var maxFiles: Int?
    /// Which enhanced files are kept; changes no score.
    public var keepAudio = KeptAudio.examples

    public init() {}

    public static let declaration = Declaration<Self>([
        Setting(
            \.sets, "sets", ofAtLeast: 1, default: ["test"], "Test sets: names of the training corpus's, or sections."),
        Setting(
            \.N, "N", ofAtLeast: 1, default: .derived("the SDE's usual number"), in: .between(1, 100_000),
            "Steps of the reverse process; several are a factor."),
        Setting(
            \.samplers, "sampler", ofAtLeast: 1, as: .choice(of: .sampler), spreads: true,
            default: .derived("the SDE's usual sampler"), "The sampler; lists in its parameters are factors."),
        Setting(
            \.guidance, "guidance", ofAtLeast: 1, default: .derived("1 where there is conditioning"),
            "Scales w of classifier-free guidance, s0 + w (s1 − s0); several are a factor.", aliases: ["cfg_scale"]),
        Setting(
            \.references, "reference", ofAtLeast: 1, spreads: true,
            default: .derived("oracle where there is conditioning"), "The noise reference; several are a factor."),
        Setting(
            \.checkpoints, "checkpoint", ofAtLeast: 1, as: .variant(CheckpointForm.descriptors), spreads: true,
            "Which weights of the run; several are a factor."),
        Setting(\.weights, "weights", ofAtLeast: 1, "Averaged or raw; both are a factor."),
        Setting(
            \.noiseSeeds, "noise_seed", ofAtLeast: 1, in: .from(0),
            "Seeds of the sampler's noise; several are a factor."),
        Setting(\.metrics, "metrics", ofAtLeast: 0, as: .choice(of: .metric), "What is measured."),
        Setting(\.anchors, "anchors", ofAtLeast: 0, as: .choice(of: .anchor), "Rows that every system must beat."),
        Setting(
            \.tEps, "t_eps", default: .derived("train.t_eps"),
            in: Bounds(from: 0, to: 1, excludesLower: true, excludesUpper: true), "The least process time."),
        Setting(
            \.padding, "padding", default: .derived("the backbone's usual padding"), "How frames are padded.",
            aliases: ["pad_mode"]),
        Setting(
            \.segment, "segment", in: .from(2), unit: "s",
            """
            Longer recordings are enhanced in overlapping segments of this length, in bounded memory; whole if not \
            given.
            """
        ).silentWhenAbsent,
        Setting(
            \.precision, "precision", default: .derived("train.precision"),
            "How the network's products and convolutions are computed."
        ).silent(at: PrecisionChoice.fp32),
        Setting(\.maxFiles, "max_files", in: .between(1, 1e9), unit: "files", "At most so many files of each set."),
        Setting(\.keepAudio, "keep_audio", "Which enhanced files are kept.", part: IdentityPart.none),
    ])
}
