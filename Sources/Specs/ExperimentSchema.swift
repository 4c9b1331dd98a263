/// The language: every section and setting of an experiment, as data.
public enum ExperimentSchema {
    /// The whole of a spec file.
    public static let root = Schema([
        .text("name", default: .derived("the file's name"), "What the experiment and its runs are called.", part: IdentityPart.none),
        .text("title", default: .absent, "One line for people.", part: IdentityPart.none),
        .text("notes", default: .absent, "Anything worth knowing.", part: IdentityPart.none),
        .list("tags", of: .text, default: [], "Words to find it by.", part: IdentityPart.none),
        .text("reproduces", default: .absent, "The paper's row it reproduces.", part: IdentityPart.none),
        Field("incomplete", .table, default: .value(.section(Settings())),
            "Settings that are not known, each with what is missing.", part: IdentityPart.none),
        Field("sources", .table, default: .value(.section(Settings())),
            "Where settings come from: paths with citations.", part: IdentityPart.none),
        Field("waive", .table, default: .value(.section(Settings())),
            "Checks that may fail, each with the reason.", part: IdentityPart.none),
        Field("extends", .raw, default: .absent, "Specs this one completes or changes, relative to its folder.", part: IdentityPart.none),
        .section("data", DataSpec.schema, "The audio.", part: .data),
        .section("transform", TransformSpec.schema, "From samples to the network's input.", part: .training),
        .choice("backbone", of: .backbone, default: "ncsnpp", "The network.", part: .training),
        .section("conditioning", ConditioningSpec.schema, isOptional: true, "The noise reference, if there is one.", part: .training),
        .choice("sde", of: .sde, default: "ouve", "The diffusion.", part: .training),
        .section("objective", ObjectiveSpec.schema, "What training minimises.", part: .training),
        .section("train", TrainSpec.schema, "How the weights are found.", part: .training),
        .section("evaluate", EvaluateSpec.schema, "What is scored and how.", part: .evaluation),
        Field("sweep", .raw, default: .absent, "Combinations of settings, one run each.", part: IdentityPart.none),
        Field("profiles", .raw, default: .absent, "Named sets of changes, chosen with --profile.", part: IdentityPart.none),
    ])

    /// The dotted paths of all settings, registries' parameters apart.
    static let paths: [String] = root.fields.flatMap { field in
        if case .section(let schema, _) = field.type { schema.fields.map { "\(field.name).\($0.name)" } } else { [field.name] }
    }

    /// Keys that describe one file and are not passed on to those that extend it.
    static let ownKeys: Set<String> = ["name", "title", "notes", "reproduces", "extends"]

    /// Keys read by composition, before anything is resolved.
    static let compositionKeys: Set<String> = ["extends", "sweep", "profiles"]

    /// The sections in which a name is a key, to send a misplaced key home.
    static let homes: [String: [String]] = {
        var homes: [String: [String]] = [:]
        for field in root.fields {
            guard case .section(let schema, _) = field.type else { continue }
            for name in schema.allNames { homes[name, default: []].append(field.name) }
        }
        return homes
    }()

    /// The field at a dotted path, where the path does not lead into a registry's entry.
    public static func field(at path: String) -> Field? {
        var schema = root
        var found: Field?
        for name in path.split(separator: ".") {
            guard let field = schema[String(name)] else { return nil }
            found = field
            if case .section(let inner, _) = field.type { schema = inner } else { schema = Schema([]) }
        }
        return found
    }
}

/// Fills in what follows from other settings.
struct DerivedSettings {
    let vocabulary: ExperimentVocabulary
    /// Samplers with every parameter at its default, by name.
    private let samplers: [String: Choice]
    private static let oracle = Choice(EvaluateSpec.referenceForms[0].name, EvaluateSpec.referenceForms[0].defaults())

