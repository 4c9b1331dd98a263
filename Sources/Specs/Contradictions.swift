import SpecLanguage

/// Checks between settings that are valid alone and contradict each other.
struct Contradictions {
    let spec: ExperimentSpec
    let vocabulary: Vocabulary
    /// Where values come from; the first table that knows a path has it.
    let origins: [[String: Origin]]
    /// Paths that are already reported; what depends on them is not judged.
    let failed: Set<String>
    /// The place of the spec as a whole.
    let root: Mark
    private(set) var found: [SpecError] = []

    /// Every check's name and meaning: what `waive` may list.
    static let codes: [(code: String, summary: String)] = [
        ("no-audio", "exactly one of data.corpus and data.path"),
        ("no-end", "max_steps or max_epochs"),
        ("bins", "n_fft fits the backbone"),
        ("frames", "num_frames fits the backbone"),
        ("hop", "frames overlap"),
        ("conditioning", "conditioning and the backbone agree"),
        ("guidance", "guidance needs conditioning, and dropout in training"),
        ("reference", "a reference needs conditioning, one length, and a mode the network was trained for"),
        ("loss-terms", "l1_weight and pesq_weight need a loss in time"),
        ("weighting", "the loss has this weighting"),
        ("preconditioning", "the scalings need a backbone that follows them"),
        ("backbone-loss", "the loss trains this network"),
        ("interval", "losses and samplers of average velocities need a backbone of two times"),
        ("sde-loss", "the loss trains this SDE"),
        ("sde-sampler", "the sampler is of this SDE"),
        ("steps", "N needs a sampler with steps"),
        ("rate", "the corpus exists at this rate"),
        ("sets", "the test sets exist"),
        ("t-eps", "evaluation stays in the trained range of times"),
        ("order", "parameters that must ascend do"),
        ("checkpoint", "the checkpoint that is evaluated is kept"),
        ("repeated", "values of a factor are given once"),
        ("seeds", "seeds are a list of seeds, not their number"),
        ("name", "names can be printed"),
        ("paths", "'incomplete', 'sources', and 'waive' name what exists"),
    ]

    /// - Parameter changed: The sections in which the spec differs from one that was checked; all of them if `nil`.
    init(
        _ spec: ExperimentSpec, _ vocabulary: Vocabulary, origins: [[String: Origin]], failed: Set<String>, root: Mark,
        changed: Set<String>? = nil
    ) {
        self.spec = spec
        self.vocabulary = vocabulary
        self.origins = origins
        self.failed = failed
        self.root = root
        func concerns(_ sections: String...) -> Bool {
            changed.map { changed in sections.contains(where: changed.contains) } ?? true
        }
        if concerns("data", "train", "evaluate", "backbone") { checkData() }
        if concerns("data", "transform", "backbone") { checkNetwork() }
        if concerns("data", "transform", "backbone", "conditioning", "evaluate") { checkConditioning() }
        if concerns("objective", "backbone", "sde") { checkObjective() }
        if concerns("objective", "backbone", "train", "evaluate") { checkInterval() }
        if concerns("train", "sde", "regression") { checkTraining() }
        if concerns("data", "train", "evaluate", "sde", "regression") { checkEvaluation() }
        if concerns("data", "sde", "backbone") { checkOrder() }
        checkTables()
        if concerns("name") { checkName() }
    }

    // MARK: Reporting

    func origin(_ path: String) -> Origin? { origins.first { $0[path] } }

    func isWritten(_ path: String) -> Bool { origin(path)?.isWritten ?? false }

    /// Whether a value other than the default was written; writing a default counts as no choice.
    private func isChosen(_ path: String) -> Bool {
        guard isWritten(path) else { return false }
        let parts = path.split(separator: ".").map(String.init)
        guard parts.count == 2, case .section(let schema, _)? = ExperimentSchema.root[parts[0]]?.type,
            case .value(let usual)? = schema[parts[1]]?.standard
        else { return true }
        return spec.settings.value(at: path) != usual
    }

    func isGood(_ paths: String...) -> Bool { failed.isEmpty || paths.allSatisfy { !failed.contains($0) } }

