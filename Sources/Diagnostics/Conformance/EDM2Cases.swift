import Audio
import Backbones
import Diffusion
import Foundation
import Kernels
import Layers
import Models
import Objectives
import SpecLanguage
import Tensors
import WeightFiles

extension ConformanceChecker {
    /// EDM2 for speech: its layers, network, schedule, loss, averages, samplers and files.
    static let edm2 = ConformanceChecker("edm2") { one, catalog, report in
        let json = one.json
        if json["exponent"] != nil { return try one.checkPowerFunctions(&report) }
        if json["learning_rate"] != nil { return try one.checkSchedule(catalog, &report) }
        if json["checkpoint"] != nil { return try one.checkEDM2Checkpoint(catalog, &report) }
        if json["files"] != nil { return try one.checkEDM2Enhancement(catalog, &report) }
        if json["sampler"] != nil { return try one.checkEDM2Sampler(catalog, &report) }
        if json["optimizer"] != nil { return try one.checkEDM2Training(catalog, &report) }
        if one.has("loss_tf") { return try one.checkEDM2Loss(catalog, &report) }
        if one.has("normalize_default") { return try one.checkMagnitudeLayers(&report) }
        if one.has("latent") { return try one.checkLatents(&report) }
        try one.checkEDM2Network(catalog, &report)
    }
}

extension ConformanceCase {
    /// A stored `[…, C, H, W]` with channels last, `[…, H, W, C]`.
    func channelsLast(_ name: String) throws -> Tensor {
        let array = try array(name)
        let shape = array.shape
        guard shape.count >= 3 else {
            throw ConformanceError(id: id, reason: "the array '\(name)' is \(shape), no map")
        }
        let (c, pixels) = (shape[shape.count - 3], shape[shape.count - 2] * shape[shape.count - 1])
        var values = [Float](repeating: 0, count: array.values.count)
        for map in 0..<array.values.count / max(1, c * pixels) {
            for channel in 0..<c {
                for pixel in 0..<pixels {
                    values[(map * pixels + pixel) * c + channel] = array.values[(map * c + channel) * pixels + pixel]
                }
            }
        }
        return Tensor(values, shape: shape.dropLast(3) + [shape[shape.count - 2], shape[shape.count - 1], c])
    }

    /// The front end whose latent spectrograms the network works on.
    func latentFrontEnd(_ encoder: JSON) throws(ConformanceError) -> FrontEnd {
        if let window = encoder["win_length"]?.int, window != encoder["n_fft"]?.int ?? 510 {
            throw ConformanceError(id: id, reason: "not understood: 'win_length' \(window) is not n_fft")
        }
        let scale = (encoder["final_std"]?.number ?? 0.5) / (encoder["raw_std"]?.number ?? 0.08)
        return FrontEnd(
            stft: ShortTimeFourier(size: encoder["n_fft"]?.int ?? 510, hop: encoder["hop_length"]?.int ?? 128),
            compression: .exponent(
                alpha: encoder["spec_exp"]?.number ?? 0.5, factor: (encoder["spec_factor"]?.number ?? 0.15) * scale))
    }

    /// The network of the case's hyper-parameters, which follow the bridge that they name.
    func edm2Network(_ catalog: Catalog) throws -> EDM2 {
        guard let entry = catalog.backbones["edm2"] else {
            throw ConformanceError(id: id, reason: "unknown backbone 'edm2'")
        }
        var bridge = SBVE()
        for (name, path) in [("k", \SBVE.k), ("c", \.c), ("eps", \.epsilon), ("T", \.endTime)] {
            if let value = hyperparameters[name]?.number { bridge[keyPath: path] = value }
        }
        var context = BackboneContext()
        context.sde = bridge
        guard let network = try entry.build(settings(of: entry.descriptor)).make(context) as? EDM2 else {
            throw ConformanceError(id: id, reason: "'edm2' is another network")
        }
        try checkSizes(of: network)
        return network
    }

