import Diffusion
import Foundation
import Tensors
import WeightFiles

extension ConformanceChecker {
    /// Every coefficient of a diffusion at several times; row `k` of each array belongs to `t[k]`.
    static let sde = ConformanceChecker("sde") { one, catalog, report in
        let sde = try one.sde(catalog)
        let t = try one.array("t").values.map(Double.init)
        let tolerance = try one.tolerance("relmax")
        // At the end of a bridge the reference's float32 rounding decides; it states a range there.
        let isInner = t.map { !(sde is SBVE) || $0 < sde.endTime }
        func compare(_ name: String, _ value: (Int) -> Double) throws {
            guard one.has(name) else { return }
            let expected = try one.array(name).values
            let rows = t.indices.filter { isInner[$0] }
            report.compare(name, rows.map { Float(value($0)) }, rows.map { expected[$0] }, relmax: tolerance)
        }
        func compare(_ name: String, _ weights: [(String, (Int) -> Double)]) throws {
            guard one.has(name) else { return }
            let expected = try one.spectrogram(name)
            var sum = Tensor.zeros(expected.shape)
            for (operand, weight) in weights {
                sum =
                    sum
                    + (try one.spectrogram(operand)).scaledSamples(by: t.indices.map { isInner[$0] ? weight($0) : 0 })
            }
            let inner = expected.scaledSamples(by: isInner.map { $0 ? 1 : 0 })
            report.compare(name, sum.values, inner.values, relmax: tolerance)
        }
        let marginals = t.map { sde.marginal(at: $0) }
        try compare("std") { marginals[$0].std }
        try compare("diffusion") { sde.diffusion(at: t[$0]) }
        try compare("mean", [("x0", { marginals[$0].clean }), ("y", { marginals[$0].noisy })])
        if let bridge = sde as? SBVE {
            try compare("sigma_t") { bridge.variance(at: t[$0]).squareRoot() }
            try compare("sigma_bar_t") { bridge.remainingVariance(at: t[$0]).squareRoot() }
        } else {
            try reverse(one, sde, t, compare)
        }
    }

    /// Drift, one discretised step, and their reverses under a given score.
    private static func reverse(
        _ one: ConformanceCase, _ sde: any SDE, _ t: [Double],
        _ compare: (String, [(String, (Int) -> Double)]) throws -> Void
    ) throws {
        let step = one.json["scalars"]?["stepsize"]?.number ?? 1 / (one.hyperparameters["N"]?.number ?? 30)
        try compare("drift", [("x", { sde.drift(at: t[$0]).x }), ("y", { sde.drift(at: t[$0]).y })])
        for (name, isFlow) in [("reverse_drift", false), ("reverse_pf_drift", true)] {
            func weights(_ index: Int) -> (x: Double, y: Double, score: Double) {
                sde.reverseDrift(at: t[index], probabilityFlow: isFlow)
            }
            try compare(name, [("x", { weights($0).x }), ("y", { weights($0).y }), ("score", { weights($0).score })])
        }
        func forward(_ index: Int) -> Discretization { sde.discretization(at: t[index], step: step) }
        for (name, share) in [("reverse_discretize_f", 1.0), ("reverse_pf_discretize_f", 0.5)] {
            try compare(
                name,
                [
                    ("x", { forward($0).x }), ("y", { forward($0).y }),
                    ("score", { -share * forward($0).std * forward($0).std }),
                ])
        }
        try compare("discretize_f", [("x", { forward($0).x }), ("y", { forward($0).y })])
        try compare("prior", [("y", { _ in 1 }), ("prior_noise", { _ in sde.priorStd(at: sde.endTime) })])
    }
}
