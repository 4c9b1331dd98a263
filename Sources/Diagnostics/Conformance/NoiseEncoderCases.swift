import Backbones
import Checkpoints
import Models
import SpecLanguage
import Specs
import Tensors
import WeightFiles

extension ConformanceChecker {
    /// Noise encoders: embedding, loss, and the gradients of the noise and of all parameters.
    static let noiseEncoder = ConformanceChecker("noise_encoder") { one, catalog, report in
        let h = one.hyperparameters
        let name = h["noise_encoder_type"]?.text ?? ""
        guard let entry = catalog.noiseEncoders[name] else {
            throw ConformanceError(id: one.id, reason: "unknown noise encoder '\(name)'")
        }
        var context = NoiseEncoderContext()
        if let width = h["embed_dim"]?.int { context.width = width }
        if let filters = h["nf"]?.int { context.filters = filters }
        let encoder = try entry.build(one.settings(of: entry.descriptor)).make(context)
        try encoder.load(one.arrays())
        // A real input is one whose imaginary part is zero.
        let isReal = one.json["tensors"]?["r"] != nil
        let noise = (isReal ? try one.realSpectrogram("r") : try one.spectrogram("r")).tracked()
        guard noise.rank == 4 else {
            throw ConformanceError(id: one.id, reason: "the array 'r' has more than one channel of complex numbers")
        }
        let hasBothParts = try isReal && one.array("r").shape[1] == 2
        let output = encoder(noise)
        report.compare(
            "output", output.values, try one.array("output").values, relmax: try one.tolerance("output_relmax"))
        let loss = output.dot(try one.tensor("w1"))
        report.add(
            "loss", error: abs(Double(loss.item) - (try one.scalar("loss"))), tolerance: try one.tolerance("loss_abs"))
        let gradients = loss.gradients()
        let found = gradients[noise] ?? .zeros(noise.shape)
        report.compare(
            "grad_r", !isReal ? found.values : hasBothParts ? Self.channelsFirst(found) : found.channels(0..<1).values,
            isReal ? try one.array("grad_r").values : try one.spectrogram("grad_r").values,
            relmax: try one.tolerance("input_grad_relmax"))
        try one.compareGradients(encoder.parameters.map { ($0.name, $0) }, gradients, &report)
    }

    /// `[B, F, N, 2]` as the values of `[B, 2, F, N]`.
    private static func channelsFirst(_ x: Tensor) -> [Float] {
        let (values, size) = (x.values, x.shape[1] * x.shape[2])
        var parts: [Float] = []
        parts.reserveCapacity(values.count)
        for item in 0..<x.shape[0] {
            for part in 0..<2 { parts += (0..<size).map { values[2 * (item * size + $0) + part] } }
        }
        return parts
    }
}

extension ConformanceCase {
    /// A real array `[B, 1, F, N]`, or `[B, 2, F, N]` of real and imaginary parts, as `[B, F, N, 2]`.
    fileprivate func realSpectrogram(_ name: String) throws -> Tensor {
        let array = try array(name)
        guard array.shape.count == 4, (1...2).contains(array.shape[1]) else {
            throw ConformanceError(
                id: id, reason: "the array '\(name)' is \(array.shape), not [B, 1, F, T] or [B, 2, F, T]")
        }
        let shape = [array.shape[0]] + array.shape.suffix(2) + [2]
        guard array.shape[1] == 2 else { return Tensor(array.values.flatMap { [$0, 0] }, shape: shape) }
        let size = array.shape[2] * array.shape[3]
        var values: [Float] = []
        values.reserveCapacity(array.values.count)
        for item in 0..<array.shape[0] {
            let (real, imaginary) = (2 * item * size, (2 * item + 1) * size)
            for place in 0..<size { values += [array.values[real + place], array.values[imaginary + place]] }
        }
        return Tensor(values, shape: shape)
    }
}
