import SpecLanguage

/// What is scored and how: test sets, metrics, and the factors whose combinations are the evaluations.
public struct EvaluateSpec: Hashable, Sendable {
    /// A test set: one of the training corpus's, or one of another corpus or folder.
    public struct TestSet: Hashable, Sendable {
        public var name: String
        public var corpus: Choice?
        public var path: String?
        public var format: String
        /// The split that is read.
        public var subset: String
    }

    /// The noise reference a conditioned network is given.
    public struct Reference: Hashable, Sendable {
        /// One of ``referenceForms``.
        public var mode: String
        /// What distinguishes the forms of a mode: `quietest` or `speech_free`, `file` or `noise_type`.
        public var by: String?
        /// Of `file` and `folder`.
        public var path: String?
        /// Frames; as in training where the spec does not say.
        public var numFrames: Int?

        public init(mode: String, by: String? = nil, path: String? = nil, numFrames: Int? = nil) {
            (self.mode, self.by, self.path, self.numFrames) = (mode, by, path, numFrames)
        }

        /// The mode with what its form adds, such as `mismatched/noise_type`.
        public var label: String { by.map { "\(mode)/\($0)" } ?? mode }

        /// The label with what else distinguishes references: the recording, and a length that is not the training's.
        public func name(inTraining trainedFrames: Int? = nil) -> String {
            let source = path.map { ":" + $0 } ?? ""
            let length = numFrames.map { $0 == trainedFrames ? "" : "/\($0)" } ?? ""
            return label + source + length
        }
    }

    public var sets: [TestSet]
    public var N: [Int]
    public var samplers: [Choice]
    /// Guidance scales `w`: `s₀ + w (s₁ − s₀)`.
    public var guidance: [Double]
    public var references: [Reference]
    /// `best_pesq`, `best_si_sdr`, `last`, `step` (with `step`), or `file` (with `path`).
    public var checkpoints: [Choice]
    /// `ema` or `raw`.
    public var weights: [String]
    public var noiseSeeds: [Int]
    public var metrics: [Choice]
    public var anchors: [Choice]
    public var tEps: Double
    /// `reflection`, `replication` or `zero_pad`, up to a multiple of frames the network can halve.
    public var padding: String
    /// Longer recordings are enhanced in segments of so many seconds.
    public var segment: Double?
    /// At most so many files of each set.
    public var maxFiles: Int?
    /// Enhanced files that are kept as audio: `all`, `none`, or a few examples.
    public var keepAudio: String

    /// What may be evaluated of a run.
    public static let checkpointForms: [EntryDescriptor] = [
        EntryDescriptor("best_pesq", "The best PESQ in validation"),
        EntryDescriptor("best_si_sdr", "The best SI-SDR in validation"),
        EntryDescriptor("last", "The last step"),
        EntryDescriptor("step", "A kept step", parameters: [
            .integer("step", default: .required, in: .between(0, 1e9), "The step.")
        ]),
        EntryDescriptor("file", "A file, also of another implementation", parameters: [
            .path("path", default: .required, "Where it lies.")
        ]),
    ]

    private static let referenceFrames = Field.integer(
        "num_frames", default: .derived("ref_num_frames of training"), in: .between(1, 1e6), unit: "frames",
        "Length of the reference.", aliases: ["ref_num_frames"])

    /// The reference modes; places are drawn by the noise seed and the file's name.
    public static let referenceForms: [EntryDescriptor] = [
        EntryDescriptor("oracle", "Noise of the file itself, y − x, at a drawn place", parameters: [referenceFrames]),
        EntryDescriptor("estimated", "A stretch of y that holds little but noise", parameters: [
            .oneOf("by", ["quietest", "speech_free"], default: "speech_free",
                "The stretch of least energy, or the one with the fewest frames above the noise floor."),
            referenceFrames,
        ]),
        EntryDescriptor("start", "The beginning of the noisy file", parameters: [referenceFrames]),
        EntryDescriptor("mismatched", "Noise of another file of the set", parameters: [
            .oneOf("by", ["file", "noise_type"], default: "file", "Any other file, or one whose noise is of another type."),
            referenceFrames,
        ]),
        EntryDescriptor("random", "White noise at the level of the file's noise", parameters: [referenceFrames]),
        EntryDescriptor("file", "One recording of noise for all", parameters: [
            .path("path", default: .required, "Where it lies."), referenceFrames,
        ]),
        EntryDescriptor("folder", "Recordings of noise: the one of the file's name, or else a drawn one", parameters: [
            .path("path", default: .required, "Where they lie."), referenceFrames,
        ]),
        EntryDescriptor("zero", "An embedding of zeros, as training's dropout uses"),
        EntryDescriptor("none", "The conditioning layers left out, which no network is trained for"),
    ]

