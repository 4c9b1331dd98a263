import Backbones
import Checkpoints
import Foundation
import Models
import Objectives
import Tensors
import Training
import WeightFiles

extension ConformanceChecker {
    /// Losses of given outputs with their gradients, and whole training steps.
    static let loss = ConformanceChecker("loss") { one, catalog, report in
        if one.json["variants"] != nil {
            try lossVariants(one, catalog, &report)
        } else if one.has("forward_out"), one.path("weights") == nil {
            try lossOfOutput(one, catalog, &report)
        } else {
            try trainingStep(one, catalog, &report)
        }
    }

    private static func lossOfOutput(
        _ one: ConformanceCase, _ catalog: Catalog, _ report: inout ConformanceReport
    ) throws {
        let output = try one.spectrogram("forward_out").tracked()
        let clean = try one.spectrogram("x")
        let batch = clean.shape[0]
        func optional(_ name: String) throws -> Tensor {
            one.has(name) ? try one.spectrogram(name) : .zeros(clean.shape)
        }
        let sigma =
            one.has("std")
            ? try one.array("std").values.map(Double.init) : [Double](repeating: 1, count: batch)
        let input = LossInput(
            output: output, state: try optional("x_t"), noise: try optional("z"), mean: try optional("mean"),
            clean: clean,
            sigma: sigma)
        var weight: Double?
        if let length = one.json["scalars"]?["target_len"]?.number, batch == 1 {
            // With one item the reference divides the term in time by the length twice.
            weight = (one.hyperparameters["l1_weight"]?.number ?? 0.001) / length
        }
        let loss = try one.loss(catalog, l1Weight: weight)
        let value = loss(input)
        var gradient = value.total.gradients()[output] ?? .zeros(output.shape)
        let expected = try one.scalar("loss")
        if let perSample = one.json["scalars"]?["loss_if_weighted_per_sample"]?.number,
            let denoiser = loss as? DenoiserLoss
        {
            // The reference's EDM weight meets every sample with every weight; ours is compared with the intended
            // value, and its gradient after exchanging each weight for what the reference makes of it.
            report.add(
                "loss", error: abs(Double(value.total.item) - perSample) / abs(perSample),
                tolerance: try one.tolerance("loss_rel"))
            let weights = sigma.map(denoiser.weight)
            let mean = weights.reduce(0, +) / Double(batch)
            gradient = gradient.scaledSamples(by: weights.map { mean * Double(batch) / $0 })
        } else {
            report.add(
                "loss", error: abs(Double(value.total.item) - expected) / abs(expected),
                tolerance: try one.tolerance("loss_rel"))
        }
        report.compare(
            "gradient", gradient.values, try one.spectrogram("grad_forward_out").values,
            relmax: try one.tolerance("grad_relmax"))
    }

    private static func lossVariants(
        _ one: ConformanceCase, _ catalog: Catalog, _ report: inout ConformanceReport
    ) throws {
        let clean = try one.spectrogram("x")
        for (index, variant) in (one.json["variants"]?.elements ?? []).enumerated() {
            let output = try one.spectrogram("forward_out").tracked()
            let loss = try one.loss(
                catalog, l1Weight: variant["l1_weight"]?.number, pesqWeight: variant["pesq_weight"]?.number)
            let value = loss(
                LossInput(
                    output: output, state: clean, noise: clean, mean: clean, clean: clean,
                    sigma: [Double](repeating: 1, count: clean.shape[0])))
            let candidates = ["loss", "loss_float64"].compactMap { variant[$0]?.number }
            let error = candidates.map { abs(Double(value.total.item) - $0) / abs($0) }.min() ?? .infinity
            report.add("variant \(index) loss", error: error, tolerance: variant["loss_rel_tolerance"]?.number ?? 0)
            guard let name = variant["gradient"]?.text else { continue }
            report.compare(
                "variant \(index) gradient", value.total.gradients()[output]?.values ?? [],
                try one.spectrogram(name).values,
                relmax: variant["grad_relmax_tolerance"]?.number ?? 0)
        }
    }