    /// Whether a setting and all that is inside of it could be used.
    func isWhole(_ path: String) -> Bool {
        failed.allSatisfy { $0 != path && !$0.hasPrefix(path + "[") && !$0.hasPrefix(path + ".") }
    }

    /// The first of the paths that the spec writes.
    private func place(_ paths: [String]) -> Mark {
        paths.first { isWritten($0) ? origin($0)?.mark : nil } ?? root
    }

    mutating func report(
        _ code: String, at paths: [String], severity: SpecError.Severity = .error, _ summary: String,
        hint: String? = nil
    ) {
        let isWaived = spec.waive[code] != nil && !["no-audio", "no-end"].contains(code)
        found.append(SpecError(code, isWaived ? .warning : severity, at: place(paths), summary, hint: hint))
    }

    func traits(_ kind: RegistryKind, _ choice: Choice) -> [Trait] { vocabulary.traits(kind, choice) }

    func names(_ kind: RegistryKind, with trait: Trait) -> String {
        vocabulary.entries(kind).filter { $0.traits.contains(trait) }.map(\.name).joined(separator: ", ")
    }

    // MARK: Data and network

    private mutating func checkData() {
        let data = spec.data
        if isGood("data", "data.corpus", "data.path") {
            if data.corpus != nil, data.path != nil {
                report(
                    "no-audio", at: ["data.path"], "both a corpus and a path name the audio", hint: "keep one of them")
            }
            let ownSets = spec.evaluate.sets.allSatisfy { $0.corpus != nil || $0.path != nil }
            if data.corpus == nil, data.path == nil, !(ownSets && spec.train.maxSteps == 0) {
                report(
                    "no-audio", at: ["data"], "nothing names the audio",
                    hint: "data: { corpus: … } or data: { path: … }")
            }
        }
        if let corpus = data.corpus, isGood("data.sample_rate"), !data.resample {
            for case .rates(let rates) in traits(.corpus, corpus) where !rates.contains(data.sampleRate) {
                report(
                    "rate", at: ["data.sample_rate", "data.corpus"],
                    "corpus '\(corpus.name)' does not exist at \(data.sampleRate) Hz",
                    hint: "it has \(rates.map(String.init).joined(separator: ", ")) Hz; data.resample: true converts")
            }
        }
        for case .rate(let rate) in traits(.backbone, spec.backbone)
        where rate != data.sampleRate && isGood("data.sample_rate", "backbone") {
            report(
                "rate", at: ["backbone", "data.sample_rate"], severity: .warning,
                "backbone '\(spec.backbone.name)' was made for \(rate) Hz, the data has \(data.sampleRate) Hz")
        }
    }

    private mutating func checkNetwork() {
        let (transform, backbone) = (spec.transform, spec.backbone)
        guard isGood("backbone", "transform") else { return }
        if isGood("transform.hop_length", "transform.n_fft"), transform.hopLength >= transform.nFFT {
            report(
                "hop", at: ["transform.hop_length", "transform.n_fft"],
                "hop_length \(transform.hopLength) leaves samples out between frames of \(transform.nFFT)",
                hint: "a quarter of n_fft is usual: \(max(1, transform.nFFT / 4))")
        }
        for trait in traits(.backbone, backbone) {
            switch trait {
            case .halves(let parameter):
                guard case .list(let levels)? = backbone.settings[parameter], isGood("backbone.\(parameter)") else {
                    continue
                }
                let factor = 1 << min(30, max(0, levels.count - 1))
                let reason = "'\(backbone.name)' halves it \(levels.count - 1) times"
                if isGood("transform.n_fft"), !transform.bins.isMultiple(of: factor) {
                    let bins = max(1, Int((Double(transform.bins) / Double(factor)).rounded())) * factor
                    report(
                        "bins", at: ["transform.n_fft", "backbone.\(parameter)", "backbone"],
                        "n_fft \(transform.nFFT) gives \(transform.bins) bins, not a multiple of \(factor): \(reason)",
                        hint: "n_fft \(2 * (bins - 1)) gives \(bins)")
                }
                if isGood("data.num_frames"), !spec.data.numFrames.isMultiple(of: factor) {
                    let frames = max(1, Int((Double(spec.data.numFrames) / Double(factor)).rounded())) * factor
                    report(
                        "frames", at: ["data.num_frames", "backbone.\(parameter)", "backbone"],
                        "\(spec.data.numFrames) frames are not a multiple of \(factor): \(reason)",
                        hint: "try \(frames)")
                }
            case .bins(let multiple, let rest):
                if isGood("transform.n_fft"), transform.bins % multiple != rest % multiple {
                    let count = max(1, Int((Double(transform.bins - rest) / Double(multiple)).rounded()))
                    let bins = count * multiple + rest
                    report(
                        "bins", at: ["transform.n_fft", "backbone"],
                        """
                        n_fft \(transform.nFFT) gives \(transform.bins) bins; '\(backbone.name)' wants a multiple of \
                        \(multiple), plus \(rest)
                        """,
                        hint: "n_fft \(2 * (bins - 1)) gives \(bins)")
                }
            default: break
            }
        }
    }

