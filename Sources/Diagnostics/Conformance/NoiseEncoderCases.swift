import Backbones
import SpecLanguage
import Specs
import Tensors

extension ConformanceChecker {
    /// Noise encoders: embedding, loss, and the gradients of the noise and of all parameters.
    static let noiseEncoder = ConformanceChecker("noise_encoder") { one, _, report in
        let h = one.hyperparameters
        let name = h["noise_encoder_type"]?.text ?? ""
        guard let entry = Registry<any NoiseEncoder>.noiseEncoders[name] else {
            throw ConformanceError(id: one.id, reason: "unknown noise encoder '\(name)'")
        }
        var settings = one.settings(of: entry.descriptor)
        if let width = h["embed_dim"]?.int { settings["noise_embed_dim"] = .integer(width) }
        if let filters = h["nf"]?.int { settings["noise_encoder_nf"] = .integer(filters) }
        let encoder = try entry.build(settings)
        try encoder.load(one.arrays())
        // A real input is one whose imaginary part is zero.
        let isReal = one.json["tensors"]?["r"] != nil
        let noise = (isReal ? try one.realSpectrogram("r") : try one.spectrogram("r")).tracked()
        let output = encoder(noise)
        report.compare(
            "output", output.values, try one.array("output").values, relmax: try one.tolerance("output_relmax"))
        let loss = output.dot(try one.tensor("w1"))
        report.add(
            "loss", error: abs(Double(loss.item) - (try one.scalar("loss"))), tolerance: try one.tolerance("loss_abs"))
        let gradients = loss.gradients()
        let found = gradients[noise] ?? .zeros(noise.shape)
        report.compare(
            "grad_r", isReal ? found.channels(0..<1).values : found.values,
            isReal ? try one.array("grad_r").values : try one.spectrogram("grad_r").values,
            relmax: try one.tolerance("input_grad_relmax"))
        try one.compareGradients(encoder.parameters.map { ($0.name, $0) }, gradients, &report)
    }
}

extension ConformanceCase {
    /// A real array `[B, 1, F, N]` as `[B, F, N, 2]`.
    fileprivate func realSpectrogram(_ name: String) throws -> Tensor {
        let array = try array(name)
        return Tensor(array.values.flatMap { [$0, 0] }, shape: [array.shape[0]] + array.shape.suffix(2) + [2])
    }
}