    private static func trainingStep(
        _ one: ConformanceCase, _ catalog: Catalog, _ report: inout ConformanceReport
    ) throws {
        let model = try one.model(catalog, try one.backbone(catalog))
        try model.loadModel(one)
        let state = TrainingState(model: model, loss: try one.loss(catalog), rate: 0, averageDecay: 0)
        let batch = TrainingBatchInput(
            clean: try one.spectrogram("x"), noisy: try one.spectrogram("y"),
            times: try one.array("t").values.map(Double.init), noise: try one.spectrogram("z"),
            reference: one.has("r") ? try one.spectrogram("r") : nil)
        let value = state.evaluate(batch)
        let expected = try one.scalar("loss")
        report.add(
            "loss", error: abs(Double(value.total.item) - expected) / abs(expected),
            tolerance: try one.tolerance("loss_rel"))
        try one.compareGradients(
            zip(model.weights, model.referenceNames).map { ($1, $0.parameter) }, value.total.gradients(), &report)
    }

    /// Several optimizer steps: losses, and the weights and averages they end with.
    static let training = ConformanceChecker("training") { one, catalog, report in
        let model = try one.model(catalog, try one.backbone(catalog))
        try model.loadModel(one)
        let h = one.hyperparameters
        let state = TrainingState(
            model: model, loss: try one.loss(catalog), rate: h["lr"]?.number ?? 1e-4,
            averageDecay: h["ema_decay"]?.number ?? 0.999)
        let times = try one.array("t")
        let batch = times.shape[1]
        let (x, y, z) = (try one.stack("x", batch), try one.stack("y", batch), try one.stack("z", batch))
        let references = one.has("r") ? try one.stack("r", batch) : []
        let losses = one.json["scalars"]?["losses"]?.numbers ?? []
        guard losses.count == times.shape[0] else {
            throw ConformanceError(
                id: one.id, reason: "there are \(losses.count) losses for \(times.shape[0]) steps of 't'")
        }
        guard one.path("weights_final") != nil || one.path("weights_ema") != nil else {
            throw ConformanceError(id: one.id, reason: "names no weights to end with")
        }
        for step in 0..<times.shape[0] {
            let result = try state.update([
                TrainingBatchInput(
                    clean: x[step % x.count], noisy: y[step % y.count],
                    times: (0..<batch).map { Double(times.values[step * batch + $0]) }, noise: z[step % z.count],
                    reference: references.isEmpty ? nil : references[step % references.count])
            ])
            report.add(
                "loss of step \(step)", error: abs(result.loss - losses[step]) / abs(losses[step]),
                tolerance: try one.tolerance("loss_rel"))
        }
        let ill = Set(one.json["ill_conditioned_parameters"]?.elements.compactMap(\.text) ?? [])
        let bound = 2 * (h["lr"]?.number ?? 0) * Double(times.shape[0])
        for (key, tolerance, values) in [
            ("weights_final", "parameter_abs", model.weights.map(\.parameter.tensor)),
            ("weights_ema", "ema_abs", state.averages),
        ] {
            guard let path = one.path(key) else { continue }
            let file = try SafetensorsFile(path: path)
            let limit = try one.tolerance(tolerance)
            var (worst, share) = ("none", 0.0)
            for (weight, value) in zip(zip(model.weights, model.referenceNames), values) {
                let (own, full) = (weight.0.name, weight.1)
                let name = file.names.contains(full) ? full : own
                let expected = try file.array(name).values
                guard expected.count == value.count else {
                    throw ConformanceError(
                        id: one.id, reason: "'\(name)' of \(key) has \(expected.count) values, not \(value.count)")
                }
                let error = zip(value.values, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
                // Where the gradient is rounding, Adam's steps are arbitrary, and only their size is bounded.
                let allowed = ill.contains(name) || ill.contains(own) ? bound : limit
                if error / allowed > share { (worst, share) = (own, error / allowed) }
            }
            report.add("\(key) (worst \(worst), share of the tolerance)", error: share, tolerance: 1)
        }
    }
}

extension ConformanceCase {
    /// The spectrograms of a stored `[K, B, 1, F, N]`, each `[B, F, N, 2]`.
    fileprivate func stack(_ name: String, _ batch: Int) throws -> [Tensor] {
        let whole = try spectrogram(name)
        let flat = Array(whole.shape.suffix(3))
        let count = whole.shape[0]
        let each = whole.count / count
        let values = whole.values
        return (0..<count).map { Tensor(Array(values[$0 * each..<($0 + 1) * each]), shape: [batch] + flat) }
    }
}
