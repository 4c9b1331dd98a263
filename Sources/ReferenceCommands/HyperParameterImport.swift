public import SpecLanguage
import Specs

/// A spec made from the hyper-parameters that the reference stores in its checkpoints.
///
/// They are the values of the training script's options under the same names, so `CommandOption` says what each
/// means; parameters of network and SDE that are no options are taken too. What a checkpoint does not say is what the
/// reference's constructors take, which for the complex U-Net differs from its command line. The spec trains nothing
/// (`max_steps: 0`) and evaluates the checkpoint's weights.
public struct HyperParameterImport: Sendable {
    /// The spec, without what is a default anyway.
    public let yaml: String
    /// What was left out or read in another way, and why.
    public let remarks: [String]

    /// - Parameters:
    ///   - name: What the spec is called.
    ///   - weights: The file that holds the weights, as the spec shall name it.
    ///   - notes: What else is known, such as the step.
    public init(
        _ values: [(name: String, value: SettingValue)], name: String, weights: String, notes: String? = nil,
        vocabulary: Vocabulary
    ) {
        if RegenerationReference.wrote(values) {
            let found = RegenerationReference.settings(values, vocabulary)
            self.init(found.settings, name: name, weights: weights, notes: notes, remarks: found.remarks)
            return
        }
        var reading = HyperParameterReading(values, vocabulary)
        reading.read()
        reading.complete(name: name, weights: weights, notes: notes)
        self.init(yaml: SettingsText.yaml(reading.ordered), remarks: reading.remarks)
    }

    private init(yaml: String, remarks: [String]) { (self.yaml, self.remarks) = (yaml, remarks) }

    /// The spec of settings that are known already, which evaluates the weights in a file.
    package init(
        _ settings: [(path: String, value: SettingValue)], name: String, weights: String, notes: String?,
        remarks: [String]
    ) {
        let reason = "the folder with train, valid, and test; the checkpoint names none"
        let namesFolder = settings.contains { $0.path == "data.path" }
        var all = settings
        if !namesFolder {
            all += [
                ("incomplete", .section(Settings([("data.path", .text(reason))]))), ("data.path", .text("unknown")),
            ]
        }
        all += [
            ("name", .text(name)), ("train.max_steps", .integer(0)),
            ("evaluate.checkpoint", .choice(Choice("file", Settings([("path", .text(weights))])))),
        ]
        if let notes { all.append(("notes", .text(notes))) }
        yaml = SettingsText.yaml(HyperParameterReading.ordered(all))
        self.remarks = remarks
    }

    /// Settings that the options of the scripts stand for, by the name of the hyper-parameter.
    static let paths: [String: String] = {
        var paths: [String: String] = [:]
        for option in CommandOption.options(of: .trainConditioned) + CommandOption.options(of: .train) {
            guard case .setting(let path) = option.meaning, describesTraining(path) else { continue }
            paths[option.name.replacing("-", with: "_")] = path
        }
        return paths
    }()

    /// Whether train.py hands a setting to the model, which stores it; the trainer's own are not stored.
    private static func describesTraining(_ path: String) -> Bool {
        switch path.prefix(while: { $0 != "." }) {
        case "objective", "data", "transform", "conditioning": true
        case "train":
            ["train.lr", "train.ema_decay", "train.t_eps", "train.num_eval_files", "train.batch_size"].contains(path)
        default: false
        }
    }
}

private struct HyperParameterReading {
    private let values: [(name: String, value: SettingValue)]
    private let vocabulary: Vocabulary
    private let backbone: String
    private let sde: String
    /// Whether the file is one of average velocities, whose network knows two times.
    private let isMeanFlow: Bool
    private var settings: [(path: String, value: SettingValue)] = []
    private(set) var remarks: [String] = []

    init(_ values: [(name: String, value: SettingValue)], _ vocabulary: Vocabulary) {
        self.values = values.map { ($0.name.replacing("-", with: "_"), $0.value) }
        self.vocabulary = vocabulary
        func text(_ name: String) -> String? {
            if case .text(let text)? = values.first(where: { $0.name == name })?.value { text } else { nil }
        }
        isMeanFlow = values.contains { $0.name == MeanFlowReference.trains }
        backbone = isMeanFlow ? MeanFlowReference.backbone : text("backbone") ?? "ncsnpp"
        sde = text("sde") ?? (text("ode").map { FlowReference.processes[$0] ?? $0 } ?? "ouve")
    }