    init(vocabulary: ExperimentVocabulary) {
        self.vocabulary = vocabulary
        let choices = vocabulary.entries(.sampler).map { ($0.name, Choice($0.name, $0.defaults(vocabulary))) }
        samplers = Dictionary(choices, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter known: A spec with the settings that it was filled from; what follows from the same is taken over.
    func fill(_ settings: inout Settings, like known: (draft: Settings, spec: ExperimentSpec)? = nil) {
        let draft = settings
        let sdeTraits = vocabulary.traits(.sde, settings.choice("sde"))
        let usual: String = sdeTraits.first { if case .samplers(let names) = $0 { names.first } else { nil } } ?? "pc"
        let sampler = samplers[usual] ?? Choice(usual)
        let steps = sdeTraits.first { if case .steps(let count) = $0 { count } else { nil } } ?? 30

        fillReferenceLength(&settings)
        var train = settings.section("train")
        fill(&train, "validation_sampler") { .choice(sampler) }
        if takesSteps(train.choice("validation_sampler")) { fill(&train, "validation_N") { .integer(steps) } }
        settings["train"] = .section(train)

        if let known, known.spec.settings.section("train")["t_eps"] == train["t_eps"],
            Self.decidingEvaluation.allSatisfy({ draft[$0] == known.draft[$0] })
        {
            settings["evaluate"] = known.spec.settings["evaluate"]
        } else {
            fillEvaluation(&settings, sampler, steps)
        }
    }

    /// The sections, besides `train.t_eps`, that `evaluate` follows from.
    private static let decidingEvaluation = ["evaluate", "sde", "backbone", "conditioning", "data", "transform"]

    private func fillReferenceLength(_ settings: inout Settings) {
        guard case .none? = settings.value(at: "conditioning.ref_num_frames") else { return }
        let frames = settings.value(at: "conditioning.ref_length_sec")?.number.map {
            ConditioningSpec.frames(
                seconds: $0, sampleRate: settings.section("data").integer("sample_rate"),
                hopLength: settings.section("transform").integer("hop_length"))
        }
        settings.set(.integer(frames ?? 32), at: "conditioning.ref_num_frames")
    }

    private func fillEvaluation(_ settings: inout Settings, _ sampler: Choice, _ steps: Int) {
        var evaluate = settings.section("evaluate")
        let isConditioned = settings.optionalSection("conditioning") != nil
        fill(&evaluate, "sampler") { .list([.choice(sampler)]) }
        let anyTakesSteps = evaluate.choices("sampler").contains(where: takesSteps)
        fill(&evaluate, "N") { .list(anyTakesSteps ? [.integer(steps)] : []) }
        fill(&evaluate, "guidance") { .list(isConditioned ? [.number(1)] : []) }
        fill(&evaluate, "reference") { .list(isConditioned ? [.choice(Self.oracle)] : []) }
        // Without conditioning there is nothing to leave out.
        if !isConditioned, evaluate.choices("reference").allSatisfy({ $0.name == "none" }) { evaluate["reference"] = .list([]) }
        if isConditioned {
            let frames = settings.value(at: "conditioning.ref_num_frames") ?? .none
            evaluate["reference"] = .list(evaluate.choices("reference").map { reference in
                var reference = reference
                if reference.settings["num_frames"] != nil { fill(&reference.settings, "num_frames") { frames } }
                return .choice(reference)
            })
        }
        fill(&evaluate, "t_eps") { settings.section("train")["t_eps"] ?? .number(0.03) }
        let backbone = vocabulary.traits(.backbone, settings.choice("backbone"))
        fill(&evaluate, "padding") {
            .text(backbone.first { if case .padding(let mode) = $0 { mode } else { nil } } ?? "zero_pad")
        }
        evaluate["sets"] = .list(evaluate.list("sets").map { value in
            guard case .section(var set) = value else { return value }
            let isOwn = set.optionalChoice("corpus") == nil && set.optionalText("path") == nil
            let subset = isOwn ? set.optionalText("name") ?? "test" : "test"
            fill(&set, "subset") { .text(subset) }
            return .section(set)
        })
        settings["evaluate"] = .section(evaluate)
    }

    private func fill(_ settings: inout Settings, _ name: String, _ value: () -> SettingValue) {
        if case .none? = settings[name] { settings[name] = value() }
    }

    func takesSteps(_ sampler: Choice) -> Bool {
        !vocabulary.traits(.sampler, sampler).contains(.choosesSteps)
    }
}

extension SettingValue {
    var number: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }
}

extension Sequence {
    /// The first result that is not nil.
    func first<Result>(_ transform: (Element) -> Result?) -> Result? {
        for element in self { if let result = transform(element) { return result } }
        return nil
    }
}
