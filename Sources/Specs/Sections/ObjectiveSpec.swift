public import SpecLanguage

/// What training minimises, and how the network is scaled around it (Richter et al., ICASSP 2025).
public struct ObjectiveSpec: SettingsSection {
    /// The weight of the loss over time.
    public enum Weighting: String, SettingName {
        case sigmaSquared = "sigma^2"
        case one = "1"
        case edm
    }
    /// What the network's output is multiplied by.
    public enum NetworkScaling: String, SettingName {
        case inverseSigma = "1/sigma"
        case inverseTime = "1/t"
    }
    /// `c_in`, the factor of the network's input.
    public enum InputScaling: String, SettingName {
        case one = "1"
        case edm
    }
    /// `c_out`, the factor of the network's output.
    public enum OutputScaling: String, SettingName {
        case one = "1"
        case sigma
        case inverseSigma = "1/sigma"
        case edm
    }
    /// `c_skip`, the factor of the state that is added to the output.
    public enum SkipScaling: String, SettingName {
        case zero = "0"
        case edm
    }

    /// The objective with its parameters; it decides what the network predicts.
    public var loss = Choice("score_matching")
    /// The weight of the denoiser's squared error as a function of σ.
    public var lossWeighting = Weighting.sigmaSquared
    /// The factor of the network's output before `c_out`; `nil` for 1.
    public var networkScaling: NetworkScaling?
    /// `c_in`: 1, or EDM's.
    public var cIn = InputScaling.one
    /// `c_out`: 1, `σ`, `1/σ`, or EDM's.
    public var cOut = OutputScaling.one
    /// `c_skip`: 0, or EDM's.
    public var cSkip = SkipScaling.zero
    /// Standard deviation of the data, in the EDM scalings.
    public var sigmaData = 0.1
    /// The weight `λ₁` of the absolute error of the samples, in data prediction.
    public var l1Weight = 0.001
    /// The weight of the differentiable PESQ, in data prediction; 0 leaves it out.
    public var pesqWeight = 0.0

    public init() {}

    public static let declaration = Declaration<Self>([
        Setting(\.loss, "loss_type", of: .loss, "What the network predicts and is judged by.", aliases: ["loss"]),
        Setting(\.lossWeighting, "loss_weighting", "The weight of the loss over time.", aliases: ["weighting"]),
        Setting(\.networkScaling, "network_scaling", "What the network's output is multiplied by."),
        Setting(\.cIn, "c_in", "Scaling of the network's input."),
        Setting(\.cOut, "c_out", "Scaling of the network's output."),
        Setting(\.cSkip, "c_skip", "Scaling of the skip connection."),
        Setting(\.sigmaData, "sigma_data", in: .positive, "Standard deviation of the data, for the EDM scalings."),
        Setting(\.l1Weight, "l1_weight", in: .nonNegative, "Weight of the L1 distance in time."),
        Setting(\.pesqWeight, "pesq_weight", in: .nonNegative, "Weight of the PESQ loss."),
    ])
}