    /// The settings as YAML wants them: in the language's order, each value as text.
    var ordered: [(path: String, value: String)] { Self.ordered(settings) }

    static func ordered(_ settings: [(path: String, value: SettingValue)]) -> [(path: String, value: String)] {
        let order = ExperimentSchema.root.fields.map(\.name)
        func rank(_ path: String) -> Int { order.firstIndex(of: String(path.prefix { $0 != "." })) ?? order.count }
        return settings.enumerated()
            .sorted { (rank($0.element.path), $0.offset) < (rank($1.element.path), $1.offset) }
            .map { _, setting in
                let field = ExperimentSchema.field(at: setting.path)
                return (
                    setting.path,
                    (field.map { setting.value.escapingPaths($0.type, isPath: $0.isPath) } ?? setting.value).yaml
                )
            }
    }

    private var descriptor: EntryDescriptor? { vocabulary[.backbone, backbone] }
    private var isFlow: Bool { sde == FlowReference.process }
    private var isConditioned: Bool { descriptor?.traits.contains(.takesCondition) ?? false }
    private var takesScalings: Bool { descriptor?.traits.contains(.takesPreconditioning) ?? false }

    private mutating func set(_ path: String, _ value: SettingValue) {
        settings.removeAll { $0.path == path }
        settings.append((path, value))
    }

    // MARK: Reading

    /// Options that decide no number: how many threads read audio, and what only a network that is none here reads.
    private static let decideNothing: Set<String> = ["num_workers", "freeze_clap"]

    mutating func read() {
        set("backbone.name", .text(backbone))
        set("sde.name", .text(sde))
        var unknown: [String] = []
        for (name, value) in values where !["backbone", "sde", "ode", "data_module_cls"].contains(name) {
            if value == .none || Self.decideNothing.contains(name) { continue }
            if !special(name, value), !setting(name, value), !parameter(name, value) { unknown.append(name) }
        }
        if isConditioned, !settings.contains(where: { $0.path == "conditioning.noise_encoder_type" }) {
            set("conditioning.noise_encoder_type", .text("default"))
        }
        if !unknown.isEmpty {
            remarks.append("without a counterpart here, and left out: " + unknown.sorted().joined(separator: ", "))
        }
    }

    /// What needs more than a name's translation.
    private mutating func special(_ name: String, _ value: SettingValue) -> Bool {
        switch (name, value) {
        case _ where isMeanFlow && MeanFlowReference.names.contains(name): break  // they are read together
        case ("loss_type", .text(let norm)) where isFlow:
            set("objective.loss_type", FlowReference.loss(norm))
        case ("loss_abs_exponent", _) where isFlow: break  // stored, and used nowhere in the reference
        case ("T_rev", .number(let end)) where isFlow && end != 1:
            set("sde.T_rev", value)
            remarks.append(
                "T_rev \(value): the reference samples from there with the noise of t = 1, here with that of T_rev")
        case ("loss_type", .text(let loss)) where loss == "mse" || loss == "mae":
            set("objective.loss_type", .text("score_matching"))
            if loss == "mae" {
                remarks.append(
                    "loss_type mae, the absolute error of the score, does not exist here; it changed the training alone"
                )
            }
        case ("N", _):
            set("train.validation_N", value)
            if isBridge {
                set("evaluate.N", value)
            } else if value != .integer(30) {
                remarks.append(
                    "N \(value) is that of validation; the reference evaluates with 30 steps unless --N is given")
            }
        case ("sampler_type", .text(let type)):
            guard let sampler = samplers.first(where: { $0 == type || $0.hasSuffix("_" + type) }) else {
                remarks.append(
                    "sampler_type \(type) is none of SDE '\(sde)': '\(samplers.first ?? "pc")' is taken, as there")
                return true
            }
            if sampler != samplers.first {
                set("train.validation_sampler", .text(sampler))
                set("evaluate.sampler.name", .text(sampler))
            }
        case ("dummy", .bool(let isDummy)):
            if isDummy { set("data.fraction", .number(0.005)) }
        case ("train_noise_encoder", .bool) where isConditioned:
            set("conditioning.train_noise_encoder", value)
        case ("sr", _) where backbone == "ncsnpp_48k" && value != .integer(48000):
            remarks.append(
                "sr \(value) is not the rate: the reference runs ncsnpp_48k at 48000 Hz, whatever the file says")
        default: return false
        }
        return true
    }

