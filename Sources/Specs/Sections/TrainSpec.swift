public import SpecLanguage

/// The training: optimiser, length, seeds, validation, and which checkpoints are kept.
public struct TrainSpec: SettingsSection {
    /// Weights to begin with.
    public struct Start: SettingsSection {
        /// A file, or the name of a run.
        public var checkpoint = ""
        /// Which of the checkpoint's weights are taken: averaged or raw.
        public var weights = WeightChoice.ema
        /// Whether the optimiser's state is taken over too.
        public var optimizer = false

        public init() {}

        public static let declaration = Declaration<Self>(
            shorthand: "checkpoint",
            [
                Setting(
                    \.checkpoint, "checkpoint", default: .required, "A checkpoint file, or the name of a run.",
                    aliases: ["path", "run"]
                ).asPath,
                Setting(\.weights, "weights", "Which of its weights."),
                Setting(\.optimizer, "optimizer", "Take over the optimiser's state."),
            ])
    }

    /// Stops training when a validation metric no longer grows.
    public struct EarlyStopping: SettingsSection {
        /// A mean over the validation files.
        public enum Monitor: String, SettingName {
            case pesq
            case siSDR = "si_sdr"
            case estoi
            case validationLoss = "valid_loss"
        }

        /// The validation score that must improve.
        public var monitor = Monitor.pesq
        /// Validations without a new best before training stops.
        public var patience = 10

        public init() {}

        public static let declaration = Declaration<Self>(
            shorthand: "monitor",
            [
                Setting(\.monitor, "monitor", "The validation metric."),
                Setting(
                    \.patience, "patience", in: .between(1, 1e9), "Validations without a new best before it stops."),
            ])
    }

    /// A log format for other programs, written during training.
    public enum LogFormat: String, SettingName { case tensorboard, csv, jsonl }

    /// Adam's learning rate; constant unless `lrRefBatches` or `lrRampup` is set.
    public var lr = 1e-4
    /// The decay `β` of the moving average of the weights, after its warm-up.
    public var emaDecay = 0.999
    /// Standard deviations of power-function averages, in units of training time; they take the place of `emaDecay` if
    /// any.
    public var emaStds: [Double] = []
    /// The half-life of the moving average in crops, in place of `emaDecay`.
    public var emaHalfLife: Double?
    /// Steps after which the rate falls with their root.
    public var lrRefBatches: Double?
    /// Examples over which the rate grows at the start.
    public var lrRampup: Double?
    /// `β₂`, the decay of Adam's second moment; 0.999 if `nil`.
    public var adamBeta2: Double?
    /// Crops per device and step; the effective batch is `batch_size · devices · accumulate_grad_batches`.
    public var batchSize = 8
    /// Devices of the effective batch; fewer workers accumulate gradients.
    public var devices = 1
    /// Batches per device whose gradients make one step.
    public var accumulateGradBatches = 1
    /// Optimiser steps; `nil` where `maxEpochs` decides alone.
    public var maxSteps: Int?
    /// Passes over the training files; with `maxSteps`, whichever ends first.
    public var maxEpochs: Int?
    /// One run for each; a seed decides initial weights, crops, times and noise.
    public var seeds = [0]
    /// The least time drawn.
    public var tEps = 0.03
    /// Of products and convolutions.
    public var precision = PrecisionChoice.fp32
    /// The norm to which a larger gradient is scaled down; `nil` for no limit.
    public var gradClip: Double?
    /// The weights that training begins with; `nil` draws them by the seed.
    public var initFrom: Start?
    /// When to stop before the last step; `nil` for never.
    public var earlyStopping: EarlyStopping?
    /// Validation files that are enhanced and scored; 0 keeps no best checkpoint.
    public var numEvalFiles = 20
    /// Steps between validations; `nil` for once an epoch.
    public var validateEvery: Int?
    /// Sampling steps in validation; `nil` where the sampler chooses.
    public var validationN: Int?
    /// The sampler of the validation files.
    public var validationSampler = Choice("pc")
    /// Steps between checkpoints that are kept; changes no number.
    public var checkpointEvery = 50_000
    /// Steps between checkpoints for resuming, where not only the clock decides.
    public var resumeSteps: Int?
    /// Minutes between checkpoints for resuming.
    public var resumeMinutes = 1.0
    /// Hours of training steps after which a training ends as if at its last step.
    public var maxHours: Double?
    /// Training fails when the loss's moving average exceeds its smallest value by this factor.
    public var maxLossGrowth = 1000.0
    /// Further attempts after a failure.
    public var retries = 0
    /// Files for other programs, written in the run's folder during training.
    public var log: [LogFormat] = []

    public init() {}

    /// Crops that make one step of the optimiser.
    public var effectiveBatch: Int { batchSize * devices * accumulateGradBatches }

