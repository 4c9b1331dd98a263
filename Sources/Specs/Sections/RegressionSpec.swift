public import SpecLanguage

/// A regression in front of the diffusion: its network, how it is trained, and what the diffusion reads of it (StoRM,
/// TASLP 2023).
public struct RegressionSpec: SettingsSection {
    /// How the two networks are trained.
    public enum Training: String, SettingName {
        /// Gradients of both losses reach the regression.
        case joint
        /// The regression stays as it is.
        case frozen
        /// Only the regression is trained; the diffusion waits for another training that begins with its weights.
        case alone
    }

    /// The input of the diffusion's network besides its state.
    public enum Condition: String, SettingName {
        case both
        case estimate = "post_denoiser"
        case noisy
    }
    /// The distance of the estimate from clean speech.
    public enum Distance: String, SettingName { case mse, mae, none }

    /// The network of the estimate, which reads noisy speech alone.
    public var backbone = Choice("ncsnpp_storm")
    /// Which of the two networks is trained.
    public var training = Training.joint
    /// What the diffusion's network reads beside its state.
    public var condition = Condition.both
    /// The distance of the estimate from clean speech, in the regression's loss.
    public var loss = Distance.mse
    /// The share of the regression's loss in the sum, 0 to 1; the rest is the diffusion's.
    public var weight = 0.5

    public init() {}

    public static let declaration = Declaration<Self>([
        Setting(\.backbone, "backbone", of: .backbone, "The network that estimates clean speech from noisy speech."),
        Setting(
            \.training, "training",
            "Both networks at once; the diffusion alone behind a trained regression; or the regression alone."),
        Setting(
            \.condition, "condition",
            "What the diffusion's network sees besides its state: noisy speech, the estimate, or both."),
        Setting(
            \.loss, "loss", "The distance of the estimate from clean speech.", aliases: ["loss_type_denoiser"]),
        Setting(
            \.weight, "weight", in: .between(0, 1), "Weight of that distance; the rest is the diffusion's loss.",
            aliases: ["weighting_denoiser_to_score"]),
    ])
}
