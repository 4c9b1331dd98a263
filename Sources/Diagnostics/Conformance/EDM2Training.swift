import Audio
import Backbones
import Checkpoints
import Diffusion
import Foundation
import Kernels
import Layers
import Models
import Objectives
import Tensors
import Training
import WeightFiles

/// The bridge as EDM2SE has it: ε at both ends, and the deviation of each real number.
private struct OffsetBridge: SDE {
    let options: EDM2Options
    var endTime: Double { options.endTime }

    func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double) {
        let m = options.marginal(at: t)
        return (m.clean, m.noisy, m.std)
    }
    // Neither losses nor samplers of a bridge ask for these.
    func drift(at t: Double) -> (x: Double, y: Double) { (0, 0) }
    func diffusion(at t: Double) -> Double { 0 }
}

extension ConformanceCase {
    private func edm2Model(_ catalog: Catalog) throws -> (model: ScoreModel, network: EDM2) {
        let network = try edm2Network(catalog)
        return (
            ScoreModel(
                backbone: network, sde: OffsetBridge(options: network.options), preconditioning: nil, output: .clean),
            network
        )
    }

    func checkLearningRates(_ report: inout ConformanceReport) throws {
        for (index, entry) in (json["learning_rate"]?.elements ?? []).enumerated() {
            guard let seen = entry["cur_nwav"]?.number, let batch = entry["batch_size"]?.int,
                let rate = entry["ref_lr"]?.number,
                let expected = entry["lr"]?.number
            else { throw ConformanceError(id: id, reason: "entry \(index) of 'learning_rate' is not understood") }
            var rule = OptimizerRule(rate: rate, averages: .exponential(0), batch: batch)
            rule.referenceSteps = entry["ref_batches"]?.number
            rule.rampUp = entry["rampup_mwav"]?.number.map { $0 * 1e6 }
            report.add(
                "learning rate \(index)", error: abs(rule.rate(seen: seen) - expected) / max(expected, 1e-300),
                tolerance: expected == 0 ? 0 : try tolerance("lr_rel"))
        }
    }

    func checkEDM2Loss(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let (model, network) = try edm2Model(catalog)
        try network.load(self)
        let h = hyperparameters
        let t = try array("t").values.map(Double.init)
        let (x, y, z) = (try channelsLast("x"), try channelsLast("y"), try channelsLast("z"))
        let marginals = t.map { model.sde.marginal(at: $0) }
        let mean = x.scaledSamples(by: marginals.map(\.clean)) + y.scaledSamples(by: marginals.map(\.noisy))
        let state = mean + z.scaledSamples(by: marginals.map(\.std))
        let mode = ForwardMode.training(t.indices.map { RandomStream(seed: 0, purpose: "dropout", $0) })
        let output = model(state, y, t, mode)
        var input = LossInput(output: output, state: state, noise: z, mean: mean, clean: x, sigma: marginals.map(\.std))
        input.weights = t.map { network.lossWeight(at: $0) }
        let u = network.uncertainty(at: t, mode)
        input.uncertainty = u
        var loss = UncertaintyLoss(
            frontEnd: try latentFrontEnd(h["encoder"] ?? .null), l1Weight: h["l1_weight"]?.number ?? 0.001)
        loss.epsilon = h["eps"]?.number ?? loss.epsilon
        if let expected = json["scalars"]?["total_if_weighted_per_sample"]?.number {
            report.add(
                "total per sample", error: abs(Double(loss(input).total.item) - expected) / abs(expected),
                tolerance: try tolerance("total_rel"))
        }
        loss.meetsAcrossBatch = true
        let total = loss(input).total
        let expected = try scalar("total")
        report.add(
            "total", error: abs(Double(total.item) - expected) / abs(expected), tolerance: try tolerance("total_rel"))
        try compareParts(
            loss.distances(input), u.values.map(Double.init), input.weights, marginals.map(\.std), loss.epsilon, &report
        )
        try compareGradients(network.parameters.map { ($0.name, $0) }, total.gradients(), &report)
    }

