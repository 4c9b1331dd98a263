import Audio
import Backbones
import Checkpoints
import Diffusion
import Foundation
import Layers
import Models
import Objectives
import SpecLanguage
import Specs
import Tensors
import Training
import WeightFiles

extension ConformanceChecker {
    /// Stochastic regeneration: its processes, networks, losses, training steps, samplers and files.
    static let storm = ConformanceChecker("storm") { one, catalog, report in
        if one.json["failures"] != nil { return try one.checkStormFailures(catalog, &report) }
        if one.json["variants"] != nil { return try one.checkStormVariants(&report) }
        if one.has("drift") { return try one.checkStormProcess(&report) }
        if one.json["enhance"] != nil { return try one.checkStormEnhancement(catalog, &report) }
        if one.json["checkpoint"] != nil { return try one.checkStormCheckpoint(catalog, &report) }
        if one.json["sampler"] != nil { return try one.checkStormSampler(catalog, &report) }
        if one.has("w1") { return try one.checkStormNetwork(catalog, &report) }
        try one.checkStormStep(catalog, &report)
    }
}

extension ConformanceCase {
    private static let sizes = [
        "ncsnpp": "ncsnpp_storm", "ncsnpplarge": "ncsnpp_storm_large", "ncsnpp12M": "ncsnpp_storm_12m",
        "ncsnpp6M": "ncsnpp_storm_6m",
    ]

    /// A network over `inputs` spectrograms, by the reference's name.
    private func stormNetwork(_ name: String, inputs: Int, _ catalog: Catalog) throws -> any Backbone {
        guard let own = Self.sizes[name], let entry = catalog.backbones[own] else {
            throw ConformanceError(id: id, reason: "unknown backbone '\(name)'")
        }
        // In the reference, a resolution of 0 means none.
        var members = hyperparameters.members
        if let listed = members["attn_resolutions"] {
            members["attn_resolutions"] = .list(listed.elements.filter { $0.number != 0 })
        }
        let settings: Settings
        do { settings = try entry.descriptor.settings(from: .object(members)) } catch {
            throw ConformanceError(id: id, reason: "not understood: \(error.summary)")
        }
        var context = BackboneContext()
        context.inputs = inputs
        let network = try entry.build(settings).make(context)
        for name in ["x_re", "y_re"] where json["tensors"]?[name] != nil {
            let shape = try array(name).shape
            if shape.count == 4 { try network.check(bins: shape[2], frames: shape[3]) }
        }
        if json["enhance"] != nil {
            try network.check(bins: (hyperparameters["n_fft"]?.int ?? 510) / 2 + 1, frames: 64)
        }
        return network
    }

    var stormProcess: any SDE {
        let h = hyperparameters
        func number(_ name: String, _ usual: Double) -> Double { h[name]?.number ?? usual }
        if h["sde"]?.text == "ouvp" {
            let stiffness = number("stiffness", 1)
            return VarianceForDeviation(
                base: VP(
                    betaMin: stiffness * number("beta_min", 0.1), betaMax: stiffness * number("beta_max", 2),
                    scale: 1 / stiffness.squareRoot()))
        }
        return OUVE(
            theta: number("theta", 1.5), sigmaMin: number("sigma_min", 0.05), sigmaMax: number("sigma_max", 0.5))
    }

    /// The model of the hyper-parameters: two networks, or one by itself.
    func stormModel(_ catalog: Catalog) throws -> ScoreModel {
        let h = hyperparameters
        let isAlone = h["discriminative"]?.bool ?? false
        let name = h["backbone"]?.text
        let condition = Regression.Condition(rawValue: h["condition"]?.text ?? "both") ?? .both
        let isFrozen = h["mode"]?.text == "regen-freeze-denoiser"
        if let name, !isAlone {
            return ScoreModel(
                backbone: try stormNetwork(name, inputs: 2, catalog), sde: stormProcess, preconditioning: nil,
                output: .score)
        }
        let first = try stormNetwork(h["backbone_denoiser"]?.text ?? name ?? "ncsnpp", inputs: 1, catalog)
        let second =
            isAlone
            ? first
            : try stormNetwork(h["backbone_score"]?.text ?? "ncsnpp", inputs: condition == .both ? 3 : 2, catalog)
        var model = ScoreModel(backbone: second, sde: stormProcess, preconditioning: nil, output: .score)
        model.regression = Regression(
            backbone: first, condition: condition, training: isAlone ? .alone : isFrozen ? .frozen : .joint,
            norm: .init(rawValue: (isAlone ? h["loss_type"] : h["loss_type_denoiser"])?.text ?? "mse") ?? .mse,
            weight: h["weighting_denoiser_to_score"]?.number ?? 0.5)
        return model
    }

