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

    // MARK: Averages

    func checkPowerFunctions(_ report: inout ConformanceReport) throws {
        let relative = try tolerance("scalar_rel")
        func compare(_ name: String, _ value: Double, _ expected: Double?) throws {
            guard let expected else { throw ConformanceError(id: id, reason: "an entry of '\(name)' states no value") }
            report.add(
                name, error: abs(value - expected) / max(abs(expected), 1e-300), tolerance: expected == 0 ? 0 : relative
            )
        }
        func number(_ entry: JSON, _ key: String, std: Bool = false) throws -> Double {
            guard let value = entry[key]?.number, !std || value > 0 && value < 0.288 else {
                throw ConformanceError(id: id, reason: "not understood: '\(key)' of an average")
            }
            return value
        }
        for entry in json["exponent"]?.elements ?? [] {
            let profile = PowerFunction(std: try number(entry, "std", std: true))
            try compare("exponent", profile.exponent, entry["exponent"]?.number)
            try compare("std", PowerFunction.std(exponent: profile.exponent), entry["std_back"]?.number)
        }
        for entry in json["beta"]?.elements ?? [] {
            let profile = PowerFunction(std: try number(entry, "std", std: true))
            try compare(
                "beta", profile.decay(at: try number(entry, "t_next"), delta: try number(entry, "t_delta")),
                entry["beta"]?.number)
        }
        for entry in json["response"]?.elements ?? [] {
            let profile = PowerFunction(std: try number(entry, "std", std: true))
            let values = entry["values"]?.numbers ?? []
            let response = profile.response(
                offset: try number(entry, "offset"), count: entry["length"]?.int ?? values.count)
            guard response.count == values.count else {
                throw ConformanceError(id: id, reason: "a response has \(values.count) values")
            }
            for (value, expected) in zip(response, values) { try compare("response", value, expected) }
        }
        for entry in json["correlation"]?.elements ?? [] {
            let a = PowerFunction(std: try number(entry, "a_std", std: true))
            let value = a.correlation(
                at: try number(entry, "a_ofs"), with: PowerFunction(std: try number(entry, "b_std", std: true)),
                at: try number(entry, "b_ofs"))
            try compare("correlation", value, entry["value"]?.number)
        }
        try checkReconstruction(&report)
        try checkAverageUpdates(&report)
    }

    private func checkReconstruction(_ report: inout ConformanceReport) throws {
        guard let p = json["posthoc"] else { return }
        func profiles(_ prefix: String) -> [AverageProfile] {
            zip(p["\(prefix)_ofs"]?.numbers ?? [], p["\(prefix)_std"]?.numbers ?? []).filter { $1 > 0 && $1 < 0.288 }
                .map { AverageProfile(offset: $0, std: $1) }
        }
        let (kept, wanted) = (profiles("in"), profiles("out"))
        let expected = p["coefficients"]?.elements.map(\.numbers) ?? []
        guard !kept.isEmpty, !wanted.isEmpty, expected.count == kept.count,
            expected.allSatisfy({ $0.count == wanted.count })
        else {
            throw ConformanceError(id: id, reason: "not understood: 'posthoc'")
        }
        for (column, profile) in wanted.enumerated() {
            let found = AverageProfile.coefficients(of: kept, for: profile) ?? []
            let error =
                found.count == kept.count
                ? found.indices.reduce(0.0) { max($0, abs(found[$1] - expected[$1][column])) } : .infinity
            report.add("reconstruction \(column)", error: error, tolerance: try tolerance("posthoc_abs"))
        }
    }

    private func checkAverageUpdates(_ report: inout ConformanceReport) throws {
        guard let update = json["update"] else { return }
        let weights = try array("weights_sequence")
        let (steps, each) = (weights.shape[0], weights.shape.dropFirst().reduce(1, *))
        let batch = update["batch_size"]?.number ?? 1
        func sequence(_ decay: (Double) -> Double) -> [[Float]] {
            // An average begins as a copy of the first weights.
            var average = (0..<each).map { Double(weights.values[$0]) }
            return (0..<steps).map { step in
                let beta = decay(Double(step + 1) * batch)
                for i in 0..<each {
                    average[i] = beta * average[i] + (1 - beta) * Double(weights.values[step * each + i])
                }
                return average.map { Float($0) }
            }
        }
        let stds = update["stds"]?.numbers ?? []
        guard stds.allSatisfy({ $0 > 0 && $0 < 0.288 }) else {
            throw ConformanceError(id: id, reason: "not understood: 'update.stds'")
        }
        let profiles = stds.map { PowerFunction(std: $0) }
        let all = profiles.map { profile in sequence { profile.decay(at: $0, delta: batch) } }
        let joined = (0..<steps).flatMap { step in all.flatMap { $0[step] } }
        report.compare("averages", joined, try array("averages").values, relmax: try tolerance("averages_relmax"))
        guard let traditional = update["traditional"] else { return }
        let average = HalfLife(
            examples: traditional["halflife_Mimg"]?.number.map { $0 * 1e6 },
            ramp: traditional["rampup_ratio"]?.number ?? .infinity)
        let values = sequence { average.decay(at: $0, delta: batch) }.flatMap(\.self)
        report.compare(
            "traditional_averages", values, try array("traditional_averages").values,
            relmax: try tolerance("averages_relmax"))
    }

    // MARK: Files

    /// Files of weights: what a state dictionary, a training state or a snapshot holds, and what the network makes of
    /// it.
    func checkEDM2Checkpoint(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        guard let path = path("checkpoint") else { throw ConformanceError(id: id, reason: "names no checkpoint") }
        let checkpoint = try LightningCheckpoint(path: path)
        let limit = try tolerance("weights_abs")
        func compare(_ key: String, _ arrays: [NamedArray]) throws {
            guard let file = self.path(key) else { return }
            let expected = try SafetensorsFile(path: file)
            let byName = Dictionary(arrays.compactMap { array in array.name.map { ($0, array) } }) { first, _ in first }
            report.require(
                "\(key), names", Set(byName.keys) == Set(expected.names), "the file and the case have different names")
            var worst = 0.0
            for name in expected.names {
                let (a, b) = (byName[name]?.values ?? [], try expected.array(name).values)
                worst =
                    a.count == b.count
                    ? zip(a, b).reduce(worst) { max($0, abs(Double($1.0) - Double($1.1))) } : .infinity
            }
            report.add(key, error: worst, tolerance: limit)
        }
        let stored = try checkpoint.weights(.stored).arrays
        try compare("weights", stored)
        for (index, arrays) in try checkpoint.allAverages().enumerated() { try compare("weights_ema_\(index)", arrays) }
        if let file = self.path("adam_state") {
            try compareAdam(checkpoint, SafetensorsFile(path: file), limit, &report)
        }
        try compareLayout(checkpoint, catalog, &report)
        guard has("output") else { return }
        let network = try edm2Network(catalog)
        try network.load(stored)
        let output = try Gradients.off { network(try channelsLast("x"), try channelsLast("y"), try array("t").values) }
        report.compare(
            "output", output.values, try channelsLast("output").values, relmax: try tolerance("output_relmax"))
    }

    /// Whether the file's tensors alone describe the network of the case's hyper-parameters.
    private func compareLayout(_ checkpoint: LightningCheckpoint, _ catalog: Catalog, _ report: inout ConformanceReport)
        throws
    {
        guard let layout = try EDM2Layout(checkpoint), let entry = catalog.backbones["edm2"] else {
            return report.require("layout", false, "the file's tensors are not those of the network")
        }
        var settings = entry.descriptor.defaults()
        for (name, value) in layout.backbone { settings[name] = value }
        let (found, stated) = (try entry.build(settings), try edm2Network(catalog))
        let shapes = { (network: any Backbone) in
            (network.parameters + network.buffers).map { "\($0.name) \($0.shape)" }
        }
        report.require(
            "layout", shapes(found) == shapes(stated), "the network that the tensors describe is another one")
    }

    private func compareAdam(
        _ checkpoint: LightningCheckpoint, _ expected: SafetensorsFile, _ limit: Double,
        _ report: inout ConformanceReport
    ) throws {
        let names = json["parameter_order"]?.elements.compactMap(\.text) ?? []
        guard let adam = try checkpoint.adam(parameters: names) else {
            throw ConformanceError(id: id, reason: "the file has no state of Adam")
        }
        var (worst, compared) = (0.0, 0)
        for name in expected.names {
            let isSecond = name.hasSuffix(".exp_avg_sq")
            let moments = adam.moments[String(name.dropLast(isSecond ? ".exp_avg_sq".count : ".exp_avg".count))]
            let (values, stored) = (
                isSecond ? moments?.second.values : moments?.first.values, try expected.array(name).values
            )
            compared += values == nil ? 0 : 1
            worst =
                values?.count == stored.count
                ? zip(values ?? [], stored).reduce(worst) { max($0, abs(Double($1.0) - Double($1.1))) } : .infinity
        }
        report.require(
            "adam, names", compared == expected.names.count, "\(expected.names.count - compared) moments are missing")
        report.add("adam_state", error: worst, tolerance: limit)
    }
}
