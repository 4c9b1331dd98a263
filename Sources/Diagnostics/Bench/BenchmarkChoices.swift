import Diffusion
import Objectives

/// What a benchmark of training minimises.
public enum BenchmarkLoss: String, CaseIterable, Sendable {
    case scoreMatching = "score_matching"
    case denoiser
    case dataPrediction = "data_prediction"
    case dataPredictionPESQ = "data_prediction_pesq"

    func make(_ frontEnd: FrontEnd) -> any TrainingLoss {
        switch self {
        case .scoreMatching: return ScoreMatchingLoss()
        case .denoiser: return DenoiserLoss(weighting: .edm)
        case .dataPrediction: return DataPredictionLoss(frontEnd: frontEnd)
        case .dataPredictionPESQ:
            let perceptual = PerceptualLoss(sampleRate: 16000)
            return DataPredictionLoss(frontEnd: frontEnd, perceptualWeight: 5e-4) { perceptual.mean($0, $1) }
        }
    }
}

/// How a benchmark samples.
public enum BenchmarkSampler: String, CaseIterable, Sendable {
    case ald, langevin
    case ode
    case odeEuler = "ode_euler"
    case odeHeun = "ode_heun"
    case bridgeSDE = "sb_sde"
    case bridgeODE = "sb_ode"

    func make(_ sde: any SDE, steps: Int) -> any Sampler {
        switch self {
        case .ald: PredictorCorrector(sde: sde, steps: steps)
        case .langevin: PredictorCorrector(sde: sde, corrector: .langevin(), steps: steps)
        case .ode: ProbabilityFlow(sde: sde)
        case .odeEuler: ProbabilityFlow(sde: sde, solver: .euler(steps: steps))
        case .odeHeun: ProbabilityFlow(sde: sde, solver: .heun(steps: steps))
        case .bridgeSDE: BridgeSampler(process: .sde, steps: steps)
        case .bridgeODE: BridgeSampler(process: .ode, steps: steps)
        }
    }
}