    var isDenoiserAlone: Bool { hyperparameters["discriminative"]?.bool ?? false }

    /// Loads weights; those of a denoiser by itself are called `dnn.…`.
    func loadStorm(_ model: ScoreModel, _ arrays: [NamedArray]) throws {
        guard isDenoiserAlone else { return try model.loadModel(arrays) }
        try model.regression?.backbone.load(
            arrays.map { array in
                var array = array
                array.name = array.name.map { $0.hasPrefix("dnn.") ? String($0.dropFirst(4)) : $0 }
                return array
            })
    }

    func stormNames(of model: ScoreModel) -> [(name: String, parameter: Parameter)] {
        if isDenoiserAlone { return (model.regression?.backbone.parameters ?? []).map { ("dnn." + $0.name, $0) } }
        return zip(model.weights, model.referenceNames).map { ($1, $0.parameter) }
    }

    // MARK: Networks and processes

    func checkStormNetwork(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let channels = hyperparameters["input_channels"]?.int ?? 4
        let isRegression = isDenoiserAlone
        guard channels.isMultiple(of: 2) else {
            throw ConformanceError(id: id, reason: "not understood: \(channels) input channels are no complex ones")
        }
        let network = try stormNetwork(
            hyperparameters["backbone"]?.text ?? "ncsnpp", inputs: isRegression ? 1 : channels / 2, catalog)
        try network.load(self)
        let inputs = try ["x", "y", "y_denoised"].filter { has($0) }.map { ($0, try spectrogram($0).tracked()) }
        guard inputs.count == (isRegression ? 1 : channels / 2), let state = inputs.first?.1 else {
            throw ConformanceError(
                id: id, reason: "there are \(inputs.count) spectrograms for \(channels) input channels")
        }
        try network.check(bins: state.shape[1], frames: state.shape[2])
        let t = has("t") ? try array("t").values : [Float](repeating: 1, count: state.shape[0])
        let rest = inputs.dropFirst().map(\.1)
        let output = network(state, rest.isEmpty ? state : rest.count == 1 ? rest[0] : .concatenated(Array(rest)), t)
        report.compare(
            "output", output.values, try spectrogram("output").values, relmax: try tolerance("output_relmax"))
        let loss = output.dot(try pair("w1", "w2"))
        report.add("loss", error: abs(Double(loss.item) - (try scalar("loss"))), tolerance: try tolerance("loss_abs"))
        let gradients = loss.gradients()
        for (name, input) in inputs {
            report.compare(
                "grad_" + name, gradients[input]?.values ?? [], try spectrogram("grad_" + name).values,
                relmax: try tolerance("input_grad_relmax"))
        }
        try compareGradients(network.parameters.map { ($0.name, $0) }, gradients, &report)
    }

    /// The process with the reference's steps of 1/N.
    func checkStormProcess(_ report: inout ConformanceReport) throws {
        let (sde, t, limit) = (stormProcess, try array("t").values.map(Double.init), try tolerance("relmax"))
        let step = 1 / (hyperparameters["N"]?.number ?? 30)
        func std(_ t: Double) -> Double { sde.marginal(at: t).std }
        func numbers(_ name: String, _ value: (Double) -> Double) throws {
            if has(name) { report.compare(name, t.map { Float(value($0)) }, try array(name).values, relmax: limit) }
        }
        func sums(_ name: String, _ parts: [(String, (Double) -> Double)]) throws {
            guard has(name) else { return }
            let expected = try spectrogram(name)
            let sum = try parts.reduce(Tensor.zeros(expected.shape)) { sum, part in
                sum + (try spectrogram(part.0)).scaledSamples(by: t.map(part.1))
            }
            report.compare(name, sum.values, expected.values, relmax: limit)
        }
        try numbers("std", std)
        try numbers("diffusion") { sde.diffusion(at: $0) }
        for name in ["discretize_G", "reverse_discretize_G"] {
            try numbers(name) { sde.diffusion(at: $0) * step.squareRoot() }
        }
        try sums("mean", [("x0", { sde.marginal(at: $0).clean }), ("y", { sde.marginal(at: $0).noisy })])
        try sums("drift", [("x", { sde.drift(at: $0).x }), ("y", { sde.drift(at: $0).y })])
        let forward: [(String, (Double) -> Double)] = [
            ("x", { sde.drift(at: $0).x * step }), ("y", { sde.drift(at: $0).y * step }),
        ]
        try sums("discretize_f", forward)
        try sums(
            "reverse_discretize_f", forward + [("score", { -step * sde.diffusion(at: $0) * sde.diffusion(at: $0) })])
        try sums("prior", [("y", { _ in 1 }), ("prior_noise", { _ in std(1) })])
    }

