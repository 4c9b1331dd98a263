import SpecLanguage
import Specs

// What the options of a command mean for the settings of a spec.
extension CommandReading {
    mutating func interpret() {
        if !script.trains {
            set("train.max_steps", "0")
            remarks.append(
                "the checkpoint says which SDE, backbone and scalings it holds; importing it completes this spec")
            if sde == "sbve" { set("sde.name", "sbve") }
        } else if script == .trainFlow {
            set("train.devices", String(processes ?? 1))
        } else if given["devices"] == nil {
            remarks.append(
                "without --devices the reference takes all there are: 1 is written, which fixes the effective batch")
            set("train.devices", "1")
        }
        if script.isConditioned { conditioned() }
        if script.isOfFlow {
            set("sde.name", FlowReference.process)
            set("objective.loss_type", FlowReference.loss)
        }
        if script == .trainConditioned, given["backbone"] == nil { set("backbone.name", "ncsnpp_v2_cond") }
        for option in CommandOption.options(of: script) {
            guard let arguments = given[option.name] else { continue }
            if option.name == "N", samplerChoosesSteps {
                remarks.append("--N changes nothing: the sampler chooses its own steps")
                continue
            }
            if !option.fits(backbone: entryName(.backbone)) {
                remarks.append(
                    """
                    --\(option.name) is no option of \(script.rawValue) with backbone '\(entryName(.backbone))', which \
                    refuses it; its value is taken
                    """
                )
            }
            let value =
                arguments.count == 1 && option.values == .one
                ? text(arguments[0], for: option) : "[" + arguments.joined(separator: ", ") + "]"
            switch option.meaning {
            case .setting(let path):
                guard !changesNothing(option.name) else { continue }
                set(path, value)
            case .limit(let path): if arguments[0] != "-1" { set(path, value) }
            case .flag(let path, let value): set(path, value)
            case .parameter(let kind, let names): parameter(kind, names, value, option)
            case .parameterFlag(let kind, let names, let value): parameter(kind, names, value, option)
            case .special: special(option.name, arguments[0, default: ""])
            case .nothing(let reason): remarks.append("--\(option.name) changes nothing: \(reason)")
            }
        }
        if isMeanFlow { averaged() }
        if isComposition { composed() }
        if script.trains, !values.contains(where: { $0.path == "train.max_steps" || $0.path == "train.max_epochs" }) {
            remarks.append(
                script == .trainFlow
                    ? "the reference trains 1000 epochs, which it does not say on the command line"
                    : isComposition
                        ? """
                        the reference trains until it is stopped: max_epochs 160 is written, which its authors do \
                        not say
                        """
                        : "the reference trains until it is stopped: max_epochs 160 is what its authors report")
            set("train.max_epochs", script == .trainFlow ? "1000" : "160")
        }
        if script.trains { completeRate() }
        if script.trains, given["num_eval_files"].flatMap({ ScalarReading.integer($0[0, default: ""]) }) == 0 {
            remarks.append("without evaluation files no best checkpoint is kept: the last one is evaluated")
            set("evaluate.checkpoint", "last")
        }
        let output = script == .evaluateFlow ? "folder_destination" : "enhanced_dir"
        let needed =
            script.trains
            ? [("base_dir", "the folder with train, valid, and test")]
            : [
                ("test_dir", "the folder of the noisy files"), (output, "the folder of the enhanced files"),
                ("ckpt", "the checkpoint"),
            ]
        for (name, meaning) in needed where given[name] == nil {
            errors.append(SpecError("command", at: mark(1), "'--\(name)' is missing", hint: meaning))
        }
    }

    /// A network made for one rate runs at that rate, whatever the command line says.
    mutating func completeRate() {
        let backbone = entryName(.backbone)
        for case .rate(let rate) in vocabulary[.backbone, backbone]?.traits ?? [] {
            let given = given["sr"].flatMap { ScalarReading.integer($0[0, default: ""]) }
            if let given, given != rate {
                remarks.append("--sr \(given) is not the rate: the reference runs \(backbone) at \(rate) Hz")
            }
            set("data.sample_rate", String(rate))
        }
    }

    /// Whether the reference reads an option and then has no use for it, here an error of the spec.
    mutating func changesNothing(_ option: String) -> Bool {
        let backbone = entryName(.backbone)
        if ["network_scaling", "c_in", "c_out", "c_skip"].contains(option), let entry = vocabulary[.backbone, backbone],
            !entry.traits.contains(.takesPreconditioning)
        {
            remarks.append("--\(option) changes nothing with backbone '\(backbone)'")
            return true
        }
        let loss = given["loss_type"]?[0, default: ""] ?? "score_matching"
        if option == "pesq_weight", let entry = vocabulary[.loss, loss], !entry.traits.contains(.hasTimeTerms) {
            remarks.append("--\(option) changes nothing with loss '\(loss)'")
            return true
        }
        return false
    }