    private mutating func setting(_ name: String, _ value: SettingValue) -> Bool {
        guard let path = HyperParameterImport.paths[name] else { return false }
        if path.hasPrefix("conditioning."), !isConditioned { return false }
        let isScaling = ["network_scaling", "c_in", "c_out", "c_skip", "sigma_data"].contains(name)
        guard let standard = ExperimentSchema.field(at: path)?.standard else { return false }
        if case .value(let usual) = standard, usual == value { return true }
        if isScaling, !takesScalings {
            remarks.append(
                "\(name) \(value) has no effect with backbone '\(backbone)', also in the reference, and is left out")
            return true
        }
        set(path, value)
        return true
    }

    private mutating func parameter(_ name: String, _ value: SettingValue) -> Bool {
        for (kind, entry) in [(RegistryKind.backbone, backbone), (.sde, sde)] {
            guard let field = vocabulary[kind, entry]?.parameters[name] else { continue }
            if case .value(let usual) = field.standard, usual == value { return true }
            set("\(kind.name).\(name)", value)
            return true
        }
        return false
    }

    private var samplers: [String] {
        vocabulary[.sde, sde]?.traits.samplers ?? []
    }

    private var isBridge: Bool { samplers.first?.hasPrefix("sb_") ?? false }

    // MARK: What the file does not say

    mutating func complete(name: String, weights: String, notes: String?) {
        if backbone == "ncsnpp_48k" { set("data.sample_rate", .integer(48000)) }
        if backbone == "dcunet" {
            // The constructor's values, where the command line would have written others.
            let given = Set(values.map(\.name))
            let constructor: [(String, SettingValue)] = [
                ("dcunet_temb_layers_global", .integer(2)), ("dcunet_activation", .text("relu")),
            ]
            for (name, value) in constructor where !given.contains(name) { set("backbone.\(name)", value) }
        }
        if isMeanFlow { completeMeanFlow() }
        if !settings.contains(where: { $0.path == "data.path" }) {
            let reason = "the folder with train, valid, and test; the checkpoint names none"
            set("incomplete", .section(Settings([("data.path", .text(reason))])))
            set("data.path", .text("unknown"))
        }
        if !settings.contains(where: { $0.path == "objective.loss_type" }) {
            set("objective.loss_type", .text(isFlow ? FlowReference.loss : "score_matching"))
        }
        if let sampler = settings.first(where: { $0.path == "train.validation_sampler" })?.value,
            case .text(let name) = sampler,
            vocabulary[.sampler, name]?.traits.contains(.choosesSteps) ?? false
        {
            // Its N stands in the file, and does nothing there either.
            settings.removeAll { $0.path == "train.validation_N" || $0.path == "evaluate.N" }
        }
        set("train.max_steps", .integer(0))
        set("evaluate.checkpoint", .choice(Choice("file", Settings([("path", .text(weights))]))))
        if let notes { set("notes", .text(notes)) }
        set("name", .text(name))
    }

    /// What a file of MeanFlowSE says together: the loss, and samplers that take its average velocities.
    private mutating func completeMeanFlow() {
        func value(_ name: String) -> SettingValue? { values.first { $0.name == name }?.value }
        if !settings.contains(where: { $0.path == "backbone.fourier_scale" }) {
            set("backbone.fourier_scale", .integer(MeanFlowReference.fourierScale))
        }
        if value(MeanFlowReference.validates) == .bool(true) {
            set("train.validation_sampler", .text(MeanFlowReference.sampler))
        }
        guard value(MeanFlowReference.trains) == .bool(true) else { return }
        let found = MeanFlowReference.loss { value($0)?.number }
        set("objective.loss_type", found.loss)
        set("evaluate.sampler.name", .text(MeanFlowReference.sampler))
        set("evaluate.N", .integer(MeanFlowReference.steps))
        remarks += found.remarks + [MeanFlowReference.ends]
    }
}
