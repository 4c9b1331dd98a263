public import SpecLanguage
public import Specs

/// The reference's command line for a spec.
public struct CommandExport: Sendable {
    /// `python train.py …`, or `python train_noise_cond.py …` with conditioning.
    public let train: String
    /// One `python enhancement.py …` for each evaluation that the script can do.
    public let enhance: [String]
    /// What the reference has no option for.
    public let remarks: [String]

    /// - Throws: `UnknownEntry` where the reference has no such SDE.
    public init(_ spec: ExperimentSpec, vocabulary: Vocabulary) throws(UnknownEntry) {
        try HyperParameterExport.check(spec.sde)
        var training = TrainCommand(spec, vocabulary)
        train = training.line()
        let enhancement = EnhanceCommand(spec, vocabulary)
        enhance = enhancement.lines
        remarks = training.remarks + enhancement.remarks
    }
}

private struct TrainCommand {
    let spec: ExperimentSpec
    let vocabulary: Vocabulary
    private(set) var remarks: [String] = []

    init(_ spec: ExperimentSpec, _ vocabulary: Vocabulary) {
        self.spec = spec
        self.vocabulary = vocabulary
    }

    mutating func line() -> String {
        let script: CommandOption.Script = spec.conditioning == nil ? .train : .trainConditioned
        var words = ["python", script.rawValue]
        var covered: Set<String> = ["data.path", "data.corpus", "train.seeds", "conditioning.ref_length_sec"]
        var coveredParameters: Set<String> = []
        for option in CommandOption.options(of: script)
        where option.fits(backbone: spec.backbone.name) && !option.isOfForks {
            switch option.meaning {
            case .setting("conditioning.ref_length_sec"): break
            case .setting("name"): words += ["--wandb_name", spec.name]
            case .setting(let path), .limit(let path):
                covered.insert(path)
                if path == "data.path" {
                    words += ["--base_dir", spec.data.path ?? "<\(spec.data.corpus?.name ?? "corpus")>"]
                } else if let value = spec.settings.value(at: path), value != .none, !isUsual(value, path) {
                    words += ["--" + option.name, value.word]
                }
            case .flag(let path, let value):
                covered.insert(path)
                if let current = spec.settings.value(at: path), current.word == value {
                    words.append("--" + option.name)
                }
                if path == "data.fraction", spec.data.fraction == 1 {
                    covered.insert(path)
                } else if path == "data.fraction", spec.data.fraction != 0.005 {
                    remarks.append("data.fraction \(spec.data.fraction) has no option: only --dummy, 0.005")
                }
            case .parameter(let kind, let names) where kind != .sampler:
                coveredParameters.formUnion(names.map { "\(kind.name).\($0)" })
                guard let (name, value) = parameter(kind, names), !isUsual(value, kind, name) else { continue }
                words += ["--" + option.name]
                if case .list(let values) = value { words += values.map(\.word) } else { words.append(value.word) }
            case .parameterFlag(let kind, let names, let value):
                coveredParameters.formUnion(names.map { "\(kind.name).\($0)" })
                guard let (name, current) = parameter(kind, names), !isUsual(current, kind, name), current.word == value
                else { continue }
                words.append("--" + option.name)
            case .special: words += special(option.name, &covered)
            default: break
            }
        }
        if script == .train, let steps = spec.train.maxSteps {
            covered.insert("train.max_steps")
            let end =
                spec.train.maxEpochs == nil
                ? "without --max_epochs it trains until it is stopped" : "it stops by --max_epochs alone"
            remarks.append("train.max_steps \(steps) has no option of train.py: \(end)")
        }
        if spec.train.seeds != [0] { remarks.append("train.seeds has no option: the reference does not seed") }
        remark(sections: ["data", "transform", "conditioning", "objective", "train"], beyond: covered)
        remark(.backbone, spec.backbone, beyond: coveredParameters.union(["backbone.recompute"]))
        remark(.sde, spec.sde, beyond: coveredParameters)
        return words.map(CommandWords.quoted).joined(separator: " ")
    }

    private mutating func special(_ option: String, _ covered: inout Set<String>) -> [String] {
        switch option {
        case "ckpt":
            covered.insert("train.init_from")
            guard let start = spec.train.initFrom else { return [] }
            if start.weights != .raw || !start.optimizer {
                remarks.append("--ckpt resumes raw weights with the optimiser; the spec takes \(start.weights) weights")
            }
            return ["--ckpt", start.checkpoint]
        case "devices":
            covered.insert("train.devices")
            return ["--devices", String(spec.train.devices)]
        case "N":
            covered.formUnion(["train.validation_N"])
            guard let N = spec.train.validationN, N != vocabulary.usualSteps(spec.sde) else { return [] }
            return ["--N", String(N)]
        case "sampler_type":
            covered.insert("train.validation_sampler")
            let sampler = spec.train.validationSampler
            for (name, value) in sampler.settings where !vocabulary.isUsual(value, .sampler, sampler.name, name) {
                remarks.append("train.validation_sampler.\(name) \(value.word) has no option")
            }
            let usual = vocabulary[.sde, spec.sde.name]?.traits.samplers.first
            guard sampler.name != usual else { return [] }
            guard let name = EnhanceCommand.name(ofSampler: sampler) else {
                remarks.append("train.validation_sampler '\(sampler.name)' has no option")
                return []
            }
            return ["--sampler_type", name]
        case "train_noise_encoder":
            covered.insert("conditioning.train_noise_encoder")
            if spec.conditioning?.trainNoiseEncoder == false { return ["--train_noise_encoder="] }
            return []
        default:
            return []
        }
    }

    // MARK: What needs no option

    private func isUsual(_ value: SettingValue, _ path: String) -> Bool {
        if path == "backbone.name" || path == "sde.name" { return false }
        guard let field = ExperimentSchema.field(at: path), case .value(let usual) = field.standard else {
            return false
        }
        if case .choice(let choice) = value { return .text(choice.name) == usual }
        return value == usual
    }

    private func parameter(_ kind: RegistryKind, _ names: [String]) -> (String, SettingValue)? {
        let choice = kind == .sde ? spec.sde : spec.backbone
        return names.first { name in choice.settings[name].map { (name, $0) } }
    }

    private func isUsual(_ value: SettingValue, _ kind: RegistryKind, _ name: String) -> Bool {
        vocabulary.isUsual(value, kind, (kind == .sde ? spec.sde : spec.backbone).name, name)
    }

    /// Parameters of an entry that differ from their defaults and have no option.
    private mutating func remark(_ kind: RegistryKind, _ choice: Choice, beyond covered: Set<String>) {
        for (name, value) in choice.settings
        where !covered.contains("\(kind.name).\(name)") && !isUsual(value, kind, name) {
            remarks.append(
                "\(kind.name).\(name) \(value.word) has no option of the script with \(kind.noun) '\(choice.name)'")
        }
    }

    /// Settings of some sections that differ from their defaults and have no option.
    private mutating func remark(sections: [String], beyond covered: Set<String>) {
        for section in sections {
            guard let field = ExperimentSchema.root[section], case .section(let schema, _) = field.type,
                let settings = spec.settings.optionalSection(section)
            else { continue }
            for field in schema.fields {
                let path = "\(section).\(field.name)"
                guard !covered.contains(path), let value = settings[field.name], value != .none, !isUsual(value, path)
                else { continue }
                if case .derived = field.standard { continue }
                remarks.append("\(path) \(value) has no option")
            }
        }
    }
}
