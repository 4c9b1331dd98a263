import SpecLanguage

/// How the weights are found: the optimiser, its length, its seeds, and which checkpoints are kept.
public struct TrainSpec: Hashable, Sendable {
    /// Weights to begin with.
    public struct Start: Hashable, Sendable {
        /// A file, or the name of a run.
        public var checkpoint: String
        /// `ema` or `raw`.
        public var weights: String
        /// Whether the optimiser's state is taken over too.
        public var optimizer: Bool
    }

    /// Stops training when a validation metric no longer grows.
    public struct EarlyStopping: Hashable, Sendable {
        public var monitor: String
        /// Validations without a new best before training stops.
        public var patience: Int
    }

    public var lr: Double
    public var emaDecay: Double
    /// Standard deviations of power-function averages, in units of training time; they take the place of `emaDecay` if any.
    public var emaStds: [Double]
    /// The half-life of the moving average in crops, in place of `emaDecay`.
    public var emaHalfLife: Double?
    /// Steps after which the rate falls with their root, and examples over which it grows at the start.
    public var (lrRefBatches, lrRampup): (Double?, Double?)
    public var adamBeta2: Double?
    /// Crops per device and step; the effective batch is `batch_size · devices · accumulate_grad_batches`.
    public var batchSize: Int
    public var devices: Int
    public var accumulateGradBatches: Int
    public var maxSteps: Int?
    public var maxEpochs: Int?
    public var seeds: [Int]
    /// The least time drawn.
    public var tEps: Double
    public var gradClip: Double?
    public var initFrom: Start?
    public var earlyStopping: EarlyStopping?
    /// Validation files that are enhanced and scored; 0 keeps no best checkpoint.
    public var numEvalFiles: Int
    /// Steps between validations; `nil` for once an epoch.
    public var validateEvery: Int?
    /// Sampling steps in validation; `nil` where the sampler chooses.
    public var validationN: Int?
    public var validationSampler: Choice
    public var checkpointEvery: Int?
    /// Steps between checkpoints for resuming, where not only the clock decides.
    public var resumeSteps: Int?
    /// Minutes between checkpoints for resuming.
    public var resumeMinutes: Double
    /// Hours of training steps after which a training ends as if at its last step.
    public var maxHours: Double?
    /// How many times its least average the loss may reach before training fails.
    public var maxLossGrowth: Double
    /// Further attempts after a failure.
    public var retries: Int
    /// What is written for other viewers while training: `tensorboard`, `csv`, `jsonl`.
    public var log: [String]

    /// Crops that make one step of the optimiser.
    public var effectiveBatch: Int { batchSize * devices * accumulateGradBatches }

