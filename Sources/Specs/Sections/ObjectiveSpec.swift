import SpecLanguage

/// What training minimises, and how the network is scaled around it (Richter et al., ICASSP 2025).
public struct ObjectiveSpec: Hashable, Sendable {
    public var loss: Choice
    public var lossWeighting: String
    /// What the network's output is divided by: `1/sigma`, `1/t`, or nothing.
    public var networkScaling: String?
    public var cIn: String
    public var cOut: String
    public var cSkip: String
    /// Standard deviation of the data, in the EDM scalings.
    public var sigmaData: Double
    public var l1Weight: Double
    public var pesqWeight: Double

    static let schema = Schema([
        .choice("loss_type", of: .loss, default: "score_matching", "What the network predicts and is judged by.", aliases: ["loss"]),
        .oneOf("loss_weighting", ["sigma^2", "1", "edm"], default: "sigma^2", "The weight of the loss over time.", aliases: ["weighting"]),
        Field("network_scaling", .oneOf(["1/sigma", "1/t"]), default: .absent, "What the network's output is multiplied by."),
        .oneOf("c_in", ["1", "edm"], default: "1", "Scaling of the network's input."),
        .oneOf("c_out", ["1", "sigma", "1/sigma", "edm"], default: "1", "Scaling of the network's output."),
        .oneOf("c_skip", ["0", "edm"], default: "0", "Scaling of the skip connection."),
        .number("sigma_data", default: 0.1, in: .positive, "Standard deviation of the data, for the EDM scalings."),
        .number("l1_weight", default: 0.001, in: .nonNegative, "Weight of the L1 distance in time."),
        .number("pesq_weight", default: 0.0, in: .nonNegative, "Weight of the PESQ loss."),
    ])

    init(_ settings: Settings) {
        loss = settings.choice("loss_type")
        lossWeighting = settings.text("loss_weighting")
        networkScaling = settings.optionalText("network_scaling")
        cIn = settings.text("c_in")
        cOut = settings.text("c_out")
        cSkip = settings.text("c_skip")
        sigmaData = settings.number("sigma_data")
        l1Weight = settings.number("l1_weight")
        pesqWeight = settings.number("pesq_weight")
    }
}