    /// An argument as the value of the setting that its option stands for.
    func text(_ argument: String, for option: CommandOption) -> String {
        if case .setting(let path) = option.meaning, let field = ExperimentSchema.field(at: path) {
            if field.isPath { return Self.path(argument) }
            switch field.type {
            case .text, .oneOf, .choice: return YAMLText.scalar(argument)
            default: break
            }
        }
        guard let number = ScalarReading.number(argument) else { return YAMLText.scalar(argument) }
        return Int(argument).map(String.init) ?? YAMLText.scalar(number)
    }

    /// A path in which a shell would replace variables.
    static func path(_ argument: String) -> String {
        YAMLText.scalar(argument.replacing(/\$\{?(?!env:)([A-Za-z_][A-Za-z0-9_]*)\}?/) { "${env:\($0.1)}" })
    }

    /// Bridges alone have a sampler of the type `sde`.
    var sde: String {
        if script.isOfFlow { return FlowReference.process }
        let isBridge = !script.trains && given["sampler_type"]?[0, default: ""] == "sde"
        return given["sde"]?[0, default: "ouve"] ?? (isBridge ? "sbve" : "ouve")
    }

    func entryName(_ kind: RegistryKind) -> String {
        switch kind {
        case .sde: sde
        case .backbone:
            given["backbone"]?[0, default: ""] ?? (script == .trainConditioned ? "ncsnpp_v2_cond" : "ncsnpp")
        default: sampler(given["sampler_type"]?[0, default: "pc"] ?? "pc")
        }
    }

    mutating func parameter(_ kind: RegistryKind, _ names: [String], _ value: String, _ option: CommandOption) {
        let entry = entryName(kind)
        let place = kind == .sampler ? "evaluate.sampler" : kind.name
        guard let descriptor = vocabulary[kind, entry] else { return set("\(place).\(names[0])", value) }
        guard let name = names.first(where: { descriptor.parameters[$0] != nil }) else {
            remarks.append("--\(option.name) is not a parameter of \(kind.noun) '\(entry)' and is left out")
            return
        }
        set("\(place).\(name)", value)
        if kind == .sampler { set("evaluate.sampler.name", entry) }
    }

    /// The sampler of the SDE that the reference calls `type`.
    func sampler(_ type: String) -> String {
        let names = vocabulary[.sde, sde]?.traits.samplers ?? []
        if names.contains(type) { return type }
        return names.first { $0.hasSuffix("_" + type) }
            ?? (script.trains && !names.isEmpty && type == "pc" ? names[0] : type)
    }

    /// Bridges are sampled at the steps given in training.
    var takesStepsFromCheckpoint: Bool { sde == "sbve" }

    var samplerChoosesSteps: Bool {
        vocabulary.traits(.sampler, Choice(entryName(.sampler))).contains(.choosesSteps)
    }

    mutating func conditioned() {
        if script == .trainConditioned { set("conditioning.noise_encoder_type", "default") }
        guard script == .enhanceConditioned else { return }
        set("backbone.name", "ncsnpp_v2_cond")
        set("conditioning.noise_encoder_type", "default")
        let seconds = given["ref_duration"].flatMap { ScalarReading.number($0[0, default: ""]) } ?? 0.5
        let frames = String(ConditioningSpec.frames(seconds: seconds, sampleRate: 16000, hopLength: 128))
        if let file = given["noise_ref"]?.first {
            set("evaluate.reference", "{ name: file, path: \(Self.path(file)), num_frames: \(frames) }")
        } else if let folder = given["noise_ref_dir"]?.first {
            set("evaluate.reference", "{ name: folder, path: \(Self.path(folder)), num_frames: \(frames) }")
        } else if given["oracle_noise"] != nil {
            set("evaluate.reference", "{ name: oracle, num_frames: \(frames) }")
        } else {
            set("evaluate.reference", "zero")
        }
    }

    /// What the options of average velocities mean together.
    mutating func averaged() {
        set("backbone.name", MeanFlowReference.backbone)
        if script.trains {
            set("backbone.fourier_scale", String(MeanFlowReference.fourierScale))
            if given[MeanFlowReference.trains] != nil {
                let found = MeanFlowReference.loss { given[$0].flatMap { ScalarReading.number($0[0, default: ""]) } }
                set("objective.loss_type", found.loss.yaml)
                remarks += found.remarks
                set("evaluate.sampler.name", MeanFlowReference.sampler)
                set("evaluate.N", String(MeanFlowReference.steps))
            }
            if given[MeanFlowReference.validates] != nil { set("train.validation_sampler", MeanFlowReference.sampler) }
        } else {
            if given["odesolver"] == nil { set("evaluate.sampler.name", MeanFlowReference.sampler) }
            if given[MeanFlowReference.oneStep] != nil { set("evaluate.N", String(MeanFlowReference.steps)) }
            let end = given["last_eval_point"].flatMap { ScalarReading.number($0[0, default: ""]) }
            if end != 0 { remarks.append(MeanFlowReference.ends) }
        }
    }