    // MARK: Losses and steps

    /// The joined loss of given errors; the reference's sums over the batch are our means times its size.
    func checkStormVariants(_ report: inout ConformanceReport) throws {
        let clean = try spectrogram("x")
        let batch = Double(clean.shape[0])
        let variants = json["variants"]?.elements ?? []
        guard !variants.isEmpty else { throw ConformanceError(id: id, reason: "lists no variants") }
        for (index, variant) in variants.enumerated() {
            guard let norm = Regression.Norm(rawValue: variant["loss_type_denoiser"]?.text ?? ""),
                let scoreNorm = ScoreMatchingLoss.Norm(rawValue: variant["loss_type_score"]?.text ?? ""),
                let weight = variant["weighting_denoiser_to_score"]?.number, (0...1).contains(weight)
            else { throw ConformanceError(id: id, reason: "not understood: variant \(index)") }
            let (error, estimate) = (try spectrogram("err").tracked(), try spectrogram("y_denoised").tracked())
            let zeros = Tensor.zeros(error.shape)
            let input = LossInput(
                output: error, state: zeros, noise: zeros, mean: zeros, clean: clean,
                sigma: [Double](repeating: 1, count: clean.shape[0]))
            let score = ScoreMatchingLoss(norm: scoreNorm)(input)
            let regression = Regression(backbone: NoNetwork(), norm: norm, weight: weight)
            let total = regression.joined(score, estimate, clean).total.scaled(by: batch)
            let own = regression.loss(estimate, clean).map { Double($0.item) * batch }
            let values: [(String, Double?, String)] = [
                ("loss", Double(total.item), "loss_rel"), ("loss_score", Double(score.total.item) * batch, "loss_rel"),
                ("loss_denoiser", own, "loss_rel"),
            ]
            for (name, value, limit) in values {
                try compareRelative("variant \(index) \(name)", value ?? 0, variant[name]?.number ?? 0, limit, &report)
            }
            let gradients = total.gradients()
            for (name, tensor) in [("grad_err_abs_sum", error), ("grad_denoised_abs_sum", estimate)] {
                let sum = gradients[tensor].map { Double($0.complexModuli().item) } ?? 0
                try compareRelative("variant \(index) \(name)", sum, variant[name]?.number ?? .nan, "sum_rel", &report)
            }
        }
    }

    func compareRelative(
        _ name: String, _ value: Double, _ expected: Double, _ limit: String, _ report: inout ConformanceReport
    ) throws {
        let error = value == expected ? 0 : abs(value - expected) / abs(expected)
        report.add(name, error: error.isNaN ? .infinity : error, tolerance: try tolerance(limit))
    }
}

/// A network that is never called, for cases that compare a loss alone.
private struct NoNetwork: Backbone {
    var parameters: [Parameter] { [] }
    var divisor: (bins: Int, frames: Int) { (1, 1) }
    func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor { x }
}

/// The preserving process of the reference, `ouvp`, which takes the variance for the deviation and steps by Euler's
/// method.
private struct VarianceForDeviation: SDE {
    let base: VP
    var endTime: Double { base.endTime }

    func drift(at t: Double) -> (x: Double, y: Double) { base.drift(at: t) }
    func diffusion(at t: Double) -> Double { base.diffusion(at: t) }
    func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let m = base.marginal(at: t)
        return (m.clean, m.noisy, m.std * m.std)
    }
}
