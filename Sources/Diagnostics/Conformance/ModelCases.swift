import Backbones
import Checkpoints
import Diffusion
import Foundation
import Models
import Objectives
import SpecLanguage
import Specs
import Tensors
import WeightFiles

extension ConformanceCase {
    func sde(_ catalog: Catalog, withEpsilon: Bool = true) throws -> any SDE {
        let name = hyperparameters["sde"]?.text ?? ""
        guard let entry = catalog.sdes[name] else { throw ConformanceError(id: id, reason: "unknown SDE '\(name)'") }
        var settings = try settings(of: entry.descriptor)
        // The reference's samplers work on a copy of the bridge that has lost its eps.
        if !withEpsilon, settings["eps"] != nil { settings["eps"] = .number(1e-8) }
        return try entry.build(settings)
    }

    func backbone(_ catalog: Catalog) throws -> any Backbone {
        let name = hyperparameters["backbone"]?.text ?? ""
        guard let entry = catalog.backbones[name] else {
            throw ConformanceError(id: id, reason: "unknown backbone '\(name)'")
        }
        var context = BackboneContext()
        if let width = hyperparameters["noise_embed_dim"]?.int { context.embeddingWidth = width }
        let network = try entry.build(settings(of: entry.descriptor)).make(context)
        try checkSizes(of: network)
        return network
    }

    /// Whether a network takes the case's spectrograms, and its condition.
    private func checkSizes(of network: any Backbone) throws {
        func shape(_ name: String) -> [Int] { json["tensors"]?[name]?["shape"]?.elements.compactMap(\.int) ?? [] }
        let spectrogram = shape("y_re")
        if spectrogram.count >= 4 {
            try network.check(bins: spectrogram[spectrogram.count - 2], frames: spectrogram[spectrogram.count - 1])
        } else if kind == "pipeline" {
            try network.check(bins: (hyperparameters["n_fft"]?.int ?? 510) / 2 + 1, frames: 64)
        }
        if let width = shape("z_r").last, let expected = hyperparameters["noise_embed_dim"]?.int, width != expected {
            throw ConformanceError(
                id: id, reason: "the array 'z_r' has embeddings of \(width), and noise_embed_dim is \(expected)")
        }
    }

    /// The encoder of a noise-conditioned model; `nil` for every other.
    func encoder(_ catalog: Catalog) throws -> (any NoiseEncoder)? {
        guard takesCondition(catalog) else { return nil }
        let name = hyperparameters["noise_encoder_type"]?.text ?? "default"
        guard let entry = catalog.noiseEncoders[name] else {
            throw ConformanceError(id: id, reason: "unknown noise encoder '\(name)'")
        }
        var context = NoiseEncoderContext()
        if let width = hyperparameters["noise_embed_dim"]?.int { context.width = width }
        if let filters = hyperparameters["noise_encoder_nf"]?.int { context.filters = filters }
        return try entry.build(settings(of: entry.descriptor)).make(context)
    }

    private func takesCondition(_ catalog: Catalog) -> Bool {
        catalog.backbones[hyperparameters["backbone"]?.text ?? ""]?.descriptor.traits.contains(.takesCondition) ?? false
    }

    /// The model of the hyper-parameters, with those of `overrides` in their place.
    func model(_ catalog: Catalog, _ backbone: any Backbone, overrides: JSON = .null, withEpsilon: Bool = true) throws
        -> ScoreModel
    {
        func text(_ name: String) -> String? { (overrides[name] ?? hyperparameters[name])?.text }
        let takes = catalog.backbones[hyperparameters["backbone"]?.text ?? ""]?.descriptor.traits.contains(
            .takesPreconditioning)
        // The reference's conditioned model takes the scalings' options and does not follow them.
        let preconditioning =
            takesCondition(catalog)
            ? Preconditioning()
            : Preconditioning(
                networkScaling: text("network_scaling").flatMap(Preconditioning.NetworkScaling.init(rawValue:)),
                input: .init(rawValue: text("c_in") ?? "1") ?? .one,
                output: .init(rawValue: text("c_out") ?? "1") ?? .one,
                skip: .init(rawValue: text("c_skip") ?? "0") ?? .zero,
                sigmaData: hyperparameters["sigma_data"]?.number ?? 0.1)
        let output: ModelOutput =
            switch text("loss_type") {
            case "denoiser": .scoreFromDenoiser
            case "data_prediction": .clean
            default: .score
            }
        return ScoreModel(
            backbone: backbone, sde: try sde(catalog, withEpsilon: withEpsilon),
            preconditioning: takes == true ? preconditioning : nil, output: output, encoder: try encoder(catalog))
    }