    /// What COSE's scripts take without being told.
    mutating func composed() {
        for (path, value) in CompositionReference.settings { set(path, value) }
        if script.trains {
            for (option, path, value) in CompositionReference.defaults where given[option] == nil { set(path, value) }
        }
        if script.trains || given["N"] == nil { set("evaluate.N", String(MeanFlowReference.steps)) }
        values.removeAll { ["evaluate.sampler.corrector", "evaluate.sampler.predictor"].contains($0.path) }
        remarks += CompositionReference.remarks
    }

    mutating func special(_ name: String, _ value: String) {
        switch (name, script.trains) {
        case ("max_epochs", _):
            if isMeanFlow {
                set("train.max_epochs", value)
            } else {
                remarks.append("--max_epochs changes nothing: train.py sets 1000 epochs itself")
            }
        case ("last_eval_point", _), ("reverse_end_point", _):
            guard !isMeanFlow else { break }
            set("evaluate.t_eps", ScalarReading.number(value).map(YAMLText.scalar) ?? YAMLText.scalar(value))
        case ("ckpt", true):
            set("train.init_from", "{ checkpoint: \(Self.path(value)), weights: raw, optimizer: true }")
        case ("ckpt", false):
            set("evaluate.checkpoint", "{ name: file, path: \(Self.path(value)) }")
        case ("devices", _):
            if let count = ScalarReading.integer(value), count > 0 {
                set("train.devices", String(count))
            } else if value.contains(",") {
                set("train.devices", String(value.split(separator: ",").count))
            } else {
                remarks.append(
                    "--devices \(value) depends on the machine: 1 is written, which fixes the effective batch")
                set("train.devices", "1")
            }
        case ("N", _):
            set("train.validation_N", value)
            if takesStepsFromCheckpoint {
                set("evaluate.N", value)
            } else {
                remarks.append("--N is of validation: enhancement.py takes its own")
            }
        case ("sampler_type", true):
            let name = YAMLText.scalar(sampler(value))
            set("train.validation_sampler", name)
            set("evaluate.sampler.name", name)
        case ("sampler_type", false):
            set("evaluate.sampler.name", YAMLText.scalar(sampler(value)))
        case ("train_noise_encoder", _):
            set("conditioning.train_noise_encoder", value.isEmpty ? "false" : "true")
            if ScalarReading.bool(value) == false {
                remarks.append(
                    """
                    --train_noise_encoder \(value) is true to the reference, which takes any text for true; so it is \
                    here
                    """
                )
            }
        case ("ode", _):
            guard FlowReference.processes[value] == nil else { break }
            errors.append(.unknown("path", value, known: FlowReference.processes.keys.sorted(), at: mark(1)))
        case ("loss_type", _) where script == .trainFlow: set("objective.loss_type", FlowReference.loss(value).yaml)
        case ("odesolver_type", _): if value == "black" { set("evaluate.sampler.name", "ode") }
        case ("odesolver", _):
            guard given["odesolver_type"]?.first != "black" else { break }
            set(
                "evaluate.sampler.name",
                YAMLText.scalar(value == MeanFlowReference.solver ? MeanFlowReference.sampler : sampler("ode_" + value))
            )
        case ("reverse_starting_point", _):
            guard let start = ScalarReading.number(value), start != 1 else { break }
            if given["odesolver"] == nil { set("evaluate.sampler.name", "ode_euler") }
            set("evaluate.sampler.start", YAMLText.scalar(start))
            remarks.append(
                """
                --reverse_starting_point \(value): the script starts there with the noise of t = 1, here with that of \
                the start
                """
            )
        case ("test_dir", _) where script == .evaluateFlow:
            // The script reads `test` of the folder.
            set(
                "evaluate.sets",
                "[{ name: test, path: \(Self.path(value + (value.hasSuffix("/") ? "test" : "/test"))) }]")
        case ("test_dir", _):
            // The script takes the folder of the noisy files; a set is the folder around it.
            var parts = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            if parts.count > 1, parts.last == "" { parts.removeLast() }
            let format = parts.count > 1 && parts.last == "reverb" ? ", format: reverb" : ""
            if parts.count > 1, ["noisy", "reverb"].contains(parts[parts.count - 1]) { parts.removeLast() }
            if parts == [""] { parts = ["/"] }
            let name = parts.last.flatMap { ["", ".", "/"].contains($0) ? nil : $0 } ?? "test"
            let path = Self.path(parts.joined(separator: "/"))
            set("evaluate.sets", "[{ name: \(YAMLText.scalar(name)), path: \(path)\(format) }]")
        case ("clean_dir", _):
            remarks.append("--clean_dir changes nothing: clean files are those beside the noisy ones of the set")
        default: break
        }
    }
}

extension Array {
    fileprivate subscript(index: Int, default value: Element) -> Element {
        indices.contains(index) ? self[index] : value
    }
}
