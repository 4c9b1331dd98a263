import SpecLanguage
import Specs

/// Names of the reference of one-step enhancement by average velocities, and what they are here.
///
/// It is the reference of flow matching with a network of two times. Source: liduojia1/MeanFlowSE (train.py,
/// evaluate.py, flowmse/model.py, flowmse/backbones/ncsnpp.py).
enum MeanFlowReference {
    /// Its network, which it calls `ncsnpp` as well, and the scale of that network's Fourier features.
    static let backbone = "ncsnpp_interval"
    static let fourierScale = 16
    static let sampler = "mean_flow"
    static let solver = "euler_mf"
    /// The steps for which it is made.
    static let steps = 1

    /// Names that only this reference has: whether average velocities are trained, sampled by in validation, and in one
    /// step.
    static let trains = "use_mfse", validates = "use_mf_sampler", oneStep = "one_step"

    /// Its options that are parameters of the loss `mean_flow`.
    static let parameters = [
        "mf_weight_final": "weight", "mf_warmup_frac": "warmup", "mf_first_order_coef": "correction",
        "mf_jvp_clip": "jvp_clip",
        "mf_r_equals_t_prob": "equal",
    ]
    /// Its options whose values are fixed here.
    static let fixed = [
        "mf_delta_gamma_start": 8, "mf_delta_gamma_end": 1, "mf_delta_warmup_frac": 0.7, "mf_skip_weight_thresh": 0.05,
    ]
    /// Its options without a meaning here: how the derivative is computed, and when it validates.
    static let unread: Set<String> = [
        "mf_jvp_eps", "mf_jvp_impl", "mf_jvp_chunk", "val_metrics_every_n_epochs", "val_metrics_num_files",
    ]
    static let names = unread.union(parameters.keys).union(fixed.keys).union([trains, validates])

    /// The loss that its options ask for, and what is to be said about it.
    ///
    /// - Parameter number: An option's value, `nil` where it has the reference's default, which is that of the loss.
    static func loss(_ number: (String) -> Double?) -> (loss: SettingValue, remarks: [String]) {
        var settings = Settings()
        for (option, name) in parameters.sorted(by: { $0.key < $1.key }) {
            guard let value = number(option) else { continue }
            settings[name] = .number(value)
        }
        // A limit of 0 takes the derivative away there, and is no limit here.
        if let limit = number("mf_jvp_clip"), limit <= 0 {
            (settings["jvp_clip"], settings["correction"]) = (nil, .number(0))
        }
        let others = fixed.keys.sorted().filter { name in number(name).map { $0 != fixed[name] } ?? false }
        let remarks = others.map { "\($0) is \(fixed[$0] ?? 0) here; it changes the training alone" }
        return (settings.isEmpty ? .text(sampler) : .choice(Choice("mean_flow", settings)), remarks)
    }

    /// The hyper-parameters that stand for the loss of a network of two times, and what has no word there.
    static func values(_ spec: ExperimentSpec) -> (values: [(name: String, value: SettingValue)], remarks: [String]) {
        let loss = spec.objective.loss
        let isVelocity = loss.name == FlowReference.loss
        var values: [(name: String, value: SettingValue)] = [
            (trains, .bool(!isVelocity)), (validates, .bool(spec.train.validationSampler.name == sampler)),
        ]
        guard loss.name == "mean_flow" else {
            return (values, isVelocity ? [] : ["loss \(loss.name) has no word there: it changes the training alone"])
        }
        for (option, name) in parameters.sorted(by: { $0.key < $1.key }) {
            if let value = loss.settings[name] { values.append((option, value)) }
        }
        let isUnlimited = loss.settings.optionalNumber("jvp_clip") == 0
        return (
            values,
            isUnlimited ? ["jvp_clip 0 is no limit here, and no derivative there; it changes the training alone"] : []
        )
    }

    static let ends = "steps end at time 0 here; evaluate.py ends at --last_eval_point, 0.03 if it is not given"
}

/// Names of the reference of composed average velocities, and what they are here.
///
/// Source: ICDM-UESTC/COSE (train.py, enhancement.py, sgmse/model.py), a fork of the reference whose folder alone tells
/// its commands from those of the diffusions.
enum CompositionReference {
    static let folder = "cose"

    /// What its train.py says without a word on the command line, besides what the options of the diffusions say.
    static let settings = [
        ("sde.name", "flow"), ("sde.origin", "noise"), ("sde.sigma_min", "0"), ("sde.sigma_max", "1"),
        ("backbone.name", MeanFlowReference.backbone), ("objective.loss_type", "composition"),
        ("train.validation_sampler", MeanFlowReference.sampler), ("evaluate.sampler.name", MeanFlowReference.sampler),
    ]
    /// Its defaults where the diffusions have others, by option.
    static let defaults = [
        ("lr", "train.lr", "5.0e-05"), ("batch_size", "train.batch_size", "1"),
        ("num_eval_files", "train.num_eval_files", "20"),
    ]
    static let remarks = [
        "its network embeds the logarithms of both times; 'ncsnpp_interval' embeds the first and the stretch's length",
        "the last step ends at time 0 here, and at 0.003 there",
    ]
}