    static let setSchema = Schema([
        .text("name", default: .required, "What tables call it."),
        .choice("corpus", of: .corpus, default: .absent, "Another corpus than the training's."),
        .path("path", default: .absent, "A folder instead of a corpus.", part: IdentityPart.none),
        .oneOf("format", ["default", "reverb"], default: "default", "The layout of 'path'."),
        .text("subset", default: .derived("the name, in the training's corpus, else test"), "The split that is read."),
    ])

    static let schema = Schema([
        .list("sets", of: .section(setSchema, shorthand: "name"), atLeast: 1, default: ["test"],
            "Test sets: names of the training corpus's, or sections."),
        .list("N", of: .integer(.between(1, 100_000)), atLeast: 1, default: .derived("the SDE's usual number"),
            "Steps of the reverse process; several are a factor."),
        Field("sampler", .list(of: .choice(of: .sampler), atLeast: 1, spreads: true),
            default: .derived("the SDE's usual sampler"), "The sampler; lists in its parameters are factors."),
        .list("guidance", of: .number(), atLeast: 1, default: .derived("1 where there is conditioning"),
            "Scales w of classifier-free guidance, s0 + w (s1 − s0); several are a factor.", aliases: ["cfg_scale"]),
        Field("reference", .list(of: .variant(referenceForms), atLeast: 1, spreads: true),
            default: .derived("oracle where there is conditioning"), "The noise reference; several are a factor."),
        Field("checkpoint", .list(of: .variant(checkpointForms), atLeast: 1, spreads: true),
            default: .value(.list([.text("best_pesq")])), "Which weights of the run; several are a factor."),
        .list("weights", of: .oneOf(["ema", "raw"]), atLeast: 1, default: ["ema"], "Averaged or raw; both are a factor."),
        .list("noise_seed", of: .integer(.from(0)), atLeast: 1, default: [0], "Seeds of the sampler's noise; several are a factor."),
        .list("metrics", of: .choice(of: .metric), default: ["pesq", "estoi", "si_sdr"], "What is measured."),
        .list("anchors", of: .choice(of: .anchor), default: ["noisy"], "Rows that every system must beat."),
        .number("t_eps", default: .derived("train.t_eps"),
            in: Bounds(from: 0, to: 1, excludesLower: true, excludesUpper: true), "The least process time."),
        .oneOf("padding", ["reflection", "zero_pad", "replication"], default: .derived("the backbone's usual padding"),
            "How frames are padded.", aliases: ["pad_mode"]),
        .number("segment", default: .absent, in: .from(2), unit: "s",
            "Longer recordings are enhanced in overlapping segments of this length, in bounded memory; whole if not given.").silentWhenAbsent,
        .integer("max_files", default: .absent, in: .between(1, 1e9), unit: "files", "At most so many files of each set."),
        .oneOf("keep_audio", ["all", "examples", "none"], default: "examples", "Which enhanced files are kept.",
            part: IdentityPart.none),
    ])

    init(_ settings: Settings) {
        sets = settings.list("sets").compactMap { value in
            guard case .section(let set) = value else { return nil }
            return TestSet(
                name: set.text("name"), corpus: set.optionalChoice("corpus"), path: set.optionalText("path"),
                format: set.text("format"), subset: set.optionalText("subset") ?? "test")
        }
        N = settings.integers("N")
        samplers = settings.choices("sampler")
        guidance = settings.numbers("guidance")
        references = settings.choices("reference").map {
            Reference(
                mode: $0.name, by: $0.settings.optionalText("by"), path: $0.settings.optionalText("path"), numFrames: $0.settings.optionalInteger("num_frames"))
        }
        checkpoints = settings.choices("checkpoint")
        weights = settings.texts("weights")
        noiseSeeds = settings.integers("noise_seed")
        metrics = settings.choices("metrics")
        anchors = settings.choices("anchors")
        tEps = settings.number("t_eps")
        padding = settings.text("padding")
        segment = settings.optionalNumber("segment")
        maxFiles = settings.optionalInteger("max_files")
        keepAudio = settings.text("keep_audio")
    }
}
