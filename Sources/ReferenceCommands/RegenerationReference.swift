import SpecLanguage
import Specs

/// Names of the reference of stochastic regeneration, and what they are here.
///
/// Source: sp-uhh/storm (train.py, enhancement.py, sgmse/model.py).
enum RegenerationReference {
    /// Its networks.
    static let networks = [
        "ncsnpp": "ncsnpp_storm", "ncsnpplarge": "ncsnpp_storm_large", "ncsnpp12M": "ncsnpp_storm_12m",
        "ncsnpp6M": "ncsnpp_storm_6m",
    ]
    static let modes: [String: RegressionSpec.Training] = [
        "regen-joint-training": .joint, "regen-freeze-denoiser": .frozen,
    ]
    /// The steps that its script takes, and its predictor, which steps by 1/N.
    static let steps = 50
    static let predictor = "reverse_diffusion_share"
    /// What its constructors leave in a file, or what changes no number here.
    static let leftovers: Set<String> = [
        "input_channels", "discriminative", "spatial_channels", "sde_n", "dummy", "return_time", "mode",
        "backbone_denoiser", "backbone_score",
        "backbone", "data_module_cls", "loss_type_score", "num_workers", "gpus", "nolog", "logstdout",
        "discriminatively", "format",
    ]
    private static let regression = [
        "condition": "regression.condition", "loss_type_denoiser": "regression.loss",
        "weighting_denoiser_to_score": "regression.weight",
    ]

    /// Whether hyper-parameters are those of this reference: of two networks, or of one, which alone has spatial
    /// channels.
    static func wrote(_ values: [(name: String, value: SettingValue)]) -> Bool {
        values.contains { ["backbone_denoiser", "backbone_score", "spatial_channels"].contains($0.name) }
    }

    /// What a file of hyper-parameters holds.
    private enum Content {
        case both, regression, diffusion

        init(_ values: [(name: String, value: SettingValue)]) {
            func has(_ name: String) -> Bool { values.contains { $0.name == name } }
            // A command says its mode, and need not name networks.
            if has("backbone_denoiser") || has("backbone_score") || has("mode") {
                self = .both
            } else {
                self =
                    values.contains { $0.name == "discriminative" && $0.value == .bool(true) }
                    ? .regression : .diffusion
            }
        }
    }

    /// The settings of a model with its regression, from hyper-parameters or options.
    static func settings(
        _ values: [(name: String, value: SettingValue)], _ vocabulary: Vocabulary
    ) -> (settings: [(path: String, value: SettingValue)], remarks: [String]) {
        func text(_ name: String) -> String? {
            if case .text(let text)? = values.first(where: { $0.name == name })?.value { text } else { nil }
        }
        var (settings, remarks, unknown) = ([(path: String, value: SettingValue)](), [String](), [String]())
        let content = Content(values)
        let names = ["backbone_score", "backbone_denoiser"].map { name in
            let chosen = text(content == .both ? name : "backbone") ?? "ncsnpp"
            return networks[chosen] ?? chosen
        }
        let (mode, sde) = (text("mode") ?? "regen-joint-training", text("sde") ?? "ouve")
        settings.append(("backbone.name", .text(names[0])))
        if content != .diffusion {
            settings.append(("regression.backbone.name", .text(names[1])))
            settings.append(("regression.training", (content == .both ? modes[mode] ?? .joint : .alone).written))
        }
        settings.append(("sde.name", .text(sde == "ouvp" ? "vp" : sde)))
        let norm = text(content == .diffusion ? "loss_type" : "loss_type_score")
        settings.append(("objective.loss_type", .text(norm == "mae" ? "score_matching_mae" : "score_matching")))
        if content == .regression {
            remarks.append("the file holds the regression alone: its estimate is what is evaluated")
            if let norm = text("loss_type"), ["mse", "mae"].contains(norm) {
                settings.append(("regression.loss", .text(norm)))
            } else if let norm = text("loss_type") {
                remarks.append("loss_type \(norm) does not exist here; it changed the training alone")
            }
        }
        // The other formats are folders of clean and noisy files by other names.
        if text("format")?.hasPrefix("reverb") ?? false { settings.append(("data.format", .text("reverb"))) }
        if sde == "ouvp" { (settings, remarks) = (settings + preserving(values), [preservingRemark]) }
        for (name, value) in values where value != .none && !leftovers.contains(name) && name != "sde" {
            if name == "loss_type", content != .both { continue }
            if sde == "ouvp", ["beta_min", "beta_max", "stiffness"].contains(name) { continue }
            if let path = regression[name] {
                settings.append((path, value))
            } else if let path = HyperParameterImport.paths[name] {
                settings.append((path, value))
            } else if vocabulary[.backbone, names[0]]?.parameters[name] != nil {
                // A resolution of 0 stands for none there.
                let kept: SettingValue =
                    if case .list(let elements) = value { .list(elements.filter { $0 != .integer(0) }) } else { value }
                settings.append(("backbone.\(name)", kept))
                if content != .diffusion { settings.append(("regression.backbone.\(name)", kept)) }
            } else if vocabulary[.sde, sde]?.parameters[name] != nil {
                settings.append(("sde.\(name)", value))
            } else {
                unknown.append(name)
            }
        }
        if !unknown.isEmpty {
            remarks.append("without a counterpart here, and left out: " + unknown.sorted().joined(separator: ", "))
        }
        if content == .regression { return (settings + [("evaluate.sampler.name", .text("regression"))], remarks) }
        settings += [
            ("evaluate.sampler.name", .text("pc")), ("evaluate.sampler.predictor", .text(predictor)),
            ("evaluate.N", .integer(steps)),
        ]
        return (settings, remarks)
    }

