public import SpecLanguage

/// The training data: a corpus or a folder, its sample rate, and how crops are cut.
public struct DataSpec: SettingsSection {
    /// The folders of a pair: clean and noisy, or anechoic and reverb.
    public enum Layout: String, SettingName {
        case standard = "default"
        case reverb
    }
    /// The signal whose peak a crop is divided by.
    public enum Normalization: String, SettingName { case noisy, clean, not }

    /// A registered corpus; exactly one of this and `path` is given.
    public var corpus: Choice?
    /// A folder with `train`, `valid`, and `test`, in the layout `format`. The path is no part of an identity; the
    /// fingerprint of the audio is.
    public var path: String?
    /// The folder layouts that are accepted at `path`.
    public var format = Layout.standard
    /// Hz.
    public var sampleRate = 16000
    /// Whether files at another rate are converted rather than refused.
    public var resample = false
    /// Frames of a training crop: `(num_frames − 1) · hop_length` samples.
    public var numFrames = 256
    /// The signal whose peak divides both signals of a crop.
    public var normalize = Normalization.noisy
    /// The part of each split that is used, from the start of the sorted list.
    public var fraction = 1.0
    /// At most so many files of each split.
    public var maxFiles: Int?

    public init() {}

    public static let declaration = Declaration<Self>(
        [
            Setting(\.corpus, "corpus", of: .corpus, "A corpus of the registry, with its parameters."),
            Setting(
                \.path, "path", "A folder with train, valid, and test, instead of a corpus.", aliases: ["base_dir"],
                part: IdentityPart.none
            ).asPath,
            Setting(
                \.format, "format",
                "The layout of 'path': clean and noisy, else anechoic and reverb; or anechoic and reverb alone."),
            Setting(
                \.sampleRate, "sample_rate", in: .between(4000, 192_000), unit: "Hz",
                "The rate everything is computed at.", aliases: ["sr"]),
            Setting(\.resample, "resample", "Convert files at another rate; otherwise they stop the run."),
            Setting(\.numFrames, "num_frames", in: .between(2, 1e6), unit: "frames", "Length of a training crop."),
            Setting(\.normalize, "normalize", "The signal whose peak a crop is divided by."),
            Setting(
                \.fraction, "fraction", in: Bounds(from: 0, to: 1, excludesLower: true),
                "Part of each split that is used, from the start."),
            Setting(
                \.maxFiles, "max_files", in: .between(1, 1e9), unit: "files", "At most so many files of each split."),
        ],
        retired: [
            RetiredSetting("num_workers", reason: "crops are read when a step needs them, which takes no setting")
        ])
}