    public static let declaration = Declaration<Self>([
        Setting(\.lr, "lr", in: .positive, "Learning rate of Adam, constant."),
        Setting(
            \.emaDecay, "ema_decay", in: Bounds(from: 0, to: 1, excludesUpper: true),
            "Decay of the moving average of weights, after its warm-up."),
        Setting(
            \.emaStds, "ema_stds", default: .absent, in: Bounds(from: 0, to: 0.288, excludesLower: true),
            """
            Lengths of power-function averages as shares of the training; the first is evaluated. In place of \
            ema_decay.
            """
        ).silentWhenAbsent,
        Setting(
            \.emaHalfLife, "ema_half_life", in: .positive, unit: "crops",
            "Crops after which a weight counts half in the average, at most 0.09 of those seen. In place of ema_decay."
        ).silentWhenAbsent,
        Setting(
            \.lrRefBatches, "lr_ref_batches", in: .positive, unit: "steps",
            "Steps after which the rate falls with the root of the steps; constant if absent."
        ).silentWhenAbsent,
        Setting(
            \.lrRampup, "lr_rampup", in: .positive, unit: "crops",
            "Crops over which the rate grows from 0; at once if absent."
        ).silentWhenAbsent,
        Setting(
            \.adamBeta2, "adam_beta2", in: Bounds(from: 0, to: 1, excludesUpper: true),
            "Decay of Adam's second moment; 0.999 if absent."
        ).silentWhenAbsent,
        Setting(\.batchSize, "batch_size", in: .between(1, 1e6), "Crops per device and step."),
        Setting(\.devices, "devices", in: .between(1, 4096), "Devices of the effective batch; fewer accumulate."),
        Setting(
            \.accumulateGradBatches, "accumulate_grad_batches", in: .between(1, 1e6),
            "Batches whose gradients make one step."),
        Setting(\.maxSteps, "max_steps", in: .between(0, 1e9), unit: "steps", "Optimiser steps."),
        Setting(
            \.maxEpochs, "max_epochs", in: .between(0, 1e9), unit: "epochs",
            "Passes over the training files; with max_steps, whichever comes first."),
        Setting(\.seeds, "seeds", ofAtLeast: 1, in: .from(0), "One run for each."),
        Setting(
            \.tEps, "t_eps", in: Bounds(from: 0, to: 1, excludesLower: true, excludesUpper: true),
            "The least process time."),
        Setting(\.gradClip, "grad_clip", in: .positive, "Largest norm of the gradient."),
        Setting(\.initFrom, "init_from", "Weights to begin with."),
        Setting(\.earlyStopping, "early_stopping", "Stop when validation no longer improves."),
        Setting(
            \.numEvalFiles, "num_eval_files", in: .between(0, 1e6), unit: "files",
            "Validation files enhanced and scored."),
        Setting(
            \.validateEvery, "validate_every", in: .between(1, 1e9), unit: "steps",
            "Between validations; once an epoch if absent."),
        Setting(
            \.validationN, "validation_N", default: .derived("the SDE's usual number"), in: .between(1, 100_000),
            "Sampling steps in validation."),
        Setting(
            \.validationSampler, "validation_sampler", of: .sampler, default: .derived("the SDE's usual sampler"),
            "Sampler in validation."),
        Setting(
            \.checkpointEvery, "checkpoint_every", in: .between(1, 1e9), unit: "steps", "Between kept checkpoints.",
            aliases: ["save_ckpt_interval"], part: IdentityPart.none),
        Setting(
            \.resumeSteps, "resume_steps", in: .between(1, 1e9), unit: "steps",
            "Between checkpoints for resuming, besides those by the clock.", part: IdentityPart.none),
        Setting(
            \.resumeMinutes, "resume_minutes", in: .positive, unit: "min", "Between checkpoints for resuming.",
            part: IdentityPart.none),
        Setting(
            \.precision, "precision",
            "How products and convolutions are computed: fp32, tf32 on cards, or bf16 with sums in fp32."
        ).silent(at: PrecisionChoice.fp32),
        Setting(
            \.maxHours, "max_hours", in: .positive, unit: "h",
            "Training ends as if at its last step after so many hours of steps."
        ).silentWhenAbsent,
        Setting(
            \.maxLossGrowth, "max_loss_growth", in: Bounds(from: 1, excludesLower: true),
            "Training fails when the average loss of 25 steps exceeds its least value so many times.",
            part: IdentityPart.none),
        Setting(
            \.retries, "retries", in: .between(0, 1000), "Further attempts after a failure.", part: IdentityPart.none),
        Setting(
            \.log, "log", "Files for other viewers, written in the run's folder while it trains.",
            part: IdentityPart.none),
    ])
}
