import SpecLanguage

/// The audio an experiment learns from: a corpus or a folder, its rate, and how crops are cut.
public struct DataSpec: Hashable, Sendable {
    /// A registered corpus; exactly one of this and `path` is given.
    public var corpus: Choice?
    /// A folder with `train`, `valid`, and `test`, in the layout `format`. Where data lies means nothing: its
    /// fingerprint does.
    public var path: String?
    public var format: String
    /// Hz.
    public var sampleRate: Int
    /// Whether files at another rate are converted rather than refused.
    public var resample: Bool
    /// Frames of a training crop: `(num_frames − 1) · hop_length` samples.
    public var numFrames: Int
    /// What a crop is divided by: the peak of the noisy signal, of the clean one, or nothing.
    public var normalize: String
    /// The part of each split that is used, from the start of the sorted list.
    public var fraction: Double
    /// At most so many files of each split.
    public var maxFiles: Int?
    public var numWorkers: Int

    static let schema = Schema([
        .choice("corpus", of: .corpus, default: .absent, "A corpus of the registry, with its parameters."),
        .path("path", default: .absent, "A folder with train, valid, and test, instead of a corpus.", aliases: ["base_dir"],
            part: IdentityPart.none),
        .oneOf("format", ["default", "reverb"], default: "default",
            "The layout of 'path': clean and noisy, or anechoic and reverb."),
        .integer("sample_rate", default: 16000, in: .between(4000, 192_000), unit: "Hz",
            "The rate everything is computed at.", aliases: ["sr"]),
        .bool("resample", default: false, "Convert files at another rate; otherwise they stop the run."),
        .integer("num_frames", default: 256, in: .between(2, 1e6), unit: "frames", "Length of a training crop."),
        .oneOf("normalize", ["noisy", "clean", "not"], default: "noisy", "The signal whose peak a crop is divided by."),
        .number("fraction", default: 1.0, in: Bounds(from: 0, to: 1, excludesLower: true),
            "Part of each split that is used, from the start."),
        .integer("max_files", default: .absent, in: .between(1, 1e9), unit: "files", "At most so many files of each split."),
        .integer("num_workers", default: 4, in: .between(0, 1024), "Threads that read audio ahead.", part: IdentityPart.none),
    ])

    init(_ settings: Settings) {
        corpus = settings.optionalChoice("corpus")
        path = settings.optionalText("path")
        format = settings.text("format")
        sampleRate = settings.integer("sample_rate")
        resample = settings.bool("resample")
        numFrames = settings.integer("num_frames")
        normalize = settings.text("normalize")
        fraction = settings.number("fraction")
        maxFiles = settings.optionalInteger("max_files")
        numWorkers = settings.integer("num_workers")
    }
}