    static let schema = Schema([
        .number("lr", default: 1e-4, in: .positive, "Learning rate of Adam, constant."),
        .number("ema_decay", default: 0.999, in: Bounds(from: 0, to: 1, excludesUpper: true),
            "Decay of the moving average of weights, after its warm-up."),
        Field("ema_stds", .list(of: .number(Bounds(from: 0, to: 0.288, excludesLower: true))), default: .absent,
            "Lengths of power-function averages as shares of the training; the first is evaluated. In place of ema_decay.").silentWhenAbsent,
        Field.number("ema_half_life", default: .absent, in: .positive, unit: "crops",
            "Crops after which a weight counts half in the average, at most 0.09 of those seen. In place of ema_decay.").silentWhenAbsent,
        Field.number("lr_ref_batches", default: .absent, in: .positive, unit: "steps",
            "Steps after which the rate falls with the root of the steps; constant if absent.").silentWhenAbsent,
        Field.number("lr_rampup", default: .absent, in: .positive, unit: "crops",
            "Crops over which the rate grows from 0; at once if absent.").silentWhenAbsent,
        Field.number("adam_beta2", default: .absent, in: Bounds(from: 0, to: 1, excludesUpper: true),
            "Decay of Adam's second moment; 0.999 if absent.").silentWhenAbsent,
        .integer("batch_size", default: 8, in: .between(1, 1e6), "Crops per device and step."),
        .integer("devices", default: 1, in: .between(1, 4096), "Devices of the effective batch; fewer accumulate."),
        .integer("accumulate_grad_batches", default: 1, in: .between(1, 1e6), "Batches whose gradients make one step."),
        .integer("max_steps", default: .absent, in: .between(0, 1e9), unit: "steps", "Optimiser steps."),
        .integer("max_epochs", default: .absent, in: .between(0, 1e9), unit: "epochs", "Passes over the training files; with max_steps, whichever comes first."),
        .list("seeds", of: .integer(.from(0)), atLeast: 1, default: [0], "One run for each."),
        .number("t_eps", default: 0.03, in: Bounds(from: 0, to: 1, excludesLower: true, excludesUpper: true),
            "The least process time."),
        .number("grad_clip", default: .absent, in: .positive, "Largest norm of the gradient."),
        .section("init_from", Schema([
            .path("checkpoint", default: .required, "A checkpoint file, or the name of a run.", aliases: ["path", "run"]),
            .oneOf("weights", ["ema", "raw"], default: "ema", "Which of its weights."),
            .bool("optimizer", default: false, "Take over the optimiser's state."),
        ]), shorthand: "checkpoint", isOptional: true, "Weights to begin with."),
        .section("early_stopping", Schema([
            .oneOf("monitor", ["pesq", "si_sdr", "estoi", "valid_loss"], default: "pesq", "The validation metric."),
            .integer("patience", default: 10, in: .between(1, 1e9), "Validations without a new best before it stops."),
        ]), shorthand: "monitor", isOptional: true, "Stop when validation no longer improves."),
        .integer("num_eval_files", default: 20, in: .between(0, 1e6), unit: "files", "Validation files enhanced and scored."),
        .integer("validate_every", default: .absent, in: .between(1, 1e9), unit: "steps", "Between validations; once an epoch if absent."),
        .integer("validation_N", default: .derived("the SDE's usual number"), in: .between(1, 100_000), "Sampling steps in validation."),
        .choice("validation_sampler", of: .sampler, default: .derived("the SDE's usual sampler"), "Sampler in validation."),
        .integer("checkpoint_every", default: 50_000, in: .between(1, 1e9), unit: "steps", "Between kept checkpoints.",
            aliases: ["save_ckpt_interval"], part: IdentityPart.none),
        .integer("resume_steps", default: .absent, in: .between(1, 1e9), unit: "steps",
            "Between checkpoints for resuming, besides those by the clock.", part: IdentityPart.none),
        .number("resume_minutes", default: 1, in: .positive, unit: "min", "Between checkpoints for resuming.",
            part: IdentityPart.none),
        Field.number("max_hours", default: .absent, in: .positive, unit: "h",
            "Training ends as if at its last step after so many hours of steps.").silentWhenAbsent,
        .number("max_loss_growth", default: 1000, in: Bounds(from: 1, excludesLower: true),
            "Training fails when the average loss of 25 steps exceeds its least value so many times.",
            part: IdentityPart.none),
        .integer("retries", default: 0, in: .between(0, 1000), "Further attempts after a failure.", part: IdentityPart.none),
        .list("log", of: .oneOf(["tensorboard", "csv", "jsonl"]), default: [],
            "Files for other viewers, written in the run's folder while it trains.", part: IdentityPart.none),
    ])

    init(_ settings: Settings) {
        lr = settings.number("lr")
        emaDecay = settings.number("ema_decay")
        emaStds = settings["ema_stds"].map { $0 == .none } ?? true ? [] : settings.numbers("ema_stds")
        emaHalfLife = settings.optionalNumber("ema_half_life")
        (lrRefBatches, lrRampup) = (settings.optionalNumber("lr_ref_batches"), settings.optionalNumber("lr_rampup"))
        adamBeta2 = settings.optionalNumber("adam_beta2")
        batchSize = settings.integer("batch_size")
        devices = settings.integer("devices")
        accumulateGradBatches = settings.integer("accumulate_grad_batches")
        maxSteps = settings.optionalInteger("max_steps")
        maxEpochs = settings.optionalInteger("max_epochs")
        seeds = settings.integers("seeds")
        tEps = settings.number("t_eps")
        gradClip = settings.optionalNumber("grad_clip")
        initFrom = settings.optionalSection("init_from").map {
            Start(checkpoint: $0.optionalText("checkpoint") ?? "", weights: $0.text("weights"), optimizer: $0.bool("optimizer"))
        }
        earlyStopping = settings.optionalSection("early_stopping").map {
            EarlyStopping(monitor: $0.text("monitor"), patience: $0.integer("patience"))
        }
        numEvalFiles = settings.integer("num_eval_files")
        validateEvery = settings.optionalInteger("validate_every")
        validationN = settings.optionalInteger("validation_N")
        validationSampler = settings.optionalChoice("validation_sampler") ?? Choice("pc")
        checkpointEvery = settings.optionalInteger("checkpoint_every")
        resumeSteps = settings.optionalInteger("resume_steps")
        resumeMinutes = settings.number("resume_minutes")
        maxHours = settings.optionalNumber("max_hours")
        maxLossGrowth = settings.number("max_loss_growth")
        retries = settings.integer("retries")
        log = settings.texts("log")
    }
}
