import SpecLanguage
import Specs

/// Names of the reference of flow matching, and what they are here.
///
/// Source: seongq/flowmse (train.py, evaluate.py, model.py, odes.py).
enum FlowReference {
    /// Its option and hyper-parameter `ode`.
    static let processes = ["flowmatching": "flow"]
    static let process = "flow"
    static let loss = "velocity_matching"
    /// The steps that its scripts take.
    static let steps = 5

    /// Its networks.
    private static let networks = ["ncsnpp", "dcunet"]
    /// Settings of ours that its networks do not take.
    private static let own: Set<String> = ["recompute", "seed", "centered"]

    /// The hyper-parameters of a model; of one with two times, those that MeanFlowSE would store.
    ///
    /// - Throws: `UnknownEntry` for a network, a path or an option that the reference does not have.
    static func values(
        _ spec: ExperimentSpec
    ) throws(UnknownEntry) -> (values: [(name: String, value: SettingValue)], remarks: [String]) {
        let (backbone, loss) = (spec.backbone, spec.objective.loss)
        let isAverage = backbone.name == MeanFlowReference.backbone
        guard isAverage || networks.contains(backbone.name) else {
            throw UnknownEntry(
                noun: "backbone of flow matching", name: backbone.name, known: networks + [MeanFlowReference.backbone])
        }
        guard spec.sde.settings["origin"] != .text("noise") else {
            throw UnknownEntry(noun: "origin of a flow to the reference", name: "noise", known: ["noisy"])
        }
        guard backbone.settings["centered"] != .bool(false) else {
            throw UnknownEntry(
                noun: "way of the reference to centre a network's input", name: "centered false",
                known: ["centered true"])
        }
        var values: [(name: String, value: SettingValue)] = [
            ("backbone", .text(isAverage ? "ncsnpp" : backbone.name)), ("ode", .text("flowmatching")),
            ("loss_type", loss.settings["norm"] ?? .text("mse")), ("loss_abs_exponent", .number(0.5)),
        ]
        for (name, path) in HyperParameterImport.paths.sorted(by: { $0.key < $1.key })
        where !path.hasPrefix("objective.") && !path.hasPrefix("conditioning.") {
            switch (path, spec.settings.value(at: path)) {
            case ("data.path", nil), ("data.path", .none?), ("data.path", .text("")?):
                values.append((name, .text(spec.data.corpus?.name ?? "")))
            case (_, .choice(let choice)?): values.append((name, .text(choice.name)))
            case (_, let value?): values.append((name, value))
            case (_, nil): break
            }
        }
        for (name, value) in spec.sde.settings where name != "origin" { values.append((name, value)) }
        for (name, value) in backbone.settings where !own.contains(name) { values.append((name, value)) }
        let average = isAverage ? MeanFlowReference.values(spec) : ([], [])
        return (values + average.0 + [("dummy", .bool(false))], average.1)
    }

    /// The loss of its `loss_type`, `mse` or `mae`.
    static func loss(_ norm: String) -> SettingValue {
        norm == "mse" ? .text(loss) : .choice(Choice(loss, Settings([("norm", .text(norm))])))
    }
}

extension CommandOption {
    private static let trainFlow: [Script] = [.trainFlow]
    private static let evaluateFlow: [Script] = [.evaluateFlow]

    /// The options of train.py and evaluate.py of flow matching.
    static let flow: [CommandOption] =
        [
            CommandOption("ode", trainFlow, .one, .special),
            CommandOption("loss_type", trainFlow, .one, .special),
            CommandOption(
                "loss_abs_exponent", trainFlow, .one, .nothing("the reference stores it and uses it nowhere")),
            CommandOption("backbone", trainFlow, .one, .setting("backbone.name")),
            CommandOption("no_wandb", trainFlow, .none, .nothing("runs are always recorded")),
            CommandOption("gpus", trainFlow, .one, .nothing("train.py takes one GPU")),
            CommandOption("max_epochs", trainFlow, .one, .special),
            CommandOption("gradient_clip_val", trainFlow, .one, .setting("train.grad_clip")),
            CommandOption("precision", trainFlow, .one, .nothing("numbers have 32 bits")),
            CommandOption("default_root_dir", trainFlow, .one, .nothing("runs lie with their store")),
            CommandOption("log_every_n_steps", trainFlow, .one, .nothing("every step is recorded")),
            CommandOption("max_steps", trainFlow, .one, .limit("train.max_steps")),
            CommandOption("accumulate_grad_batches", trainFlow, .one, .setting("train.accumulate_grad_batches")),
            CommandOption("batch_size", trainFlow, .one, .setting("train.batch_size")),
            CommandOption("base_dir", trainFlow, .one, .setting("data.path")),
            CommandOption("dummy", trainFlow, .none, .flag("data.fraction", "0.005")),
            CommandOption("centered", trainFlow, .none, .parameterFlag(.backbone, ["centered"], "true")),
            CommandOption("no-centered", trainFlow, .none, .parameterFlag(.backbone, ["centered"], "false")),
            CommandOption("test_dir", evaluateFlow, .one, .special),
            CommandOption("folder_destination", evaluateFlow, .one, .nothing("enhanced files lie with their run")),
            CommandOption("ckpt", evaluateFlow, .one, .special),
            CommandOption("odesolver_type", evaluateFlow, .one, .special),
            CommandOption("odesolver", evaluateFlow, .one, .special),
            CommandOption("reverse_starting_point", evaluateFlow, .one, .special),
            CommandOption("last_eval_point", evaluateFlow, .one, .special),
            CommandOption("reverse_end_point", evaluateFlow, .one, .special),
            CommandOption(MeanFlowReference.oneStep, evaluateFlow, .none, .special),
            CommandOption("N_mid", evaluateFlow, .one, .nothing("the script does not read it")),
            CommandOption("N", evaluateFlow, .one, .setting("evaluate.N")),
            CommandOption("atol", evaluateFlow, .one, .nothing("the script passes 1e-5 whatever it says")),
            CommandOption("rtol", evaluateFlow, .one, .nothing("the script passes 1e-5 whatever it says")),
        ]
        + settings(trainFlow, "train", ["lr", "ema_decay", "t_eps", "num_eval_files"])
        + settings(trainFlow, "data", ["format", "num_frames", "normalize"])
        + settings(
            trainFlow, "transform",
            ["n_fft", "hop_length", "window", "spec_factor", "spec_abs_exponent", "transform_type"])
        + ["sigma_min", "sigma_max", "T_rev"].map { CommandOption($0, trainFlow, .one, .parameter(.sde, [$0])) }
        // What they mean together is read at the end.
        + MeanFlowReference.names.sorted().map {
            CommandOption(
                $0, trainFlow, [MeanFlowReference.trains, MeanFlowReference.validates].contains($0) ? .none : .one,
                .special)
        }

    /// Options that train.py of flow matching has and that of the diffusions has not.
    static let ofFlowAlone = Set(["ode", "T_rev", "loss_abs_exponent", "no_wandb", "sigma_min", "sigma_max"])
        .union(MeanFlowReference.names)
}