    /// Whether the network takes the case's latents, and the transform has their bins.
    private func checkSizes(of network: EDM2) throws {
        let encoder = json["encoder"] ?? hyperparameters["encoder"] ?? json["optimizer"]?["encoder"]
        let size = encoder?["n_fft"]?.int
        let hop = encoder?["hop_length"]?.int ?? 128
        if let size, !(2...65536).contains(size) || !(1...size).contains(hop) {
            throw ConformanceError(id: id, reason: "not understood: a transform of n_fft \(size) and hop_length \(hop)")
        }
        for name in ["x", "y"] where has(name) {
            let shape = try array(name).shape
            let (bins, frames) = (shape[shape.count - 2], shape[shape.count - 1])
            try network.check(bins: bins, frames: frames)
            if let size, bins != size / 2 + 1 {
                throw ConformanceError(
                    id: id, reason: "the array '\(name)' has \(bins) bins; n_fft \(size) has \(size / 2 + 1)")
            }
        }
        if json["files"] != nil { try network.check(bins: (size ?? 510) / 2 + 1, frames: network.frameMultiple) }
    }

    func checkEDM2Network(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let network = try edm2Network(catalog)
        try network.load(self)
        let (x, y) = (try channelsLast("x").tracked(), try channelsLast("y").tracked())
        try network.check(bins: x.shape[1], frames: x.shape[2])
        let t = try array("t").values
        let mode: ForwardMode =
            hyperparameters["mode"]?.text == "train"
            ? .training(t.indices.map { RandomStream(seed: 0, purpose: "dropout", $0) }) : .evaluation
        let output = network(x, y, t, mode)
        report.compare(
            "output", output.values, try channelsLast("output").values, relmax: try tolerance("output_relmax"))
        let loss = output.dot(try channelsLast("w1"))
        report.add("loss", error: abs(Double(loss.item) - (try scalar("loss"))), tolerance: try tolerance("loss_abs"))
        let gradients = loss.gradients()
        for (name, input) in [("grad_x", x), ("grad_y", y)] {
            report.compare(
                name, gradients[input]?.values ?? [], try channelsLast(name).values,
                relmax: try tolerance("input_grad_relmax"))
        }
        try compareGradients(network.parameters.map { ($0.name, $0) }, gradients, &report)
        guard let path = path("buffers_after") else { return }
        let after = try SafetensorsFile(path: path)
        let byName = Dictionary(uniqueKeysWithValues: (network.parameters + network.buffers).map { ($0.name, $0) })
        for name in after.names.sorted() {
            report.compare(
                name + " after the pass", byName[name]?.tensor.values ?? [], try after.array(name).values,
                relmax: try tolerance("output_relmax"))
        }
    }

    func checkMagnitudeLayers(_ report: inout ConformanceReport) throws {
        let relmax = try tolerance("relmax")
        func compare(_ name: String, _ value: Tensor, _ expected: Tensor? = nil) throws {
            report.compare(name, value.values, try (expected ?? channelsLast(name)).values, relmax: relmax)
        }
        let (a, b, a2) = (try channelsLast("a"), try channelsLast("b"), try channelsLast("a2"))
        let (t, gain) = (try scalar("t"), try scalar("gain"))
        try compare("normalize_default", a.normalizedRows(columns: a.count / a.shape[0]))
        try compare("normalize_dim1", a.normalizedRows())
        try compare("normalize_tiny", a.scaled(by: 1e-5).normalizedRows())
        try compare("mp_silu", a.activated(.silu).scaled(by: 1 / Magnitude.silu))
        let sum = Magnitude.sum(t)
        try compare("mp_sum_number", .weighted(sum.first, a, sum.second, a2))
        try compare("mp_sum_tensor", a.blended(with: a2, by: Tensor([Float(t)], shape: [])))
        for (name, t) in [("mp_cat_half", 0.5), ("mp_cat_t", t)] {
            let weights = Magnitude.concatenation(t, a.shape[3], b.shape[3])
            try compare(name, .concatenated([a.scaled(by: weights.first), b.scaled(by: weights.second)]))
        }
        for (suffix, taps) in [("", [1, 1]), ("_4tap", [1, 3, 3, 1])] as [(String, [Float])] {
            var style = MagnitudeStyle()
            style.taps = taps
            try compare("down" + suffix, a.resampled(style.halving))
            try compare("up" + suffix, a.resampled(style.doubling))
        }
        let fourier = MagnitudeFourier(ParameterScope(seed: 0), count: try array("fourier_freqs").values.count)
        fourier.frequencies.assign(try tensor("fourier_freqs"))
        fourier.phases.assign(try tensor("fourier_phases"))
        try compare("fourier_output", fourier(try array("fourier_input").values), try tensor("fourier_output"))
        try checkForcedWeights(a, gain, compare)
    }