    // MARK: Objective

    private mutating func checkObjective() {
        let objective = spec.objective
        guard isGood("objective", "objective.loss_type") else { return }
        var loss: String { "loss '\(objective.loss.name)'" }
        let lossTraits = traits(.loss, objective.loss)
        if vocabulary[.loss, objective.loss.name] != nil {
            if !lossTraits.contains(.hasTimeTerms) {
                var others: String { names(.loss, with: .hasTimeTerms) }
                if objective.pesqWeight > 0, isGood("objective.pesq_weight") {
                    report(
                        "loss-terms", at: ["objective.pesq_weight"], "'pesq_weight' has no effect with \(loss)",
                        hint: others.isEmpty ? nil : "it needs loss_type: \(others)")
                }
                if isChosen("objective.l1_weight"), objective.l1Weight > 0 {
                    report(
                        "loss-terms", at: ["objective.l1_weight"], severity: .warning,
                        "'l1_weight' has no effect with \(loss)")
                }
            }
            for case .weightings(let names) in lossTraits where isGood("objective.loss_weighting") {
                if names.isEmpty, isChosen("objective.loss_weighting") {
                    report(
                        "weighting", at: ["objective.loss_weighting"], severity: .warning,
                        "'loss_weighting' has no effect with \(loss)")
                } else if !names.isEmpty, !names.contains(objective.lossWeighting.rawValue) {
                    report(
                        "weighting", at: ["objective.loss_weighting", "objective.loss_type"],
                        "\(loss) has no weighting '\(objective.lossWeighting)'",
                        hint: "it has: " + names.joined(separator: ", "))
                }
            }
        }
        if let backbone = vocabulary[.backbone, spec.backbone.name], isGood("backbone"),
            !backbone.traits.contains(.takesPreconditioning)
        {
            let scalings = [
                ("network_scaling", objective.networkScaling == nil), ("c_in", objective.cIn == .one),
                ("c_out", objective.cOut == .one), ("c_skip", objective.cSkip == .zero),
            ]
            var others: String { names(.backbone, with: .takesPreconditioning) }
            for (name, isUsual) in scalings where !isUsual {
                report(
                    "preconditioning", at: ["objective.\(name)", "backbone"],
                    "'\(name)' has no effect with backbone '\(backbone.name)'",
                    hint: others.isEmpty ? nil : "it needs backbone: \(others)")
            }
        }
        let usesSigma =
            objective.cIn == .edm || objective.cOut == .edm || objective.cSkip == .edm
            || objective.lossWeighting == .edm
        if isChosen("objective.sigma_data"), !usesSigma {
            report(
                "preconditioning", at: ["objective.sigma_data"], severity: .warning,
                "'sigma_data' has no effect without an EDM scaling")
        }
        let own = traits(.backbone, spec.backbone)
        for case .ownLosses(let names) in own where !names.contains(objective.loss.name) && isGood("backbone") {
            report(
                "backbone-loss", at: ["objective.loss_type", "backbone"],
                "backbone '\(spec.backbone.name)' is not trained by \(loss)",
                hint: "it takes: " + names.joined(separator: ", "))
        }
        if lossTraits.contains(.needsUncertainty), !own.contains(where: \.isOwnLosses), isGood("backbone") {
            report(
                "backbone-loss", at: ["objective.loss_type", "backbone"],
                "\(loss) needs a network that tells its uncertainty, which '\(spec.backbone.name)' does not",
                hint: "backbone: edm2")
        }
        for case .losses(let names) in traits(.sde, spec.sde)
        where !names.contains(objective.loss.name) && isGood("sde") {
            report(
                "sde-loss", at: ["objective.loss_type", "sde"], "SDE '\(spec.sde.name)' is not trained by \(loss)",
                hint: "it takes: " + names.joined(separator: ", "))
        }
    }

