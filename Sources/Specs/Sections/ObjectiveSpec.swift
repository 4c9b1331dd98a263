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
    public enum InputScaling: String, SettingName {
        case one = "1"
        case edm
    }
    public enum OutputScaling: String, SettingName {
        case one = "1"
        case sigma
        case inverseSigma = "1/sigma"
        case edm
    }
    public enum SkipScaling: String, SettingName {
        case zero = "0"
        case edm
    }

    public var loss = Choice("score_matching")
    public var lossWeighting = Weighting.sigmaSquared
    public var networkScaling: NetworkScaling?
    public var cIn = InputScaling.one
    public var cOut = OutputScaling.one
    public var cSkip = SkipScaling.zero
    /// Standard deviation of the data, in the EDM scalings.
    public var sigmaData = 0.1
    public var l1Weight = 0.001
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
