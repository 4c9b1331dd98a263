package import Objectives
import SpecLanguage
import Specs

extension Registry<LossFactory> {
    static let losses = Registry(
        "loss",
        [
            Entry(
                "score_matching", "Denoising score matching", source: "Richter et al., TASLP 2023, Eq. (9)",
                traits: [.weightings(["sigma^2"])]
            ) { _ in LossFactory { _, _, _ in ScoreMatchingLoss() } },
            Entry(
                "score_matching_mae", "Denoising score matching by absolute errors",
                source: "Lemercier et al., StoRM, TASLP 2023",
                traits: [.weightings(["sigma^2"])]
            ) { _ in LossFactory { _, _, _ in ScoreMatchingLoss(norm: .mae) } },
            Entry(
                "denoiser", "Distance of the denoised state from the marginal's mean",
                source: "Richter et al., ICASSP 2025, Eq. (8)", traits: [.weightings(["1", "sigma^2", "edm"])]
            ) { _ in
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
            ) { _ in
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
            ) { _ in
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
                source: "Lipman et al., ICLR 2023, Eq. (9)",
                parameters: [.oneOf("norm", ["mse", "mae"], default: "mse", "Squared or absolute error.")],
                traits: [.weightings([])]
            ) { settings in
                LossFactory { _, _, _ in VelocityMatchingLoss(norm: .init(rawValue: settings.text("norm")) ?? .mse) }
            },
            Entry(
                "mean_flow", "Average velocity over a stretch, from its derivative (one step is enough to sample)",
                source: "Geng et al., 2025; MeanFlowSE, arXiv 2509.14858",
                parameters: [
                    .number(
                        "weight", default: 0.25, in: .between(0, 1),
                        "Weight of the average velocity; the rest is the velocity's."),
                    .number(
                        "warmup", default: 0.5, in: .between(0, 1), "Share of training in which that weight grows."),
                    .number(
                        "correction", default: 0.5, in: .between(0, 1),
                        "Factor of the derivative; 1 is the mean flow's identity."),
                    .number(
                        "jvp_clip", default: 5.0, in: .nonNegative,
                        "Most norm of the derivative over a sample; 0 for no limit."),
                    .number("equal", default: 0.1, in: .between(0, 1), "Share of stretches of length 0."),
                ],
                traits: [.weightings([]), .needsInterval]
            ) { settings in
                let clip = settings.number("jvp_clip")
                let loss = MeanFlowLoss(
                    weight: settings.number("weight"), warmup: settings.number("warmup"),
                    correction: settings.number("correction"), clip: clip > 0 ? clip : nil,
                    equal: settings.number("equal"))
                return LossFactory { _, _, _ in loss }
            },
            Entry(
                "composition",
                "Average velocity over a stretch, composed of those of its parts (one step is enough to sample)",
                source: "COSE, arXiv 2509.15952", traits: [.weightings([]), .needsInterval]
            ) { _ in LossFactory { _, _, _ in CompositionLoss() } },
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
