import SpecLanguage

/// Fills in what follows from other settings.
struct DerivedSettings {
    let vocabulary: Vocabulary
    /// Samplers with every parameter at its default, by name.
    private let samplers: [String: Choice]
    private static let oracle = Choice(NoiseReferenceSpec.forms[0].name, NoiseReferenceSpec.forms[0].defaults())

    init(vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        let choices = vocabulary.entries(.sampler).map { ($0.name, Choice($0.name, $0.defaults(vocabulary))) }
        samplers = Dictionary(choices, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter known: A spec with the settings that it was filled from; what follows from the same is taken over.
    func fill(_ settings: inout Settings, like known: (draft: Settings, spec: ExperimentSpec)? = nil) {
        let draft = settings
        let sdeTraits = vocabulary.traits(.sde, settings.choice("sde"))
        let training = settings.optionalSection("regression")?.optionalText("training")
        let usual = training == RegressionSpec.Training.alone.rawValue ? "regression" : sdeTraits.samplers[0]
        let sampler = samplers[usual] ?? Choice(usual)
        let steps = sdeTraits.usualSteps

        fillReferenceLength(&settings)
        var train = settings.section("train")
        fill(&train, "validation_sampler") { .choice(sampler) }
        if takesSteps(train.choice("validation_sampler")) { fill(&train, "validation_N") { .integer(steps) } }
        settings["train"] = .section(train)

        if let known, ["t_eps", "precision"].allSatisfy({ known.spec.settings.section("train")[$0] == train[$0] }),
            Self.decidingEvaluation.allSatisfy({ draft[$0] == known.draft[$0] })
        {
            settings["evaluate"] = known.spec.settings["evaluate"]
        } else {
            fillEvaluation(&settings, sampler, steps)
        }
    }

    /// The sections, besides `train.t_eps`, that `evaluate` follows from.
    private static let decidingEvaluation = [
        "evaluate", "sde", "backbone", "conditioning", "regression", "data", "transform",
    ]

    private func fillReferenceLength(_ settings: inout Settings) {
        guard case .none? = settings.value(at: "conditioning.ref_num_frames") else { return }
        let frames = settings.value(at: "conditioning.ref_length_sec")?.number.map {
            ConditioningSpec.frames(
                seconds: $0, sampleRate: settings.section("data").integer("sample_rate"),
                hopLength: settings.section("transform").integer("hop_length"))
        }
        settings.set(.integer(frames ?? ConditioningSpec.usualFrames), at: "conditioning.ref_num_frames")
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
        if !isConditioned,
            evaluate.choices("reference").allSatisfy({ $0.name == NoiseReferenceSpec.Mode.none.rawValue })
        {
            evaluate["reference"] = .list([])
        }
        if isConditioned {
            let frames = settings.value(at: "conditioning.ref_num_frames") ?? .none
            evaluate["reference"] = .list(
                evaluate.choices("reference").map { reference in
                    var reference = reference
                    if reference.settings["num_frames"] != nil { fill(&reference.settings, "num_frames") { frames } }
                    return .choice(reference)
                })
        }
        fill(&evaluate, "t_eps") { .number(settings.section("train").number("t_eps")) }
        fill(&evaluate, "precision") { .text(settings.section("train").text("precision")) }
        fill(&evaluate, "padding") { vocabulary.traits(.backbone, settings.choice("backbone")).usualPadding.written }
        evaluate["sets"] = .list(
            evaluate.list("sets").map { value in
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