    /// The loss of the hyper-parameters.
    func loss(_ catalog: Catalog, l1Weight: Double? = nil, pesqWeight: Double? = nil) throws -> any TrainingLoss {
        let h = hyperparameters
        switch h["loss_type"]?.text {
        case "denoiser":
            return DenoiserLoss(
                weighting: .init(rawValue: h["loss_weighting"]?.text ?? "") ?? .one,
                sigmaData: h["sigma_data"]?.number ?? 0.1)
        case "data_prediction":
            let weight = pesqWeight ?? h["pesq_weight"]?.number ?? 0
            try checkFrames(perceptualWeight: weight)
            return DataPredictionLoss(
                frontEnd: frontEnd, l1Weight: l1Weight ?? h["l1_weight"]?.number ?? 0.001, perceptualWeight: weight,
                perceptual: weight > 0 ? try perceptualTerm(sampleRate: h["sr"]?.int ?? 16000) : nil)
        default:
            return ScoreMatchingLoss()
        }
    }
}

extension ConformanceCase {
    /// Whether the term in time can be computed: the bins are those of the transform, and the signal is long enough.
    private func checkFrames(perceptualWeight: Double) throws {
        let shape = (json["tensors"]?["x_re"]?["shape"]?.elements ?? []).compactMap(\.int)
        let stft = frontEnd.stft
        guard shape.count >= 4, shape[shape.count - 2] == stft.size / 2 + 1 else {
            throw ConformanceError(
                id: id, reason: "the array 'x' is \(shape); n_fft \(stft.size) has \(stft.size / 2 + 1) bins")
        }
        let samples = (shape[shape.count - 1] - 1) * stft.hop
        let least = PerceptualLoss(sampleRate: hyperparameters["sr"]?.int ?? 16000).shortestSignal
        guard samples >= (perceptualWeight > 0 ? least : 1) else {
            throw ConformanceError(id: id, reason: "the array 'x' stands for \(samples) samples, too few for the loss")
        }
    }
}

extension ScoreModel {
    func loadModel(_ one: ConformanceCase, _ key: String = "weights") throws {
        guard let path = one.path(key) else { throw ConformanceError(id: one.id, reason: "names no weights") }
        try loadModel(try SafetensorsFile(path: path).arrays())
    }
}

extension ConformanceChecker {
    /// Model outputs under combinations of scalings.
    static let modelForward = ConformanceChecker("model_forward") { one, catalog, report in
        let backbone = try one.backbone(catalog)
        let (x, y) = (try one.spectrogram("x_t"), try one.spectrogram("y"))
        let t = try one.array("t").values.map(Double.init)
        let expected = try one.spectrogram("output")
        let combinations = one.json["combinations"]?.elements ?? [.null]
        guard !combinations.isEmpty, expected.count == combinations.count * x.count else {
            throw ConformanceError(
                id: one.id, reason: "the array 'output' is \(expected.shape) for \(combinations.count) combinations")
        }
        let each = expected.count / combinations.count
        let values = expected.values
        for (index, combination) in combinations.enumerated() {
            let model = try one.model(catalog, backbone, overrides: combination)
            try model.loadModel(one)
            let output = try Gradients.off { model(x, y, t, noise: try one.noiseEmbedding(model)) }
            let label =
                combination.members.isEmpty
                ? "output"
                : combination.members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text ?? "none")" }.joined(
                    separator: " ")
            report.compare(
                label, output.values, Array(values[index * each..<(index + 1) * each]),
                relmax: try one.tolerance("output_relmax"))
        }
    }

    /// Sampling with given noise.
    static let sampler = ConformanceChecker("sampler") { one, catalog, report in
        guard one.json["failures"] == nil else { return try failingSamplers(one, catalog, &report) }
        let settings = one.json["sampler"] ?? .null
        let model = try one.model(catalog, try one.backbone(catalog))
        try model.loadModel(one)
        let y = try one.spectrogram("y")
        var noise = NoiseSource.given(try one.noiseDraws())
        let sampler = try one.sampler(settings, catalog)
        var states: [IntermediateState] = []
        let embedding = try one.noiseEmbedding(model)?.detached
        let sample = Gradients.off {
            sampler.sample(given: y, noise: &noise, observe: { states.append($0) }) { x, y, t in
                model(x, y, [Double](repeating: t, count: x.shape[0]), noise: embedding)
            }
        }
        if let shortage = noise.shortage {
            throw ConformanceError(id: one.id, reason: "the array 'noise' does not fit the sampler: \(shortage)")
        }
        report.compare(
            "sample", sample.x.values, try one.spectrogram("sample").values, relmax: try one.tolerance("sample_relmax"))
        if one.has("trace_x") {
            for (name, values) in [
                ("trace_x", states.flatMap(\.state.values)), ("trace_mean", states.flatMap(\.mean.values)),
            ] {
                report.compare(
                    name, values, try one.spectrogram(name).values, relmax: try one.tolerance("sample_relmax"))
            }
        }
        if let calls = one.json["scalars"]?["network_calls"]?.int {
            report.require("nfe", sample.nfe == calls, "counted \(sample.nfe), the reference calls \(calls) times")
        } else if let nfe = one.json["scalars"]?["nfe"]?.int {
            // The reference reports a nominal number; ours is counted.
            let nominal = (sampler as? PredictorCorrector)?.nominalEvaluations ?? sample.nfe
            report.require("nfe", nominal == nfe, "\(nominal) evaluations, the reference reports \(nfe)")
        }
    }

    /// What the reference cannot run: here each setting gives a finite sample.
    private static func failingSamplers(
        _ one: ConformanceCase, _ catalog: Catalog, _ report: inout ConformanceReport
    ) throws {
        let sde = OUVE()
        let y = Tensor((0..<64).map { Float($0 % 7) / 7 - 0.4 }, shape: [1, 4, 8, 2])
        for (index, failure) in (one.json["failures"]?.elements ?? []).enumerated() {
            guard let name = failure["sampler"]?.text else { continue }
            var settings = failure.members
            settings["N"] = .number(4)
            let sampler = try ConformanceCase.sampler(name, .object(settings), sde, catalog)
            var noise = NoiseSource.addressed(seed: 0, files: ["file"])
            let sample = sampler.sample(given: y, noise: &noise) { x, y, t in
                (y - x).scaled(by: 1 / pow(sde.marginal(at: t).std, 2))
            }
            report.require(
                "failure \(index): \(name)", sample.x.values.allSatisfy(\.isFinite) && sample.nfe > 0 || name == "none",
                "the sample is not finite")
        }
    }
}

