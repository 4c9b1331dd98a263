public import Diffusion
public import SpecLanguage
import Specs

extension FlowMatching.Origin: SettingName {}

/// The diffusions. The parameters of an entry are the properties of its SDE; the equations lie there.
extension Registry<any SDE> {
    static let sdes = Registry("SDE", [ouve, sbve, sbveEDM2, bbed, ve, vp, subvp, flow])

    private static let reverse = ["pc", "ode", "ode_euler", "ode_midpoint", "ode_heun"]
    private static let scoreLosses = ["score_matching", "denoiser", "score_matching_mae"]
    private static let song = "Song et al., ICLR 2021"

    private static let ouve = Entry(
        "ouve", "Ornstein–Uhlenbeck, exploding variance", source: "Richter et al., TASLP 2023", of: OUVE(),
        [
            Setting(\.theta, "theta", in: .positive, "Stiffness of the pull towards y."),
            Setting(\.sigmaMin, "sigma_min", in: .positive, "Least standard deviation of the noise."),
            Setting(\.sigmaMax, "sigma_max", in: .positive, "Most standard deviation of the noise."),
        ],
        traits: [
            .steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("sigma_min", "sigma_max"),
            .priorMismatch("e^(−theta)"),
        ]
    ) { $0 }

    private static let sbve = Entry(
        "sbve", "Schrödinger bridge, exploding variance", source: "Jukić et al., Interspeech 2024", of: SBVE(),
        bridgeSettings,
        traits: [
            .steps(50), .samplers(["sb_ode", "sb_sde", "edm2_ode", "edm2_sde"]),
            .losses(["data_prediction", "uncertainty"]), .priorMismatch("0, but for eps"),
        ]
    ) { $0 }

    private static let sbveEDM2 = Entry(
        "sbve_edm2", "The bridge with noise of unit variance in the real and in the imaginary part",
        source: "EDM2SE, ICASSP 2026", of: SBVE(noiseScale: 2.0.squareRoot()), bridgeSettings,
        traits: [
            .steps(50), .samplers(["edm2_ode", "edm2_sde", "sb_ode", "sb_sde"]),
            .losses(["uncertainty", "data_prediction"]), .priorMismatch("0, but for eps"),
        ]
    ) { $0 }

    private static let bridgeSettings: [Setting<SBVE>] = [
        Setting(\.k, "k", in: .positive, "Growth of the diffusion coefficient."),
        Setting(\.c, "c", in: .positive, "Scale of the diffusion coefficient, squared."),
        Setting(\.epsilon, "eps", in: .positive, "Keeps denominators from zero."),
    ]

    private static let bbed = Entry(
        "bbed", "Brownian bridge with exponential diffusion", source: "Lay et al., Interspeech 2023", of: BBED(),
        [
            Setting(\.k, "k", in: .positive, "Growth of the diffusion coefficient."),
            Setting(\.theta, "theta", in: .positive, "Its square at time 0."),
            Setting(
                \.endTime, "T_sampling", in: Bounds(from: 0, to: 1, excludesLower: true, excludesUpper: true),
                "Where sampling starts."),
        ],
        traits: [.steps(30), .samplers(reverse), .losses(scoreLosses), .priorMismatch("1 − T_sampling")]
    ) { $0 }

    private static let ve = Entry(
        "ve", "Exploding variance around the clean speech", source: song, of: VE(),
        [
            Setting(\.sigmaMin, "sigma_min", in: .positive, "Least standard deviation of the noise."),
            Setting(\.sigmaMax, "sigma_max", in: .positive, "Most standard deviation of the noise."),
        ],
        traits: [
            .steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("sigma_min", "sigma_max"),
            .priorMismatch("1"),
        ]
    ) { $0 }

    private static let vp = Entry(
        "vp", "Preserved variance, drifting to the noisy speech", source: song, of: VP(),
        [
            Setting(\.betaMin, "beta_min", in: .positive, "Least noise rate."),
            Setting(\.betaMax, "beta_max", in: .positive, "Most noise rate."),
            Setting(\.scale, "scale", in: .positive, "Standard deviation that the noise tends to."),
        ],
        traits: [
            .steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("beta_min", "beta_max"),
            .priorMismatch("e^(−(beta_min + beta_max)/4)"),
        ]
    ) { $0 }

    private static let subvp = Entry(
        "subvp", "As vp, with less noise on the way", source: song, of: SubVP(),
        [
            Setting(\.betaMin, "beta_min", in: .positive, "Least noise rate."),
            Setting(\.betaMax, "beta_max", in: .positive, "Most noise rate."),
            Setting(\.scale, "scale", in: .positive, "Standard deviation that the noise tends to."),
        ],
        traits: [
            .steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("beta_min", "beta_max"),
            .priorMismatch("e^(−(beta_min + beta_max)/4)"),
        ]
    ) { $0 }

    private static let flow = Entry(
        "flow", "Flow matching: a straight path, whose velocity is learned", source: "Lee et al., ICASSP 2025",
        of: FlowMatching(),
        [
            Setting(
                \.sigmaMin, "sigma_min", in: .nonNegative, "Standard deviation of the noise at clean speech."),
            Setting(\.sigmaMax, "sigma_max", in: .positive, "Standard deviation of the noise at the start."),
            Setting(\.origin, "origin", "What sampling starts around: noisy speech, or noise alone."),
            Setting(
                \.endTime, "T_rev", in: Bounds(from: 0, to: 1, excludesLower: true),
                "The last time of training, where sampling starts."),
        ],
        traits: [
            .steps(5), .samplers(["ode_euler", "ode_midpoint", "ode_heun", "ode", "mean_flow"]),
            .losses(["velocity_matching", "mean_flow", "composition"]), .priorMismatch("1 − T_rev"),
        ]
    ) { $0 }
}