    private func checkForcedWeights(
        _ a: Tensor, _ gain: Double, _ compare: (String, Tensor, Tensor?) throws -> Void
    ) throws {
        let modes: [(String, ForwardMode)] = [("eval", .evaluation), ("train", .training([]))]
        for name in ["conv3", "conv1"] {
            let weight = try tensor(name + "_weight")
            let layer = MagnitudeConvolution(
                ParameterScope(seed: 0), weight.shape[1], weight.shape[0], kernel: weight.shape[2])
            layer.weight.assign(weight)
            for (suffix, mode) in modes { try compare("\(name)_\(suffix)", layer(a, mode, gain: gain), nil) }
            try compare(
                name + "_weight_after_training_pass", layer.weight.tensor,
                try tensor(name + "_weight_after_training_pass"))
        }
        let weight = try tensor("linear_weight")
        let layer = MagnitudeLinear(ParameterScope(seed: 0), weight.shape[1], weight.shape[0])
        layer.weight.assign(weight)
        for (suffix, mode) in modes {
            try compare(
                "linear_\(suffix)", layer(try tensor("linear_input"), mode).scaled(by: gain),
                try tensor("linear_\(suffix)"))
        }
        try compare(
            "linear_weight_after_training_pass", layer.weight.tensor, try tensor("linear_weight_after_training_pass"))
    }

    func checkLatents(_ report: inout ConformanceReport) throws {
        let frontEnd = try latentFrontEnd(hyperparameters)
        let encoded = frontEnd.spectrogram(try rows("audio"))
        let latent = try channelsLast("latent")
        report.compare("latent", encoded.values, latent.values, relmax: try tolerance("latent_relmax"))
        report.compare(
            "decoded_from_0p9_latent", frontEnd.audio(latent.scaled(by: 0.9)).values,
            try array("decoded_from_0p9_latent").values,
            relmax: try tolerance("decoded_relmax"))
        let scale = (hyperparameters["final_std"]?.number ?? 0.5) / (hyperparameters["raw_std"]?.number ?? 0.08)
        if let stated = json["scalars"]?["scale"]?.number {
            report.add("scale", error: abs(scale - stated), tolerance: 1e-6 * stated)
        }
    }

    func checkSchedule(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let times = try array("t").values.map(Double.init)
        for prediction in EDM2Options.Prediction.allCases {
            let h = hyperparameters
            var options = EDM2Options()
            options.prediction = prediction
            (options.k, options.c) = (h["k"]?.number ?? options.k, h["c"]?.number ?? options.c)
            (options.epsilon, options.endTime) = (
                h["eps"]?.number ?? options.epsilon, h["T"]?.number ?? options.endTime
            )
            (options.sigmaX, options.sigmaN) = (
                h["sigma_x"]?.number ?? options.sigmaX, h["sigma_n"]?.number ?? options.sigmaN
            )
            let suffix = "_\(prediction.rawValue)"
            let network = try EDM2(Self.tiny(options))
            let columns: [(String, (Double) -> Double)] = [
                ("sigma", { options.marginal(at: $0).sigma }), ("sigma_bar", { options.marginal(at: $0).sigmaBar }),
                ("w_x", { options.marginal(at: $0).clean }), ("w_y", { options.marginal(at: $0).noisy }),
                ("std", { options.marginal(at: $0).std }), ("c_in", { options.scalings(at: $0).input }),
                ("c_noise", { options.scalings(at: $0).level }),
                ("c_out" + suffix, { options.scalings(at: $0).output }),
                ("c_skip" + suffix, { _ in prediction == .noise ? 1 : 0 }),
                ("weight" + suffix, { network.lossWeight(at: $0) }),
            ]
            for (name, value) in columns where has(name) {
                report.compare(
                    name, times.map { Float(value($0)) }, try array(name).values, relmax: try tolerance("relmax"))
            }
        }
        try checkLearningRates(&report)
    }

    /// The least network with these scalings.
    private static func tiny(_ options: EDM2Options) -> EDM2Options {
        var options = options
        (options.modelChannels, options.channelMult, options.numBlocks, options.attnResolutions) = (1, [1], 1, [])
        (options.block.channelsPerHead, options.logvarChannels) = (1, 1)
        return options
    }
}
