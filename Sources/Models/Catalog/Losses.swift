public import Objectives
public import SpecLanguage
public import Specs

extension VelocityMatchingLoss.Norm: SettingName {}

extension MeanFlowLoss {
    /// The limit of the derivative's norm as a spec writes it, 0 for none.
    fileprivate var clipOrZero: Double {
        get { clip ?? 0 }
        set { clip = newValue > 0 ? newValue : nil }
    }
}

/// Makes a loss from a spec's objective, front end and data.
public struct LossFactory: Sendable {
    /// - Throws: `IncompatibleParts` where the objective asks for a term that the loss or the crops do not allow.
    public let make: @Sendable (ObjectiveSpec, FrontEnd, DataSpec) throws -> any TrainingLoss
}

extension Registry<LossFactory> {
    static let losses = Registry(
        "loss",
        [
            Entry(
                "score_matching", "Denoising score matching", source: "Richter et al., TASLP 2023, Eq. (9)",
                traits: [.weightings(["sigma^2"])]
            ) { LossFactory { _, _, _ in ScoreMatchingLoss() } },
            Entry(
                "score_matching_mae", "Denoising score matching by absolute errors",
                source: "Lemercier et al., StoRM, TASLP 2023",
                traits: [.weightings(["sigma^2"])]
            ) { LossFactory { _, _, _ in ScoreMatchingLoss(norm: .mae) } },
            Entry(
                "denoiser", "Distance of the denoised state from the marginal's mean",
                source: "Richter et al., ICASSP 2025, Eq. (8)", traits: [.weightings(["1", "sigma^2", "edm"])]
            ) {
                LossFactory { objective, _, _ in
                    DenoiserLoss(
                        weighting: .init(objective.lossWeighting), sigmaData: objective.sigmaData)
                }
            },
            Entry(
                "uncertainty",
                "Distance of the clean speech in spectrum and time, weighed by an uncertainty that the network learns",
                source: "Karras et al., CVPR 2024; EDM2SE, ICASSP 2026, Eq. (21)",
                traits: [.weightings([]), .hasTimeTerms, .needsUncertainty]
            ) {
                LossFactory { objective, frontEnd, _ in
                    guard objective.pesqWeight == 0 else {
                        throw IncompatibleParts(
                            reason: "objective.pesq_weight: the loss 'uncertainty' has no PESQ term; set it to 0")
                    }
                    return UncertaintyLoss(frontEnd: frontEnd, l1Weight: objective.l1Weight)
                }
            },
            Entry(
                "data_prediction", "Distance of the clean speech in spectrum, time, and PESQ",
                source: "Richter et al., ICASSP 2025, Eq. (12)", traits: [.weightings([]), .hasTimeTerms]
            ) {
                LossFactory { objective, frontEnd, data in
                    let weight = objective.pesqWeight
                    return DataPredictionLoss(
                        frontEnd: frontEnd, l1Weight: objective.l1Weight, perceptualWeight: weight,
                        perceptual: weight > 0
                            ? try perceptualTerm(
                                sampleRate: data.sampleRate, samples: (data.numFrames - 1) * frontEnd.stft.hop) : nil)
                }
            },
            Entry(
                "velocity_matching", "Distance of the velocity from that of the path through clean speech and noise",
                source: "Lipman et al., ICLR 2023, Eq. (9)", of: VelocityMatchingLoss(),
                [Setting(\.norm, "norm", "Squared or absolute error.")],
                traits: [.weightings([])]
            ) { loss in LossFactory { _, _, _ in loss } },
            Entry(
                "mean_flow", "Average velocity over a stretch, from its derivative (one step is enough to sample)",
                source: "Geng et al., 2025; MeanFlowSE, arXiv 2509.14858", of: MeanFlowLoss(),
                [
                    Setting(
                        \.weight, "weight", in: .between(0, 1),
                        "Weight of the average velocity; the rest is the velocity's."),
                    Setting(\.warmup, "warmup", in: .between(0, 1), "Share of training in which that weight grows."),
                    Setting(
                        \.correction, "correction", in: .between(0, 1),
                        "Factor of the derivative; 1 is the mean flow's identity."),
                    Setting(
                        \.clipOrZero, "jvp_clip", in: .nonNegative,
                        "Most norm of the derivative over a sample; 0 for no limit."),
                    Setting(\.equal, "equal", in: .between(0, 1), "Share of stretches of length 0."),
                ],
                traits: [.weightings([]), .needsInterval]
            ) { loss in LossFactory { _, _, _ in loss } },
            Entry(
                "composition",
                "Average velocity over a stretch, composed of those of its parts (one step is enough to sample)",
                source: "COSE, arXiv 2509.15952", traits: [.weightings([]), .needsInterval]
            ) { LossFactory { _, _, _ in CompositionLoss() } },
        ])
}

/// The perceptual term of the data-prediction loss: the batch's mean differentiable PESQ.
///
/// - Parameter samples: The length of a training crop, which must give the 20 frames that PESQ's average spans.
package func perceptualTerm(sampleRate: Int, samples: Int? = nil) throws -> DataPredictionLoss.WaveformTerm {
    let loss = PerceptualLoss(sampleRate: sampleRate)
    if let samples, samples < loss.shortestSignal {
        throw IncompatibleParts(
            reason: "objective.pesq_weight needs crops of \(loss.shortestSignal) samples at \(sampleRate) Hz, "
                + "and data.num_frames gives \(samples); raise data.num_frames, or set the weight to 0")
    }
    return { clean, estimate in loss.mean(clean, estimate) }
}

extension FrontEnd {
    /// The transform of a spec.
    init(_ spec: TransformSpec) {
        let compression: SpectralCompression =
            switch spec.transformType {
            case .exponent: .exponent(alpha: spec.specAbsExponent, factor: spec.specFactor)
            case .log: .log(factor: spec.specFactor)
            case .none: .none
            }
        self.init(
            stft: ShortTimeFourier(
                size: spec.nFFT, hop: spec.hopLength, window: .init(spec.window)),
            compression: compression)
    }
}