    private func compareParts(
        _ parts: (spectral: Tensor, inTime: Tensor?, sum: Tensor), _ u: [Double], _ weights: [Double], _ std: [Double],
        _ epsilon: Double, _ report: inout ConformanceReport
    ) throws {
        let sums = parts.sum.values.map(Double.init)
        let matrix = zip(weights, u).flatMap { weight, u in sums.map { Float(weight / (exp(u) + epsilon) * $0 + u) } }
        let all: [(String, [Float])] = [
            ("loss_tf", parts.spectral.values), ("loss_time", parts.inTime?.values ?? []),
            ("unscaled_loss", parts.sum.values),
            ("loss", matrix), ("logvar", u.map { Float($0) }), ("std", std.map { Float($0) }),
        ]
        for (name, values) in all where has(name) {
            report.compare(name, values, try array(name).values, relmax: try tolerance("output_relmax"))
        }
        // For clean speech the reference has one weight for all samples.
        if has("weight") {
            let stored = try array("weight").values
            report.compare(
                "weight", stored.count == 1 ? [Float(weights[0])] : weights.map { Float($0) }, stored,
                relmax: try tolerance("output_relmax"))
        }
    }

    func checkEDM2Training(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let (model, network) = try edm2Model(catalog)
        try network.load(self)
        guard let o = json["optimizer"], let stds = json["ema"]?["stds"]?.numbers,
            stds.allSatisfy({ $0 > 0 && $0 < 0.288 }), !stds.isEmpty
        else { throw ConformanceError(id: id, reason: "not understood: 'optimizer' and 'ema' of a training") }
        let times = try array("t")
        let batch = times.shape[1]
        guard (json["ema"]?["t_delta"]?.int ?? batch) == batch, (o["batch_size"]?.int ?? batch) == batch else {
            throw ConformanceError(
                id: id, reason: "not understood: 'batch_size' and 't_delta' are not the \(batch) samples of a step")
        }
        var rule = OptimizerRule(
            rate: o["ref_lr"]?.number ?? 0, averages: .powerFunctions(stds.map { PowerFunction(std: $0) }), batch: batch
        )
        rule.referenceSteps = o["ref_batches"]?.number
        rule.rampUp = o["rampup_mwav"]?.number.map { $0 * 1e6 }
        rule.beta2 = o["betas"]?.numbers.last ?? rule.beta2
        var loss = UncertaintyLoss(
            frontEnd: try latentFrontEnd(o["encoder"] ?? .null), l1Weight: o["l1_weight"]?.number ?? 0.001)
        loss.epsilon = hyperparameters["eps"]?.number ?? loss.epsilon
        loss.meetsAcrossBatch = true
        let state = TrainingState(model: model, loss: loss, rule: rule)
        let parts = try ["x", "y", "z"].map { try latents($0) }
        let losses = json["scalars"]?["losses"]?.numbers ?? []
        guard losses.count == times.shape[0] else {
            throw ConformanceError(
                id: id, reason: "there are \(losses.count) losses for \(times.shape[0]) steps of 't'")
        }
        for step in losses.indices {
            if let expected = json["scalars"]?["learning_rates"]?.numbers, step < expected.count {
                report.add("rate of step \(step)", error: abs(state.nextRate - expected[step]), tolerance: 1e-12)
            }
            let input = TrainingBatchInput(
                clean: parts[0][step], noisy: parts[1][step],
                times: (0..<batch).map { Double(times.values[step * batch + $0]) },
                noise: parts[2][step], dropout: (0..<batch).map { RandomStream(seed: 0, purpose: "dropout", step, $0) })
            let result = try state.update([input])
            report.add(
                "loss of step \(step)", error: abs(result.loss - losses[step]) / abs(losses[step]),
                tolerance: try tolerance("loss_rel"))
        }
        try compareWeights("weights_final", network.parameters.map(\.tensor), "parameter_abs", network, &report)
        for (index, values) in ([state.averages] + state.furtherAverages.map(\.weights)).enumerated() {
            try compareWeights("weights_ema_\(index)", values, "ema_abs", network, &report)
        }
    }

