import Audio
import Backbones
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

extension ConformanceCase {
    func checkStormStep(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let model = try stormModel(catalog)
        guard let path = path("weights") else { throw ConformanceError(id: id, reason: "names no weights") }
        try loadStorm(model, try SafetensorsFile(path: path).arrays())
        let (x, y) = (try spectrogram("x"), try spectrogram("y"))
        let t = has("t") ? try array("t").values.map(Double.init) : [Double](repeating: 1, count: x.shape[0])
        let z = has("z") ? try spectrogram("z") : .zeros(x.shape)
        let norm =
            (hyperparameters["backbone"] == nil ? hyperparameters["loss_type_score"] : hyperparameters["loss_type"])?
            .text ?? "mse"
        let state = TrainingState(
            model: model, loss: ScoreMatchingLoss(norm: .init(rawValue: norm) ?? .mse), rate: 0, averageDecay: 0)
        let value = state.evaluate(TrainingBatchInput(clean: x, noisy: y, times: t, noise: z))
        // The regeneration model's losses are sums over the batch, those of single models means.
        let isJoined =
            hyperparameters["mode"]?.text?.hasPrefix("regen") ?? false && !isDenoiserAlone
            && hyperparameters["backbone"] == nil
        let batch = isJoined ? Double(x.shape[0]) : 1
        let total = value.total.scaled(by: batch)
        try compareRelative("loss", Double(total.item), try scalar("loss"), "loss_rel", &report)
        for (name, term) in [("loss_denoiser", "regression"), ("loss_score", "diffusion")] {
            guard let expected = json["scalars"]?[name]?.number, let own = value.terms[term] else { continue }
            try compareRelative(name, own * batch, expected, "loss_rel", &report)
        }
        try Gradients.off { try compareOutputs(model, x, y, t, z, &report) }
        try compareGradients(stormNames(of: model), total.gradients(), &report)
    }

    /// What the networks of a step give: the estimate, the state, and the score.
    private func compareOutputs(
        _ model: ScoreModel, _ x: Tensor, _ y: Tensor, _ t: [Double], _ z: Tensor, _ report: inout ConformanceReport
    ) throws {
        let estimate = model.regression.map { $0(y) }
        func compare(_ name: String, _ value: Tensor) throws {
            if has(name) {
                report.compare(name, value.values, try spectrogram(name).values, relmax: try tolerance("output_relmax"))
            }
        }
        if let estimate {
            try compare("y_denoised", estimate)
            if isDenoiserAlone { return try compare("output", estimate) }
        }
        let end = estimate ?? y
        let m = t.map { model.sde.marginal(at: $0) }
        let state =
            x.scaledSamples(by: m.map(\.clean)) + end.scaledSamples(by: m.map(\.noisy))
            + z.scaledSamples(by: m.map(\.std))
        try compare("x_t", state)
        let score = model(state, model.condition(y, estimate), t)
        try compare(estimate == nil ? "output" : "score", score)
    }

    // MARK: Samplers and files

    private func stormSampler(_ s: JSON, _ sde: any SDE) -> any Sampler {
        let (steps, end) = (
            s["N"]?.int ?? 30, s["eps"]?.number ?? s["t_eps"]?.number ?? hyperparameters["t_eps"]?.number ?? 0.03
        )
        if s["type"]?.text ?? s["sampler_type"]?.text == "ode" {
            return ProbabilityFlow(
                sde: sde, solver: .rk45(relativeTolerance: 1e-5, absoluteTolerance: 1e-5), finalTime: end)
        }
        let predictor: any Predictor =
            switch s["predictor"]?.text {
            case "euler_maruyama": EulerMaruyama(stepsByShare: true)
            case "none": NoPredictor()
            default: ReverseDiffusion(stepsByShare: true)
            }
        let snr = s["snr"]?.number ?? 0.5
        let corrector: any Corrector =
            switch s["corrector"]?.text {
            case "langevin": Langevin(snr: snr, sharesStepAcrossBatch: true)
            case "none": NoCorrector()
            default: AnnealedLangevin(snr: snr)
            }
        return PredictorCorrector(
            sde: sde, predictor: predictor, corrector: corrector, correctorSteps: s["corrector_steps"]?.int ?? 1,
            steps: steps, finalTime: end)
    }

    func checkStormSampler(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let model = try stormModel(catalog)
        guard let path = path("weights") else { throw ConformanceError(id: id, reason: "names no weights") }
        try loadStorm(model, try SafetensorsFile(path: path).arrays())
        let y = try spectrogram("y")
        var noise = NoiseSource.given(try noiseDraws())
        let sampler = stormSampler(json["sampler"] ?? .null, model.sde)
        let (estimate, sample) = Gradients.off {
            let estimate = model.regression.map { $0(y) }
            let seen = model.condition(y, estimate)
            let sample = sampler.sample(given: estimate ?? y, noise: &noise) { x, _, t in
                model(x, seen, [Double](repeating: t, count: x.shape[0]))
            }
            return (estimate, sample)
        }
        if let shortage = noise.shortage {
            throw ConformanceError(id: id, reason: "the array 'noise' does not fit the sampler: \(shortage)")
        }
        if let estimate, has("y_denoised") {
            report.compare(
                "y_denoised", estimate.values, try spectrogram("y_denoised").values,
                relmax: try tolerance("y_denoised_relmax"))
        }
        report.compare(
            "sample", sample.x.values, try spectrogram("sample").values, relmax: try tolerance("sample_relmax"))
        // The reference reports a nominal number; ours is counted.
        if let nfe = json["scalars"]?["nfe"]?.int {
            let s = json["sampler"] ?? .null
            let corrections = s["corrector"]?.text == "none" ? 0 : s["corrector_steps"]?.int ?? 1
            report.require(
                "nfe", sample.nfe == nfe || (s["N"]?.int ?? 30) * (1 + corrections) == nfe,
                "counted \(sample.nfe), the reference reports \(nfe)")
        }
    }

