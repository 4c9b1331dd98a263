public import SpecLanguage

/// A fully resolved experiment: every default filled in, every name looked up.
///
/// `settings` holds all values as data; the sections hold the same values with Swift types.
/// An immutable class, so that ten thousand runs of a sweep are passed without copies.
public final class ExperimentSpec: Sendable {
    /// All settings as data, which identities, stores and comparisons use.
    public let settings: Settings

    /// The name of the experiment, and the beginning of its runs' names.
    public let name: String
    /// One line that describes the experiment to people; no part of any identity.
    public let title: String?
    /// Free text; no part of any identity.
    public let notes: String?
    /// Words by which runs can be listed.
    public let tags: [String]
    /// The paper's row it reproduces.
    public let reproduces: String?
    /// Paths that are not known, each with what is missing; such a spec can be shown, not run.
    public let incomplete: [String: String]
    /// Citations by path.
    public let sources: [String: String]
    /// Checks that may fail, each with its reason.
    public let waive: [String: String]

    /// The device to use where neither a flag nor the environment names one; no part of any identity.
    public let device: String?

    /// Corpus, sample rate, and training crops.
    public let data: DataSpec
    /// STFT and amplitude compression.
    public let transform: TransformSpec
    /// The network with its options.
    public let backbone: Choice
    /// The noise encoder and its training; `nil` for a network without noise reference.
    public let conditioning: ConditioningSpec?
    /// The regression in front of the diffusion (StoRM); `nil` for none.
    public let regression: RegressionSpec?
    /// The diffusion with its constants.
    public let sde: Choice
    /// The loss, and how network input and output are scaled.
    public let objective: ObjectiveSpec
    /// Optimiser, length of training, validation, and checkpoints.
    public let train: TrainSpec
    /// Test sets, factors of evaluation, metrics, and anchors.
    public let evaluate: EvaluateSpec

    /// Reads complete settings, as a resolver leaves them or a store kept them.
    ///
    /// - Parameter other: A spec that may have sections in common with this one; these are then shared, not read again.
    public init(_ settings: Settings, like other: ExperimentSpec? = nil) {
        var settings = settings
        name = settings.optionalText("name") ?? ""
        title = settings.optionalText("title")
        notes = settings.optionalText("notes")
        tags = settings.texts("tags")
        device = settings.optionalText("device")
        reproduces = settings.optionalText("reproduces")
        func part<Part>(_ name: String, _ known: (ExperimentSpec) -> Part, _ read: (Settings) -> Part) -> Part {
            guard let other, let value = other.settings[name], settings[name] == value else { return read(settings) }
            settings[name] = value
            return known(other)
        }
        incomplete = part("incomplete", \.incomplete) { Self.table($0, "incomplete") }
        sources = part("sources", \.sources) { Self.table($0, "sources") }
        waive = part("waive", \.waive) { Self.table($0, "waive") }
        data = part("data", \.data) { DataSpec($0.section("data")) }
        transform = part("transform", \.transform) { TransformSpec($0.section("transform")) }
        backbone = settings.choice("backbone")
        conditioning = part("conditioning", \.conditioning) {
            $0.optionalSection("conditioning").map(ConditioningSpec.init)
        }
        regression = part("regression", \.regression) { $0.optionalSection("regression").map(RegressionSpec.init) }
        sde = settings.choice("sde")
        objective = part("objective", \.objective) { ObjectiveSpec($0.section("objective")) }
        train = part("train", \.train) { TrainSpec($0.section("train")) }
        evaluate = part("evaluate", \.evaluate) { EvaluateSpec($0.section("evaluate")) }
        self.settings = settings
    }

    private static func table(_ settings: Settings, _ name: String) -> [String: String] {
        let pairs = settings.optionalSection(name)?.map { name, value -> (String, String) in
            if case .text(let text) = value { (name, text) } else { (name, "") }
        }
        return Dictionary(pairs ?? [], uniquingKeysWith: { $1 })
    }

    /// The same experiment with another value at a path; for tools that vary one.
    public func with(_ path: String, _ value: SettingValue) -> ExperimentSpec {
        var settings = settings
        settings.set(value, at: path)
        return ExperimentSpec(settings)
    }
}

extension ExperimentSpec: Hashable {
    /// Equal settings, whatever files they were resolved from.
    public static func == (a: ExperimentSpec, b: ExperimentSpec) -> Bool { a.settings == b.settings }
    public func hash(into hasher: inout Hasher) { hasher.combine(settings) }
}
