import SpecLanguage
import Specs

/// One option of the reference's scripts, and the setting it stands for.
///
/// Source: the argument parsers of sp-uhh/sgmse (train.py, enhancement.py), of its noise-conditioned variant
/// moonx010/sgmse (train_noise_cond.py, enhancement_noise_cond.py), and of seongq/flowmse (train.py, evaluate.py).
struct CommandOption: Sendable {
    enum Script: String, Sendable, CaseIterable {
        case train = "train.py"
        case trainConditioned = "train_noise_cond.py"
        case enhance = "enhancement.py"
        case enhanceConditioned = "enhancement_noise_cond.py"
        case trainFlow = "flowmse/train.py"
        case evaluateFlow = "evaluate.py"

        var trains: Bool { self == .train || self == .trainConditioned || self == .trainFlow }
        var isOfFlow: Bool { self == .trainFlow || self == .evaluateFlow }
        var isConditioned: Bool { self == .trainConditioned || self == .enhanceConditioned }
    }

    enum Meaning: Sendable {
        /// The value of a setting, as it is.
        case setting(String)
        /// A whole number, where -1 stands for none.
        case limit(String)
        /// A flag that gives a setting a value.
        case flag(String, String)
        /// A parameter of an entry, under one of several names.
        case parameter(RegistryKind, [String])
        /// As `parameter`, with a value for a flag.
        case parameterFlag(RegistryKind, [String], String)
        /// Something that needs more than one setting.
        case special
        /// Nothing that decides a number: logging, devices.
        case nothing(String)
    }

    /// How many words follow.
    enum Values: Sendable { case none, one, several }

    var name: String
    var scripts: [Script]
    var values: Values
    var meaning: Meaning
    /// Whether the published script lacks it, and only forks of it take it.
    var isOfForks = false

    init(_ name: String, _ scripts: [Script], _ values: Values = .one, _ meaning: Meaning) {
        self.name = name
        self.scripts = scripts
        self.values = values
        self.meaning = meaning
    }

    /// The same option, which the published scripts refuse.
    private var ofForks: CommandOption {
        var copy = self
        copy.isOfForks = true
        return copy
    }

    private static let train: [Script] = [.train, .trainConditioned]
    private static let enhance: [Script] = [.enhance, .enhanceConditioned]

    static func settings(_ scripts: [Script], _ section: String, _ names: [String]) -> [CommandOption] {
        names.map { CommandOption($0, scripts, .one, .setting("\(section).\($0)")) }
    }

    private static func parameters(_ kind: RegistryKind, _ names: [String], _ values: Values = .one) -> [CommandOption]
    {
        names.map { name in
            let plain = name.replacing("-", with: "_")
            let short = plain.hasPrefix("dcunet_") ? [plain, String(plain.dropFirst(7))] : [plain]
            return CommandOption(name, train, values, .parameter(kind, short))
        }
    }

