import Foundation
import Kernels
import Models
import Runs
import SpecLanguage
import Specs

extension EvaluationTask {
    var noiseSeed: UInt64 {
        if case .model(_, let evaluation) = subject { UInt64(evaluation.point.noiseSeed) } else { 0 }
    }

    /// The number format of the network's matrix products.
    var precision: Precision {
        if case .model(_, let evaluation) = subject { evaluation.point.precision.ofProducts } else { .fp32 }
    }

    /// The point's factors as the store has them.
    func storedPoint(_ catalog: Catalog) -> Runs.EvaluationPoint {
        guard case .model(_, let evaluation) = subject else { return .init() }
        let point = evaluation.point
        let settings = point.sampler.settings
        var other = unusualSettings(of: point.sampler, catalog)
        other["t_eps"] = SettingValue.number(point.tEps).compact
        other["padding"] = point.padding.rawValue
        other["segment"] = point.segment.map { SettingValue.number($0).compact }
        other["precision"] = point.precision == .fp32 ? nil : point.precision.rawValue
        other["max_files"] = point.maxFiles.map { String($0) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return .init(
            steps: point.N, sampler: point.sampler.name, predictor: settings.optionalChoice("predictor")?.name,
            corrector: settings.optionalChoice("corrector")?.name,
            correctorSteps: settings.optionalInteger("corrector_steps"), snr: settings.optionalNumber("snr"),
            guidance: point.guidance, reference: point.reference?.name(inTraining: spec.conditioning?.refNumFrames),
            weights: point.weights.rawValue, noiseSeed: UInt64(point.noiseSeed),
            other: (try? encoder.encode(other)).map { String(decoding: $0, as: UTF8.self) })
    }

    /// The sampler's settings that have no column in the store and differ from the defaults.
    private func unusualSettings(of sampler: Choice, _ catalog: Catalog) -> [String: String] {
        let vocabulary = catalog.vocabulary
        guard let usual = vocabulary[.sampler, sampler.name]?.defaults(vocabulary) else { return [:] }
        return sampler.settings
            .filter {
                !["predictor", "corrector", "corrector_steps", "snr"].contains($0.name) && usual[$0.name] != $0.value
            }
            .reduce(into: [:]) { $0[$1.name] = $1.value.compact }
    }
}