extension ConformanceCase {
    /// The noise embedding that a conditioned model is given, if it is given one.
    func noiseEmbedding(_ model: ScoreModel) throws -> Tensor? {
        if has("z_r") { return try tensor("z_r") }
        return has("r") ? model.embedding(of: try spectrogram("r")) : nil
    }

    /// The stored noise in the order in which it is drawn, each `[B, F, N, 2]`.
    func noiseDraws() throws -> [Tensor] {
        guard has("noise") else { return [] }
        let (re, im) = (try array("noise_re"), try array("noise_im"))
        let count = re.shape[0]
        var shape = Array(re.shape.dropFirst())
        if shape.count >= 4 { shape.remove(at: shape.count - 3) }
        let each = re.values.count / count
        let stored = (0..<count).map { index in
            Tensor(
                (index * each..<(index + 1) * each).flatMap { [re.values[$0], im.values[$0]] }, shape: shape + [2])
        }
        let order = json["noise_order"]?.elements.compactMap(\.int) ?? Array(0..<count)
        return order.map { stored[$0] }
    }

    func sampler(_ settings: JSON, _ catalog: Catalog) throws -> any Sampler {
        let type = settings["type"]?.text ?? "pc"
        return try Self.sampler(type, settings, try sde(catalog, withEpsilon: false), catalog)
    }

    static func sampler(_ type: String, _ settings: JSON, _ sde: any SDE, _ catalog: Catalog) throws -> any Sampler {
        let (steps, end) = (settings["N"]?.int ?? 30, settings["eps"]?.number ?? settings["t_eps"]?.number ?? 0.03)
        let denoises = settings["denoise"]?.bool ?? true
        switch type {
        case "ode":
            if sde is SBVE {
                throw ConformanceError(id: type, reason: "the sampler '\(type)' does not take the SDE sbve")
            }
            return ProbabilityFlow(
                sde: sde,
                solver: .rk45(
                    relativeTolerance: settings["rtol"]?.number ?? 1e-5,
                    absoluteTolerance: settings["atol"]?.number ?? 1e-5),
                finalTime: end, denoises: denoises)
        case "sb":
            guard let bridge = sde as? SBVE else { throw ConformanceError(id: type, reason: "needs the SDE sbve") }
            return BridgeSampler(
                bridge: bridge, process: settings["sampler_type"]?.text == "sde" ? .sde : .ode, steps: steps,
                finalTime: settings["eps"]?.number ?? 1e-4)
        default:
            if sde is SBVE {
                throw ConformanceError(id: type, reason: "the sampler '\(type)' does not take the SDE sbve")
            }
            let snr = settings["snr"]?.number ?? 0.5
            let corrector: any Corrector =
                switch settings["corrector"]?.text {
                case "langevin": Langevin(snr: snr, sharesStepAcrossBatch: true)
                case "none": NoCorrector()
                default: AnnealedLangevin(snr: snr)
                }
            return PredictorCorrector(
                sde: sde,
                predictor: try catalog.predictors.make(Choice(settings["predictor"]?.text ?? "reverse_diffusion")),
                corrector: corrector, correctorSteps: settings["corrector_steps"]?.int ?? 1, steps: steps,
                finalTime: end,
                denoises: denoises)
        }
    }
}
