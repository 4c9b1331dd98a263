public import SpecLanguage

/// A fully resolved experiment: every default filled in, every name looked up.
///
/// `settings` is the whole of it as data; the typed sections are the same values as Swift reads them best.
/// A class of constants, so that ten thousand runs of a sweep are handed on without copies.
public final class ExperimentSpec: Sendable {
    public let settings: Settings

    public let name: String
    public let title: String?
    public let notes: String?
    public let tags: [String]
    /// The paper's row it reproduces.
    public let reproduces: String?
    /// Paths that are not known, each with what is missing; such a spec can be shown, not run.
    public let incomplete: [String: String]
    /// Citations by path.
    public let sources: [String: String]
    /// Checks that may fail, each with its reason.
    public let waive: [String: String]

    /// What computes where neither a flag nor the environment says; nothing that is computed depends on it.
    public let device: String?

    public let data: DataSpec
    public let transform: TransformSpec
    public let backbone: Choice
    public let conditioning: ConditioningSpec?
    public let regression: RegressionSpec?
    public let sde: Choice
    public let objective: ObjectiveSpec
    public let train: TrainSpec
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
    public static func == (a: ExperimentSpec, b: ExperimentSpec) -> Bool { a.settings == b.settings }
    public func hash(into hasher: inout Hasher) { hasher.combine(settings) }
}
