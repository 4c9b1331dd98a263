/// The reference's command line for a spec.
public struct CommandExport: Sendable {
    /// `python train.py …`, or `python train_noise_cond.py …` with conditioning.
    public let train: String
    /// One `python enhancement.py …` for each evaluation that the script can do.
    public let enhance: [String]
    /// What the reference has no option for.
    public let remarks: [String]

    public init(_ spec: ExperimentSpec, vocabulary: ExperimentVocabulary) {
        var writing = CommandWriting(spec, vocabulary)
        train = writing.train()
        enhance = writing.enhance()
        remarks = writing.remarks
    }
}

private struct CommandWriting {
    let spec: ExperimentSpec
    let vocabulary: ExperimentVocabulary
    private(set) var remarks: [String] = []

    init(_ spec: ExperimentSpec, _ vocabulary: ExperimentVocabulary) {
        self.spec = spec
        self.vocabulary = vocabulary
    }

    mutating func train() -> String {
        let script: CommandOption.Script = spec.conditioning == nil ? .train : .trainConditioned
        var words = ["python", script.rawValue]
        var covered: Set<String> = ["data.path", "data.corpus", "train.seeds", "conditioning.ref_length_sec"]
        for option in CommandOption.options(of: script) {
            switch option.meaning {
            case .setting("conditioning.ref_length_sec"), .setting("name"): break
            case .setting(let path), .limit(let path):
                covered.insert(path)
                if path == "data.path" {
                    words += ["--base_dir", spec.data.path ?? "<\(spec.data.corpus?.name ?? "corpus")>"]
                } else if let value = spec.settings.value(at: path), value != .none, !isUsual(value, path) {
                    words += ["--" + option.name, plain(value)]
                }
            case .flag(let path, let value):
                covered.insert(path)
                if let current = spec.settings.value(at: path), plain(current) == value { words.append("--" + option.name) }
                if path == "data.fraction", spec.data.fraction == 1 { covered.insert(path) } else if path == "data.fraction", spec.data.fraction != 0.005 {
                    remarks.append("data.fraction \(spec.data.fraction) has no option: only --dummy, 0.005")
                }
            case .parameter(let kind, let names) where kind != .sampler:
                guard let (name, value) = parameter(kind, names), !isUsual(value, kind, name) else { continue }
                words += ["--" + option.name]
                if case .list(let values) = value { words += values.map(plain) } else { words.append(plain(value)) }
            case .parameterFlag(let kind, let names, let value):
                guard let (name, current) = parameter(kind, names), !isUsual(current, kind, name), plain(current) == value else { continue }
                words.append("--" + option.name)
            case .special: words += special(option.name, &covered)
            default: break
            }
        }
        if spec.train.seeds != [0] { remarks.append("train.seeds has no option: the reference does not seed") }
        remark(sections: ["data", "transform", "conditioning", "objective", "train"], beyond: covered)
        return words.map(CommandWords.quoted).joined(separator: " ")
    }

    private mutating func special(_ option: String, _ covered: inout Set<String>) -> [String] {
        switch option {
        case "ckpt":
            covered.insert("train.init_from")
            guard let start = spec.train.initFrom else { return [] }
            if start.weights != "raw" || !start.optimizer { remarks.append("--ckpt resumes raw weights with the optimiser; the spec takes \(start.weights) weights") }
            return ["--ckpt", start.checkpoint]
        case "devices":
            covered.insert("train.devices")
            return ["--devices", String(spec.train.devices)]
        case "N":
            covered.formUnion(["train.validation_N"])
            guard let N = spec.train.validationN, N != usualSteps else { return [] }
            return ["--N", String(N)]
        case "sampler_type":
            covered.insert("train.validation_sampler")
            let name = spec.train.validationSampler.name
            let usual = vocabulary[.sde, spec.sde.name]?.traits.first { if case .samplers(let names) = $0 { names.first } else { nil } }
            guard name != usual else { return [] }
            return ["--sampler_type", name.split(separator: "_").last.map(String.init) ?? name]
        case "train_noise_encoder":
            covered.insert("conditioning.train_noise_encoder")
            if spec.conditioning?.trainNoiseEncoder == false { return ["--train_noise_encoder="] }
            return []
        default:
            return []
        }
    }