    static let all: [CommandOption] =
        [
            CommandOption("backbone", train, .one, .setting("backbone.name")),
            CommandOption("sde", train, .one, .setting("sde.name")),
            CommandOption("nolog", train, .none, .nothing("runs are always recorded")),
            CommandOption("wandb_name", train, .one, .setting("name")),
            CommandOption("ckpt", train, .one, .special),
            CommandOption("log_dir", train, .one, .nothing("runs lie in the store's folder")),
            CommandOption("save_ckpt_interval", train, .one, .setting("train.checkpoint_every")),
            CommandOption("accelerator", train, .one, .nothing("the machine decides")),
            CommandOption("devices", train, .one, .special),
            CommandOption("accumulate_grad_batches", train, .one, .setting("train.accumulate_grad_batches")),
            CommandOption("max_epochs", train, .one, .limit("train.max_epochs")),
            CommandOption("max_steps", [.trainConditioned], .one, .limit("train.max_steps")),
            CommandOption("max_steps", [.train], .one, .limit("train.max_steps")).ofForks,
            CommandOption("sr", train, .one, .setting("data.sample_rate")),
            CommandOption("batch_size", train, .one, .setting("train.batch_size")),
            CommandOption("base_dir", train, .one, .setting("data.path")),
            CommandOption("dummy", train, .none, .flag("data.fraction", "0.005")),
            CommandOption("N", train, .one, .special),
            CommandOption("sampler_type", train, .one, .special),
            CommandOption("centered", train, .none, .parameterFlag(.backbone, ["centered"], "true")),
            CommandOption("no-centered", train, .none, .parameterFlag(.backbone, ["centered"], "false")),
            CommandOption(
                "dcunet-time-embedding-complex", train, .none,
                .parameterFlag(.backbone, ["dcunet_time_embedding_complex", "time_embedding_complex"], "true")),
            CommandOption("noise_cond_type", [.trainConditioned], .one, .parameter(.backbone, ["noise_cond_type"])),
            CommandOption("train_noise_encoder", [.trainConditioned], .one, .special),
            CommandOption("freeze_clap", [.trainConditioned], .none, .nothing("no encoder here is a CLAP network")),
            CommandOption("num_workers", train + [.trainFlow], .one, .nothing("crops are read when a step needs them")),
            CommandOption(
                "return_ref_waveform", [.trainConditioned], .none, .nothing("the encoder takes what it needs")),
            CommandOption("test_dir", enhance, .one, .special),
            CommandOption("enhanced_dir", enhance, .one, .nothing("enhanced files lie with their run")),
            CommandOption("ckpt", enhance, .one, .special),
            CommandOption("sampler_type", enhance, .one, .special),
            CommandOption("corrector", enhance, .one, .parameter(.sampler, ["corrector"])),
            CommandOption("corrector_steps", enhance, .one, .parameter(.sampler, ["corrector_steps"])),
            CommandOption("snr", enhance, .one, .parameter(.sampler, ["snr"])),
            CommandOption("N", enhance, .one, .setting("evaluate.N")),
            CommandOption("device", enhance, .one, .nothing("the machine decides")),
            CommandOption("t_eps", enhance, .one, .setting("evaluate.t_eps")),
            CommandOption("noise_ref", [.enhanceConditioned], .one, .special),
            CommandOption("noise_ref_dir", [.enhanceConditioned], .one, .special),
            CommandOption("oracle_noise", [.enhanceConditioned], .none, .special),
            CommandOption("clean_dir", [.enhanceConditioned], .one, .special),
            CommandOption("ref_duration", [.enhanceConditioned], .one, .special),
            CommandOption("cfg_scale", [.enhanceConditioned], .one, .setting("evaluate.guidance")),
        ]
        + settings(train, "train", ["lr", "ema_decay", "t_eps", "num_eval_files"])
        + settings(
            train, "objective",
            [
                "loss_type", "loss_weighting", "network_scaling", "c_in", "c_out", "c_skip", "sigma_data", "l1_weight",
                "pesq_weight",
            ])
        + settings(train, "data", ["format", "num_frames", "normalize"])
        + settings(
            train, "transform", ["n_fft", "hop_length", "window", "spec_factor", "spec_abs_exponent", "transform_type"])
        + settings(
            [.trainConditioned], "conditioning",
            [
                "noise_encoder_type", "noise_embed_dim", "noise_encoder_nf", "ref_num_frames", "ref_length_sec",
                "cond_drop_prob",
            ])
        + parameters(.sde, ["theta", "sigma-min", "sigma-max", "k", "c", "eps"])
        + parameters(.backbone, ["ch_mult", "attn_resolutions"], .several)
        + parameters(
            .backbone,
            [
                "nf", "num_res_blocks", "progressive", "progressive_input", "dcunet-architecture",
                "dcunet-time-embedding",
                "dcunet-temb-layers-global", "dcunet-temb-layers-local", "dcunet-temb-activation", "dcunet-fix-length",
                "dcunet-mask-bound", "dcunet-norm-type", "dcunet-activation",
            ])
        + flow

    /// Options that describe a network, by the networks whose class declares them; any other option belongs to all.
    private static let networks: [String: Set<String>] = {
        let sizes: Set<String> = ["ncsnpp_v2", "ncsnpp_v2_cond", "ncsnpp_48k"]
        var networks = ["nf": sizes, "ch_mult": sizes, "num_res_blocks": sizes, "attn_resolutions": sizes]
        for name in ["centered", "no-centered"] { networks[name] = ["ncsnpp", "ncsnpp_48k"] }
        for name in ["progressive", "progressive_input"] { networks[name] = ["ncsnpp_48k"] }
        networks["noise_cond_type"] = ["ncsnpp_v2_cond"]
        return networks
    }()

    /// Whether the script takes the option together with a network.
    func fits(backbone: String) -> Bool {
        if name.hasPrefix("dcunet-") { return backbone == "dcunet" }
        return Self.networks[name]?.contains(backbone) ?? true
    }

    static func options(of script: Script) -> [CommandOption] { all.filter { $0.scripts.contains(script) } }
}