    /// An objective or sampler with average velocities needs a network that takes both times.
    private mutating func checkInterval() {
        guard isGood("backbone", "objective.loss_type"), !traits(.backbone, spec.backbone).contains(.takesInterval)
        else { return }
        let hint = "it needs backbone: " + names(.backbone, with: .takesInterval)
        if traits(.loss, spec.objective.loss).contains(.needsInterval) {
            report(
                "interval", at: ["objective.loss_type", "backbone"],
                "loss '\(spec.objective.loss.name)' needs two times, and backbone '\(spec.backbone.name)' takes one",
                hint: hint)
        }
        let samplers = [
            ("train.validation_sampler", [spec.train.validationSampler]), ("evaluate.sampler", spec.evaluate.samplers),
        ]
        for (path, choices) in samplers
        where isWhole(path) && choices.contains(where: { traits(.sampler, $0).contains(.needsInterval) }) {
            report(
                "interval", at: [path, "backbone"],
                "this sampler needs two times, and backbone '\(spec.backbone.name)' takes one", hint: hint)
        }
    }

    // MARK: Parameters and tables

    private mutating func checkOrder() {
        let choices: [(RegistryKind, String, Choice?)] = [
            (.sde, "sde", spec.sde), (.backbone, "backbone", spec.backbone), (.corpus, "data.corpus", spec.data.corpus),
        ]
        for case (let kind, let path, let choice?) in choices {
            for case .ascending(let low, let high) in traits(kind, choice)
            where isGood("\(path).\(low)", "\(path).\(high)") {
                guard let a = choice.settings.optionalNumber(low), let b = choice.settings.optionalNumber(high), a >= b
                else { continue }
                report(
                    "order", at: ["\(path).\(high)", "\(path).\(low)", path],
                    "'\(high)' must be above '\(low)': \(SettingValue.number(b)) is not above \(SettingValue.number(a))"
                )
            }
            for case .ordered(let low, let high) in traits(kind, choice)
            where isGood("\(path).\(low)", "\(path).\(high)") {
                guard let a = choice.settings.optionalNumber(low), let b = choice.settings.optionalNumber(high), a > b
                else { continue }
                report(
                    "order", at: ["\(path).\(high)", "\(path).\(low)", path],
                    "'\(high)' must not be below '\(low)': \(SettingValue.number(b)) is below \(SettingValue.number(a))"
                )
            }
        }
    }

    private mutating func checkName() {
        guard let name = spec.settings.optionalText("name"), isGood("name") else { return }
        if name.isEmpty || name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            report("name", at: ["name"], "'name' wants visible letters on one line")
        }
    }

    private mutating func checkTables() {
        for table in ["incomplete", "sources"] {
            for (path, _) in spec.settings.section(table)
            where spec.settings.value(at: path) == nil && ExperimentSchema.field(at: path) == nil {
                let error = SpecError.unknown("setting", path, known: ExperimentSchema.paths, at: root)
                report(
                    "paths", at: ["\(table).\(path)", table], "'\(table)' names '\(path)', which is no setting",
                    hint: error.hint.flatMap { $0.hasPrefix("known") ? nil : $0 })
            }
        }
        let waived = spec.settings.section("waive")
        let codes = Self.codes.map(\.code)
        let known = waived.isEmpty ? [] : codes + vocabulary.gates.filter { !codes.contains($0) }
        for (name, _) in waived where !known.contains(name) {
            guard !vocabulary.fixedGates.contains(name) else {
                report(
                    "paths", at: ["waive.\(name)", "waive"], "'\(name)' cannot be waived: such files cannot be used",
                    hint: "mend them, or take them out of the set")
                continue
            }
            let error = SpecError.unknown("check", name, known: known, at: place(["waive"]))
            report("paths", at: ["waive.\(name)", "waive"], "unknown check '\(name)' in 'waive'", hint: error.hint)
        }
    }
}
