import Objectives
import Specs

extension Registry<LossFactory> {
    static let losses = Registry(
        "loss",
        [
            Entry(
                "score_matching", "Denoising score matching", source: "Richter et al., TASLP 2023, Eq. (9)",
                traits: [.weightings(["sigma^2"])]
            ) { _ in LossFactory { _, _ in ScoreMatchingLoss() } },
            Entry(
                "denoiser", "Distance of the denoised state from the marginal's mean",
                source: "Richter et al., ICASSP 2025, Eq. (8)", traits: [.weightings(["1", "sigma^2", "edm"])]
            ) { _ in
                LossFactory { objective, _ in
                    DenoiserLoss(
                        weighting: .init(rawValue: objective.lossWeighting) ?? .sigmaSquared, sigmaData: objective.sigmaData)
                }
            },
            Entry(
                "data_prediction", "Distance of the clean speech in spectrum, time, and PESQ",
                source: "Richter et al., ICASSP 2025, Eq. (12)", traits: [.weightings([]), .hasTimeTerms]
            ) { _ in
                LossFactory { objective, frontEnd in
                    let weight = objective.pesqWeight
                    return DataPredictionLoss(
                        frontEnd: frontEnd, l1Weight: objective.l1Weight, perceptualWeight: weight,
                        perceptual: weight > 0 ? try perceptualTerm(sampleRate: 16000) : nil)
                }
            },
        ])
}

/// The perceptual term of the data-prediction loss.
func perceptualTerm(sampleRate: Int) throws -> DataPredictionLoss.WaveformTerm {
    throw IncompatibleParts(
        reason: "objective.pesq_weight needs the differentiable PESQ, which this version lacks; set it to 0")
}

extension Preconditioning {
    /// The scalings of a spec.
    init(_ spec: ObjectiveSpec) {
        self.init(
            networkScaling: spec.networkScaling.flatMap(NetworkScaling.init(rawValue:)), input: Input(rawValue: spec.cIn) ?? .one,
            output: Output(rawValue: spec.cOut) ?? .one, skip: Skip(rawValue: spec.cSkip) ?? .zero, sigmaData: spec.sigmaData)
    }
}

extension FrontEnd {
    /// The transform of a spec.
    init(_ spec: TransformSpec) {
        let compression: SpectralCompression =
            switch spec.transformType {
            case "exponent": .exponent(alpha: spec.specAbsExponent, factor: spec.specFactor)
            case "log": .log(factor: spec.specFactor)
            default: .none
            }
        self.init(
            stft: ShortTimeFourier(
                size: spec.nFFT, hop: spec.hopLength, window: .init(rawValue: spec.window) ?? .hann),
            compression: compression)
    }
}
