import SpecLanguage

/// A regression in front of the diffusion: its network, how it is trained, and what the diffusion sees of it (StoRM,
/// TASLP 2023).
public struct RegressionSpec: Hashable, Sendable {
    public var backbone: Choice
    /// `joint`, `frozen` or `alone`.
    public var training: String
    /// `noisy`, `post_denoiser` or `both`.
    public var condition: String
    /// `none`, `mse` or `mae`.
    public var loss: String
    public var weight: Double

    static let schema = Schema([
        .choice(
            "backbone", of: .backbone, default: "ncsnpp_storm",
            "The network that estimates clean speech from noisy speech."),
        .oneOf(
            "training", ["joint", "frozen", "alone"], default: "joint",
            "Both networks at once; the diffusion alone behind a trained regression; or the regression alone."),
        .oneOf(
            "condition", ["both", "post_denoiser", "noisy"], default: "both",
            "What the diffusion's network sees besides its state: noisy speech, the estimate, or both."),
        .oneOf(
            "loss", ["mse", "mae", "none"], default: "mse", "The distance of the estimate from clean speech.",
            aliases: ["loss_type_denoiser"]),
        .number(
            "weight", default: 0.5, in: .between(0, 1), "Weight of that distance; the rest is the diffusion's loss.",
            aliases: ["weighting_denoiser_to_score"]),
    ])

    init(_ settings: Settings) {
        backbone = settings.choice("backbone")
        training = settings.text("training")
        condition = settings.text("condition")
        loss = settings.text("loss")
        weight = settings.number("weight")
    }
}
