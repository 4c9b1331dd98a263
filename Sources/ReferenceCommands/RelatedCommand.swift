import SpecLanguage
import Specs

/// A command of one of the related references, read option by option: stochastic regeneration (StoRM) and EDM2 for
/// speech.
///
/// Which reference it is follows from options that only it has. Source: sp-uhh/storm (train.py, enhancement.py) and
/// sp-uhh/edm2se (train.py, generate.py).
struct RelatedCommand {
    enum Script: String, Sendable {
        case trainRegeneration = "storm/train.py"
        case enhanceRegeneration = "storm/enhancement.py"
        case trainEDM2 = "edm2se/train.py"
        case generateEDM2 = "generate.py"
    }

    private(set) var settings: [(path: String, value: SettingValue)] = []
    private(set) var remarks: [String] = []
    private var errors: [SpecError] = []
    private let command: String
    private let script: Script

    /// - Returns: `nil` for a command of another reference.
    /// - Throws: Every option that does not exist, or misses its value, with its place.
    init?(_ command: String, _ vocabulary: Vocabulary) throws(SpecErrors) {
        let words = CommandWords(command).words
        guard let place = words.firstIndex(where: { $0.text.hasSuffix(".py") }) else { return nil }
        let rest = words[(place + 1)...]
        let given = Set(
            rest.filter { $0.text.hasPrefix("--") }.map { String($0.text.dropFirst(2).prefix { $0 != "=" }) })
        let file = words[place].text.split(separator: "/").last.map(String.init) ?? ""
        switch file {
        case "generate.py": script = .generateEDM2
        case "train.py" where given.contains("run_dir"): script = .trainEDM2
        case "train.py" where given.contains("mode"): script = .trainRegeneration
        case "enhancement.py" where given.contains("mode"): script = .enhanceRegeneration
        default: return nil
        }
        self.command = command
        let values = read(rest)
        if errors.isEmpty { interpret(values, vocabulary) }
        if !errors.isEmpty { throw SpecErrors(errors) }
    }

    /// The settings as YAML wants them.
    var yaml: String {
        let order = ExperimentSchema.root.fields.map(\.name)
        func rank(_ path: String) -> Int { order.firstIndex(of: String(path.prefix { $0 != "." })) ?? order.count }
        var latest: [(path: String, value: SettingValue)] = []
        for setting in settings {
            latest.removeAll { $0.path == setting.path }
            latest.append(setting)
        }
        let sorted = latest.enumerated().sorted {
            (rank($0.element.path), $0.offset) < (rank($1.element.path), $1.offset)
        }
        return SettingsText.yaml(sorted.map { ($0.element.path, $0.element.value.yaml) })
    }

    private func mark(_ column: Int) -> Mark {
        Mark(file: "command", line: 1, column: column, text: command.replacing("\n", with: " "))
    }

    /// Options with their values; a flag has the value `true`, several values make a list.
    private mutating func read(_ words: ArraySlice<CommandWords.Word>) -> [(name: String, value: SettingValue)] {
        var (values, rest) = ([(name: String, value: SettingValue)](), words)
        while let word = rest.popFirst() {
            if ["&", "&&", "|", "||", ";", ">", ">>"].contains(word.text) { break }
            guard word.text.hasPrefix("--") else {
                errors.append(SpecError("command", at: mark(word.column), "'\(word.text)' belongs to no option"))
                continue
            }
            let body = word.text.dropFirst(2)
            let equals = body.firstIndex(of: "=")
            let name = String(body[..<(equals ?? body.endIndex)]).replacing("-", with: "_")
            guard Self.options(of: script).contains(name) else {
                errors.append(
                    .unknown(
                        "option", "--" + name, known: Self.options(of: script).sorted().map { "--" + $0 },
                        at: mark(word.column)))
                while let next = rest.first, !next.text.hasPrefix("--") { rest = rest.dropFirst() }
                continue
            }
            var arguments = equals.map { [String(body[body.index(after: $0)...])] } ?? []
            while equals == nil, let next = rest.first, !next.text.hasPrefix("--"),
                !["&", "&&", "|", "||", ";", ">", ">>"].contains(next.text)
            {
                arguments.append(next.text)
                rest = rest.dropFirst()
            }
            if arguments.isEmpty, !Self.flags.contains(name) {
                errors.append(SpecError("command", at: mark(word.column), "'--\(name)' has no value"))
                continue
            }
            values.append((name, Self.value(arguments)))
        }
        return values
    }