    private func compareWeights(
        _ key: String, _ values: [Tensor], _ tolerance: String, _ network: EDM2, _ report: inout ConformanceReport
    ) throws {
        guard let path = path(key) else { throw ConformanceError(id: id, reason: "names no \(key)") }
        let file = try SafetensorsFile(path: path)
        var worst = ("none", 0.0)
        for (parameter, value) in zip(network.parameters, values) {
            let expected = try file.array(parameter.name).values
            guard expected.count == value.count else {
                throw ConformanceError(id: id, reason: "'\(parameter.name)' of \(key) has another size")
            }
            let error = zip(value.values, expected).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
            if !(error <= worst.1) { worst = (parameter.name, error) }
        }
        report.add("\(key) (worst \(worst.0))", error: worst.1, tolerance: try self.tolerance(tolerance))
    }

    /// The latents of a stored `[K, B, 2, F, T]`, each `[B, F, T, 2]`.
    func latents(_ name: String) throws -> [Tensor] {
        let all = try channelsLast(name)
        let shape = Array(all.shape.dropFirst())
        let (each, values) = (shape.reduce(1, *), all.values)
        return (0..<all.shape[0]).map { Tensor(Array(values[$0 * each..<($0 + 1) * each]), shape: shape) }
    }

    func checkEDM2Sampler(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let (model, network) = try edm2Model(catalog)
        try network.load(self)
        let sampler = try edm2Sampler()
        let order = json["noise_order"]?.elements.compactMap(\.int)
        let stored = has("noise") ? try latents("noise") : []
        let places = order ?? Array(stored.indices)
        guard places.allSatisfy(stored.indices.contains) else {
            throw ConformanceError(
                id: id, reason: "the array 'noise' has \(stored.count) draws, and 'noise_order' names others")
        }
        var noise = NoiseSource.given(places.map { stored[$0] })
        var asked: [Double] = []
        let sample = try Gradients.off {
            sampler.sample(given: try channelsLast("y"), noise: &noise) { x, y, t in
                asked.append(t)
                return model(x, y, [Double](repeating: t, count: x.shape[0]))
            }
        }
        if let shortage = noise.shortage {
            throw ConformanceError(id: id, reason: "the array 'noise' does not fit the sampler: \(shortage)")
        }
        for name in ["sample", "sample_float64"] where has(name) {
            report.compare(
                name, sample.x.values, try channelsLast(name).values, relmax: try tolerance(name + "_relmax"))
        }
        if let times = json["network_times"]?.numbers {
            report.compare("times", asked.map { Float($0) }, times.map { Float($0) }, relmax: 1e-6)
        }
        if let calls = json["scalars"]?["network_calls"]?.int {
            report.require("nfe", sample.nfe == calls, "counted \(sample.nfe), the reference calls \(calls) times")
        }
    }

    private func edm2Sampler() throws -> LastPredictionSampler {
        let s = json["sampler"] ?? .null
        let bridge = SBVE(
            k: s["k"]?.number ?? 2.6, c: s["c"]?.number ?? 0.4, epsilon: s["eps"]?.number ?? 1e-8,
            endTime: s["T"]?.number ?? 1)
        let process: BridgeSampler.Process = s["sampler"]?.text == "sde" ? .sde : .ode
        return LastPredictionSampler(bridge: bridge, process: process, steps: s["num_steps"]?.int ?? 50)
    }

    /// A folder of noisy files; ours go on to the end of the noisy file where the reference's are shorter.
    func checkEDM2Enhancement(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let (model, network) = try edm2Model(catalog)
        try network.load(self)
        let enhancer = Enhancer(
            model: model, sampler: try edm2Sampler(), frontEnd: try latentFrontEnd(json["encoder"] ?? .null),
            padding: .reflection)
        for file in json["files"]?.elements ?? [] {
            guard let noisy = file["noisy"]?.text, let name = file["enhanced"]?.text else {
                throw ConformanceError(id: id, reason: "an entry of 'files' names no noisy and enhanced file")
            }
            let audio = try SoundFile.read(folder + "/" + noisy).channels[0]
            var noise = NoiseSource.given([])
            let output = try enhancer.enhance(audio, noise: &noise).audio
            for stored in [name, name + "_float64"] where has(stored) {
                let expected = try array(stored).values
                report.compare(
                    stored, Array(output.prefix(expected.count)), expected, relmax: try tolerance("enhanced_relmax"))
            }
        }
    }
}