    /// `f = ½ s β (y − x)`, `g² = β` is the preserving process with the rates `s β` and the deviation `1/√s`.
    private static func preserving(_ values: [(name: String, value: SettingValue)]) -> [(
        path: String, value: SettingValue
    )] {
        func number(_ name: String) -> Double? { values.first { $0.name == name }?.value.number }
        let stiffness = number("stiffness") ?? 1
        var settings: [(path: String, value: SettingValue)] = [("sde.scale", .number(1 / stiffness.squareRoot()))]
        for name in ["beta_min", "beta_max"] {
            if let rate = number(name) { settings.append(("sde." + name, .number(stiffness * rate))) }
        }
        return settings
    }

    private static let preservingRemark =
        """
        sde ouvp is vp here, whose deviation is the root of the variance; the reference takes the variance itself for \
        the deviation
        """

    /// The hyper-parameters of a model with its regression.
    ///
    /// - Throws: `UnknownEntry` for a network or diffusion that the reference does not have, or for two networks that
    ///   its one set of
    ///   options cannot describe.
    static func values(_ spec: ExperimentSpec, _ regression: RegressionSpec) throws(UnknownEntry) -> [(
        name: String, value: SettingValue
    )] {
        func name(_ choice: Choice) throws(UnknownEntry) -> SettingValue {
            guard let name = networks.first(where: { $0.value == choice.name })?.key else {
                throw UnknownEntry(noun: "backbone of StoRM", name: choice.name, known: networks.values.sorted())
            }
            return .text(name)
        }
        guard spec.sde.name == "ouve" else {
            throw UnknownEntry(noun: "SDE of StoRM", name: spec.sde.name, known: ["ouve"])
        }
        guard let mode = modes.first(where: { $0.value == regression.training })?.key else {
            throw UnknownEntry(
                noun: "training of StoRM's two networks", name: regression.training.rawValue,
                known: modes.values.map(\.rawValue).sorted())
        }
        let own: Set<String> = ["recompute", "seed", "scale_by_sigma", "conditional"]
        let options = [spec.backbone, regression.backbone].map { $0.settings.filter { !own.contains($0.name) } }
        for (name, value) in options[0].map({ ($0.name, $0.value) }) {
            guard let other = options[1].first(where: { $0.name == name })?.value, other == value else {
                throw UnknownEntry(
                    noun: "way in StoRM to give its networks different options", name: name,
                    known: ["the same \(name) in both"])
            }
        }
        var values: [(name: String, value: SettingValue)] = [
            ("backbone_denoiser", try name(regression.backbone)), ("backbone_score", try name(spec.backbone)),
            ("sde", .text("ouve")),
            ("mode", .text(mode)), ("condition", regression.condition.written),
            ("loss_type_denoiser", regression.loss.written),
            ("loss_type_score", .text(spec.objective.loss.name == "score_matching_mae" ? "mae" : "mse")),
            ("weighting_denoiser_to_score", .number(regression.weight)), ("spatial_channels", .integer(1)),
            ("sde_n", .integer(1000)),
        ]
        for (name, path) in HyperParameterImport.paths.sorted(by: { $0.key < $1.key })
        where !["loss_type", "sigma_data"].contains(name) {
            guard !path.hasPrefix("objective."), !path.hasPrefix("conditioning."),
                let value = spec.settings.value(at: path)
            else { continue }
            if case .choice(let choice) = value {
                values.append((name, .text(choice.name)))
            } else if value != .none {
                values.append((name, value))
            }
        }
        for (name, value) in spec.sde.settings { values.append((name, value)) }
        for (name, value) in options[0].map({ ($0.name, $0.value) }) {
            values.append((name, name == "attn_resolutions" && value == .list([]) ? .list([.integer(0)]) : value))
        }
        return values + [("dummy", .bool(false)), ("return_time", .bool(false)), ("num_workers", .integer(0))]
    }
}