    private static func value(_ arguments: [String]) -> SettingValue {
        func one(_ text: String) -> SettingValue {
            if let value = ScalarReading.integer(text) { return .integer(value) }
            return ScalarReading.number(text).map { SettingValue.number($0) } ?? .text(text)
        }
        return arguments.isEmpty ? .bool(true) : arguments.count == 1 ? one(arguments[0]) : .list(arguments.map(one))
    }

    // MARK: Meaning

    private mutating func interpret(_ values: [(name: String, value: SettingValue)], _ vocabulary: Vocabulary) {
        switch script {
        case .trainRegeneration: trainRegeneration(values, vocabulary)
        case .enhanceRegeneration: enhanceRegeneration(values)
        case .trainEDM2: trainEDM2(values)
        case .generateEDM2: generateEDM2(values)
        }
    }

    private func find(_ name: String, _ values: [(name: String, value: SettingValue)]) -> SettingValue? {
        values.last { $0.name == name }?.value
    }

    private mutating func need(_ names: [String], _ values: [(name: String, value: SettingValue)]) {
        for name in names where find(name, values) == nil {
            errors.append(
                SpecError("command", at: mark(1), "'--\(name)' is missing", hint: "\(script.rawValue) requires it"))
        }
    }

    private mutating func trainRegeneration(_ values: [(name: String, value: SettingValue)], _ vocabulary: Vocabulary) {
        need(["base_dir"], values)
        // The command line's defaults, where they are not those of specs.
        settings += [
            ("transform.spec_factor", .number(0.33)), ("train.batch_size", .integer(8)), ("train.devices", .integer(1)),
            ("train.num_eval_files", .integer(10)),
            (
                "train.early_stopping",
                .section(Settings([("monitor", .text("valid_loss")), ("patience", .integer(50))]))
            ),
        ]
        let alone = ["max_epochs", "max_steps", "accumulate_grad_batches", "pretrained_denoiser", "pretrained_score"]
        let found = RegenerationReference.settings(values.filter { !alone.contains($0.name) }, vocabulary)
        settings += found.settings
        remarks += found.remarks
        for name in ["max_epochs", "max_steps", "accumulate_grad_batches"] {
            if let value = find(name, values) { settings.append(("train." + name, value)) }
        }
        if find("max_epochs", values) == nil, find("max_steps", values) == nil {
            settings.append(("train.max_epochs", .integer(1000)))
            remarks.append(
                "the reference trains at most 1000 epochs, and stops 50 epochs after the best validation loss")
        }
        switch find("mode", values) {
        case .text("denoiser-only")?:
            settings += [
                ("regression.training", .text("alone")), ("evaluate.sampler", .text("regression")),
                ("evaluate.N", .none),
            ]
            settings.removeAll { $0.path.hasPrefix("evaluate.sampler.") || $0.path == "evaluate.N" }
        case .text("score-only")?:
            settings.removeAll { $0.path.hasPrefix("regression.") }
        default: break
        }
        if let file = find("pretrained_denoiser", values) {
            remarks.append(
                """
                --pretrained_denoiser \(file.description): import it as a run with regression.training alone, and name \
                that run in train.init_from
                """
            )
        }
        if find("pretrained_score", values) != nil { remarks.append("--pretrained_score fails in the reference") }
    }

    private mutating func enhanceRegeneration(_ values: [(name: String, value: SettingValue)]) {
        need(["test_dir", "enhanced_dir", "ckpt"], values)
        let isAlone = find("mode", values) == .text("denoiser-only")
        evaluate(folder: "test_dir", file: "ckpt", values)
        if find("mode", values) != .text("score-only") {
            settings.append(("regression.backbone.name", .text("ncsnpp_storm")))
        }
        settings += [("backbone.name", .text("ncsnpp_storm")), ("transform.spec_factor", .number(0.33))]
        if isAlone {
            settings.append(("evaluate.sampler.name", .text("regression")))
        } else {
            settings += [
                ("evaluate.sampler.name", .text("pc")),
                ("evaluate.sampler.predictor", .text(RegenerationReference.predictor)),
                ("evaluate.sampler.corrector", find("corrector", values) ?? .text("ald")),
                ("evaluate.sampler.corrector_steps", find("corrector_steps", values) ?? .integer(1)),
                ("evaluate.sampler.snr", find("snr", values) ?? .number(0.5)),
                ("evaluate.N", find("N", values) ?? .integer(RegenerationReference.steps)),
            ]
        }
        remarks.append("the checkpoint says which networks it holds; importing it completes this spec")
    }

