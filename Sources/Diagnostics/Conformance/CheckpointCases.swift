import Audio
import Backbones
import Checkpoints
import Diffusion
import Foundation
import Models
import Objectives
import Tensors
import WeightFiles

extension ConformanceChecker {
    /// Checkpoints of the reference: their weights, and the output of the network with them.
    static let checkpoint = ConformanceChecker("checkpoint") { one, catalog, report in
        try one.compareCheckpoint(of: try one.model(catalog, try one.backbone(catalog)), &report)
    }

    /// From noisy audio to enhanced audio.
    static let pipeline = ConformanceChecker("pipeline") { one, catalog, report in
        let model = try one.model(catalog, try one.backbone(catalog))
        if let path = one.path("checkpoint") {
            let weights = try LightningCheckpoint(path: path).weights(
                .averagedIfPresent, parameters: model.referenceNames)
            try model.loadModel(weights.arrays)
        } else {
            try model.loadModel(one)
        }
        if model.isConditioned {
            try conditioned(one, catalog, model, &report)
        } else if one.json["script_arguments"] != nil {
            try script(one, catalog, model, &report)
        } else {
            let settings = one.json["enhance"] ?? .null
            let enhancer = try one.enhancer(settings, model, catalog)
            guard let noisy = one.json["audio"]?["noisy"]?.text else {
                throw ConformanceError(id: one.id, reason: "names no noisy audio")
            }
            let audio = try SoundFile.readMono(one.folder + "/" + noisy)
            var noise = NoiseSource.given(try one.noiseDraws())
            let output = try enhancer.enhance(audio, noise: &noise)
            try one.checkDraws(noise)
            report.compare(
                "enhanced", output.audio, try one.array("enhanced").values, relmax: try one.tolerance("enhanced_relmax")
            )
        }
    }

    /// A recording with its noise reference, or without one, under guidance.
    private static func conditioned(
        _ one: ConformanceCase, _ catalog: Catalog, _ model: ScoreModel, _ report: inout ConformanceReport
    ) throws {
        let h = one.hyperparameters
        var settings = h.members
        settings["N"] = h["sampler_N"] ?? h["N"]
        // The reference guides only a model that was trained with dropping.
        let scale = (h["cond_drop_prob"]?.number ?? 0) > 0 ? h["cfg_scale"]?.number ?? 1 : 1
        let enhancer = try one.enhancer(.object(settings), model, catalog, guidance: Guidance(scale))
        let reference = one.has("noise_reference") ? NoiseReference.segment(try one.rows("noise_reference")[0]) : .zero
        var noise = NoiseSource.given(try one.noiseDraws())
        let output = try enhancer.enhance(try one.rows("noisy")[0], noise: &noise, reference: reference)
        try one.checkDraws(noise)
        report.compare(
            "enhanced", output.audio, try one.array("enhanced").values, relmax: try one.tolerance("enhanced_relmax"))
    }

    /// A folder of files, enhanced one after the other from one list of draws.
    private static func script(
        _ one: ConformanceCase, _ catalog: Catalog, _ model: ScoreModel, _ report: inout ConformanceReport
    ) throws {
        var settings: [String: JSON] = ["pad_mode": .text(one.json["pad_mode"]?.text ?? "zero_pad")]
        let arguments = (one.json["script_arguments"]?.elements ?? []).compactMap(\.text)
        for (name, value) in zip(arguments, arguments.dropFirst()) where name.hasPrefix("--") {
            settings[String(name.dropFirst(2))] = Double(value).map { .number($0) } ?? .text(value)
        }
        let enhancer = try one.enhancer(.object(settings), model, catalog)
        let rate = one.json["target_sample_rate"]?.int ?? 16000
        var noise = NoiseSource.given(try one.noiseDraws())
        for file in one.json["files"]?.elements ?? [] {
            guard let noisy = file["noisy"]?.text, let name = file["enhanced"]?.text else { continue }
            let sound = try SoundFile.read(one.folder + "/" + noisy)
            let isResampled = sound.sampleRate != rate
            let audio =
                isResampled
                ? try Resampler(from: sound.sampleRate, to: rate).resample(sound.channels[0]) : sound.channels[0]
            let output = try enhancer.enhance(audio, noise: &noise)
            try one.checkDraws(noise)
            let tolerance =
                isResampled && one.json["tolerances"]?["enhanced_relmax_resampled_inputs"] != nil
                ? "enhanced_relmax_resampled_inputs" : "enhanced_relmax"
            report.compare(name, output.audio, try one.array(name).values, relmax: try one.tolerance(tolerance))
        }
    }
}

extension ConformanceCase {
    /// Raw and averaged weights of a checkpoint, and a forward pass under each.
    func compareCheckpoint(of model: ScoreModel, _ report: inout ConformanceReport) throws {
        guard let source = path("checkpoint") else { throw ConformanceError(id: id, reason: "names no checkpoint") }
        let checkpoint = try LightningCheckpoint(path: source)
        let (x, y) = (try spectrogram("x_t"), try spectrogram("y"))
        let t = try array("t").values.map(Double.init)
        let names = model.referenceNames
        for (choice, key, output) in [
            (LightningCheckpoint.Choice.averagedIfPresent, "weights_ema", "output_evaluation_mode"),
            (.stored, "weights_raw", "output_raw_weights"),
        ] {
            let weights = try checkpoint.weights(choice, parameters: names)
            if let file = path(key) {
                let expected = try SafetensorsFile(path: file)
                var (worst, compared) = (0.0, 0)
                for array in weights.arrays {
                    guard let name = array.name, expected.names.contains(name) else { continue }
                    let stored = try expected.array(name).values
                    compared += 1
                    worst = stored.count == array.values.count ? worst : .infinity
                    worst = max(
                        worst, zip(array.values, stored).reduce(0) { max($0, abs(Double($1.0 - $1.1))) })
                }
                report.require("\(key), names", compared > 0, "no weight has the name of one in the file")
                report.add(key, error: worst, tolerance: try tolerance("weights_abs"))
            }
            guard has(output) else { continue }
            try model.loadModel(weights.arrays)
            let result = try Gradients.off { model(x, y, t, noise: try noiseEmbedding(model)) }
            report.compare(
                output, result.values, try spectrogram(output).values, relmax: try tolerance("output_relmax"))
        }
    }

    func checkDraws(_ noise: NoiseSource) throws(ConformanceError) {
        if let shortage = noise.shortage {
            throw ConformanceError(id: id, reason: "the array 'noise' does not fit the sampler: \(shortage)")
        }
    }

    func enhancer(
        _ settings: JSON, _ model: ScoreModel, _ catalog: Catalog, guidance: Guidance = Guidance()
    ) throws -> Enhancer {
        var settings = settings.members
        let sde = try sde(catalog, withEpsilon: false)
        let isBridge = sde is SBVE
        if isBridge {
            // The reference's bridge takes N and the sampler from the checkpoint and ignores those of the call.
            settings["N"] = settings["ignored"] != nil ? settings["N"] : hyperparameters["N"] ?? settings["N"]
            settings["sampler_type"] = settings["sampler_type"] ?? hyperparameters["sampler_type"]
            settings["eps"] = .number(1e-4)
        }
        if settings["t_eps"] == nil, !isBridge { settings["t_eps"] = hyperparameters["t_eps"] }
        return Enhancer(
            model: model, sampler: try Self.sampler(isBridge ? "sb" : "pc", .object(settings), sde, catalog),
            frontEnd: frontEnd, padding: FramePadding(rawValue: settings["pad_mode"]?.text ?? "zero_pad") ?? .zero,
            guidance: guidance)
    }
}