    mutating func enhance() -> [String] {
        let script: CommandOption.Script = spec.conditioning == nil ? .enhance : .enhanceConditioned
        return spec.evaluationPoints().compactMap { point -> String? in
            // The script takes the folder of the noisy files.
            let folder = point.set.path.map { $0 + (point.set.format == "reverb" ? "/reverb" : "/noisy") }
            var words = ["python", script.rawValue, "--test_dir", folder ?? "<\(point.set.name)>", "--enhanced_dir", "<enhanced>"]
            words += ["--ckpt", point.checkpoint.settings.optionalText("path") ?? "<\(point.checkpoint.name)>"]
            words += ["--sampler_type", point.sampler.name.split(separator: "_").last.map(String.init) ?? point.sampler.name]
            for name in ["corrector", "corrector_steps", "snr"] {
                if let value = point.sampler.settings[name] { words += ["--" + name, plain(value)] }
            }
            if let N = point.N { words += ["--N", String(N)] }
            words += ["--t_eps", SettingValue.number(point.tEps).description]
            if let guidance = point.guidance { words += ["--cfg_scale", SettingValue.number(guidance).description] }
            if let reference = point.reference {
                switch reference.mode {
                case "oracle": words += ["--oracle_noise", "--clean_dir", "<clean>"]
                case "file": words += ["--noise_ref", reference.path ?? ""]
                case "folder": words += ["--noise_ref_dir", reference.path ?? ""]
                case "zero": break
                default:
                    note("evaluate.reference '\(reference.mode)' has no option")
                    return nil
                }
                if let frames = reference.numFrames {
                    words += ["--ref_duration", SettingValue.number(Double((frames - 1) * spec.transform.hopLength) / Double(spec.data.sampleRate)).description]
                }
            }
            if point.weights != "ema" { note("evaluate.weights raw has no option: the script evaluates averaged weights") }
            return words.map(CommandWords.quoted).joined(separator: " ")
        }
    }

    private mutating func note(_ remark: String) {
        if !remarks.contains(remark) { remarks.append(remark) }
    }

    // MARK: What needs no option

    private var usualSteps: Int {
        vocabulary[.sde, spec.sde.name]?.traits.first { if case .steps(let count) = $0 { count } else { nil } } ?? 30
    }

    private func plain(_ value: SettingValue) -> String {
        switch value {
        case .text(let text): text
        case .choice(let choice): choice.name
        default: value.description
        }
    }

    private func isUsual(_ value: SettingValue, _ path: String) -> Bool {
        if path == "backbone.name" || path == "sde.name" { return false }
        guard let field = ExperimentSchema.field(at: path), case .value(let usual) = field.standard else { return false }
        if case .choice(let choice) = value { return .text(choice.name) == usual }
        return value == usual
    }

    private func parameter(_ kind: RegistryKind, _ names: [String]) -> (String, SettingValue)? {
        let choice = kind == .sde ? spec.sde : spec.backbone
        return names.first { name in choice.settings[name].map { (name, $0) } }
    }

    private func isUsual(_ value: SettingValue, _ kind: RegistryKind, _ name: String) -> Bool {
        let choice = kind == .sde ? spec.sde : spec.backbone
        guard case .value(let usual)? = vocabulary[kind, choice.name]?.parameters[name]?.standard else { return false }
        return value == usual
    }

    /// Settings of some sections that differ from their defaults and have no option.
    private mutating func remark(sections: [String], beyond covered: Set<String>) {
        for section in sections {
            guard let field = ExperimentSchema.root[section], case .section(let schema, _) = field.type,
                let settings = spec.settings.optionalSection(section)
            else { continue }
            for field in schema.fields {
                let path = "\(section).\(field.name)"
                guard !covered.contains(path), let value = settings[field.name], value != .none, !isUsual(value, path) else { continue }
                if case .derived = field.standard { continue }
                remarks.append("\(path) \(value) has no option")
            }
        }
    }
}