    private mutating func trainEDM2(_ values: [(name: String, value: SettingValue)]) {
        need(["run_dir", "data"], values)
        func number(_ name: String, _ usual: Double) -> Double { find(name, values)?.number ?? usual }
        let batch = number("batch", 16)
        let crops = number("duration", 1_073_741_824)
        settings += EDM2Reference.settings(attention: [16])
        settings += [
            ("data.path", find("data", values) ?? .text("data")), ("train.lr", .number(number("lr", 2.5e-3))),
            ("train.lr_ref_batches", .number(number("decay", 3e4))),
            ("train.lr_rampup", .number(number("rampup", 1) * 1e6)),
            ("train.adam_beta2", .number(0.99)), ("train.ema_stds", .list([.number(0.05), .number(0.1)])),
            ("train.t_eps", .number(0.02)),
            ("train.batch_size", .integer(Int(batch))), ("train.devices", .integer(1)),
            ("train.max_steps", .integer(Int(crops / max(1, batch)))),
        ]
        remarks.append("the batch is that of all devices together: devices 1 is written, which fixes it")
        for name in ["channels", "dropout", "logvar", "weight"] where find(name, values) != nil {
            remarks.append("--\(name) changes nothing: the reference reads it and passes it to nothing")
        }
    }

    private mutating func generateEDM2(_ values: [(name: String, value: SettingValue)]) {
        need(["net", "test_dir", "out_dir"], values)
        evaluate(folder: "test_dir", file: "net", values)
        settings += EDM2Reference.settings(attention: [16, 8])
        settings += [
            ("evaluate.sampler.name", .text(find("sampler", values) == .text("sde") ? "edm2_sde" : "edm2_ode")),
            ("evaluate.N", find("num_steps", values) ?? .integer(50)),
        ]
        if find("seed", values) != nil {
            remarks.append("--seed changes nothing: the reference's sampler does not draw from it")
        }
        remarks.append("enhanced files are as long as the noisy ones here; the reference's end at the last whole hop")
    }

    /// A checkpoint that is evaluated on a folder of noisy files.
    private mutating func evaluate(folder: String, file: String, _ values: [(name: String, value: SettingValue)]) {
        settings += [
            ("train.max_steps", .integer(0)),
            ("evaluate.checkpoint", .choice(Choice("file", Settings([("path", find(file, values) ?? .text(""))])))),
        ]
        if case .text(let path)? = find(folder, values) {
            let parts = path.split(separator: "/")
            let set = parts.last == "noisy" ? String(path.dropLast(parts.last.map { $0.count + 1 } ?? 0)) : path
            settings.append(
                (
                    "evaluate.sets",
                    .list([.section(Settings([("name", .text("test")), ("path", .text(set.isEmpty ? "." : set))]))])
                ))
            remarks.append("the set is the folder around 'noisy', with 'clean' beside it, which scores need")
        }
    }

    // MARK: Options

    private static let flags: Set<String> = [
        "nolog", "logstdout", "discriminatively", "dummy", "return_time", "fp16", "dry_run",
    ]

    private static func options(of script: Script) -> Set<String> {
        switch script {
        case .trainRegeneration:
            [
                "mode", "backbone_denoiser", "backbone_score", "pretrained_denoiser", "pretrained_score", "sde",
                "nolog", "logstdout",
                "discriminatively", "lr", "ema_decay", "t_eps", "num_eval_files", "loss_type_denoiser",
                "loss_type_score", "loss_type",
                "weighting_denoiser_to_score", "condition", "spatial_channels", "sde_n", "theta", "sigma_min",
                "sigma_max", "beta_min", "beta_max",
                "stiffness", "format", "base_dir", "batch_size", "n_fft", "hop_length", "num_frames", "window",
                "num_workers", "dummy", "spec_factor",
                "spec_abs_exponent", "return_time", "gpus", "max_epochs", "max_steps", "accumulate_grad_batches",
            ]
        case .enhanceRegeneration:
            ["test_dir", "enhanced_dir", "ckpt", "mode", "corrector", "corrector_steps", "snr", "N"]
        case .trainEDM2:
            [
                "run_dir", "data", "preset", "duration", "batch", "channels", "dropout", "lr", "decay", "rampup",
                "logvar", "weight", "fp16", "ls", "bench",
                "seed", "status", "snapshot", "checkpoint", "dry_run", "batch_gpu",
            ]
        case .generateEDM2: ["net", "test_dir", "out_dir", "num_files", "seed", "num_steps", "sampler"]
        }
    }
}

/// What the scripts of EDM2 for speech build.
enum EDM2Reference {
    static func settings(attention: [Int]) -> [(path: String, value: SettingValue)] {
        [
            ("backbone.name", .text("edm2")), ("backbone.attn_resolutions", .list(attention.map { .integer($0) })),
            ("sde.name", .text("sbve_edm2")),
            ("objective.loss_type", .text("uncertainty")), ("transform.spec_factor", .number(0.9375)),
        ]
    }
}