    func checkStormEnhancement(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let model = try stormModel(catalog)
        guard let path = path("checkpoint"), let noisy = json["audio"]?["noisy"]?.text, let settings = json["enhance"]
        else {
            throw ConformanceError(id: id, reason: "names no checkpoint and audio")
        }
        let weights = try LightningCheckpoint(path: path).weights(
            .averagedIfPresent, parameters: stormNames(of: model).map(\.name))
        try loadStorm(model, weights.arrays)
        let isEstimate = settings["denoiser_only"]?.bool ?? false || isDenoiserAlone
        let enhancer = Enhancer(
            model: model, sampler: isEstimate ? RegressionEstimate() : stormSampler(settings, model.sde),
            frontEnd: frontEnd,
            padding: FramePadding(rawValue: settings["pad_mode"]?.text ?? "zero_pad") ?? .zero)
        var noise = NoiseSource.given(try noiseDraws())
        let output = try enhancer.enhance(try SoundFile.readMono(folder + "/" + noisy), noise: &noise)
        if let shortage = noise.shortage {
            throw ConformanceError(id: id, reason: "the array 'noise' does not fit the sampler: \(shortage)")
        }
        report.compare("enhanced", output.audio, try array("enhanced").values, relmax: try tolerance("enhanced_relmax"))
    }

    func checkStormCheckpoint(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        guard let path = path("checkpoint") else { throw ConformanceError(id: id, reason: "names no checkpoint") }
        let (checkpoint, model) = (try LightningCheckpoint(path: path), try stormModel(catalog))
        let order = stormNames(of: model).map(\.name)
        if let stated = json["ema"]?["parameter_order"]?.elements.compactMap(\.text), !stated.isEmpty {
            report.require("order", stated == order, "the averages lie in another order than the model's parameters")
        }
        for (choice, key) in [(LightningCheckpoint.Choice.averagedIfPresent, "weights_ema"), (.stored, "weights_raw")] {
            guard let file = self.path(key) else { continue }
            let (weights, expected) = (
                try checkpoint.weights(choice, parameters: order), try SafetensorsFile(path: file)
            )
            let byName = Dictionary(weights.arrays.compactMap { array in array.name.map { ($0, array) } }) { first, _ in
                first
            }
            var worst = 0.0
            for name in expected.names {
                let (a, b) = (byName[name]?.values ?? [], try expected.array(name).values)
                worst =
                    a.count == b.count
                    ? zip(a, b).reduce(worst) { max($0, abs(Double($1.0) - Double($1.1))) } : .infinity
            }
            report.add(key, error: worst, tolerance: try tolerance("weights_abs"))
            if choice == .averagedIfPresent { try loadStorm(model, weights.arrays) }
        }
        let (x, y, t) = (try spectrogram("x_t"), try spectrogram("y"), try array("t").values.map(Double.init))
        let (estimate, score) = Gradients.off {
            let estimate = model.regression.map { $0(y) }
            return (estimate, model(x, model.condition(y, estimate), t))
        }
        for (name, value) in [("y_denoised_evaluation_mode", estimate), ("score_evaluation_mode", score)]
        where has(name) {
            report.compare(
                name, value?.values ?? [], try spectrogram(name).values, relmax: try tolerance("output_relmax"))
        }
    }

    /// What the reference offers and cannot run: here a sampler gives a finite sample, and a loss that does not exist
    /// is no name.
    func checkStormFailures(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let y = Tensor((0..<64).map { Float($0 % 7) / 7 - 0.4 }, shape: [1, 4, 8, 2])
        for failure in json["failures"]?.elements ?? [] {
            let setting = failure["setting"]?.text ?? ""
            let words = setting.split(whereSeparator: { " ,()".contains($0) }).map(String.init)
            if let loss = words.last, words.contains(where: { $0.hasPrefix("loss_type") }) {
                let isOfScore = words.contains("loss_type_score")
                let isKnown =
                    isOfScore ? ScoreMatchingLoss.Norm(rawValue: loss) != nil : Regression.Norm(rawValue: loss) != nil
                report.require(setting, !isKnown, "the loss is known here")
                continue
            }
            let isODE = words.contains("ODE")
            let settings: [String: JSON] = [
                "type": .text(isODE ? "ode" : "pc"), "N": .number(4), "corrector": .text("none"),
                "predictor": .text(words.contains("euler_maruyama") ? "euler_maruyama" : "reverse_diffusion"),
            ]
            let sde = OUVE()
            let sampler: any Sampler =
                words.contains("denoiser_only") ? RegressionEstimate() : stormSampler(.object(settings), sde)
            var noise = NoiseSource.addressed(seed: 0, files: ["file"])
            let sample = sampler.sample(given: y, noise: &noise) { x, y, t in
                (y - x).scaled(by: 1 / pow(sde.marginal(at: t).std, 2))
            }
            report.require(setting, sample.x.values.allSatisfy(\.isFinite), "the sample is not finite")
        }
    }
}
