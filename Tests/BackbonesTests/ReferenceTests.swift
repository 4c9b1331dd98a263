import Backbones
import Foundation
import Kernels
import Layers
import Tensors
import Testing
import WeightFiles

/// Outputs and gradients recorded from the reference.
@Suite struct ReferenceTests {
    @Test(arguments: ReferenceCase.all("backbone").filter { $0.name != "failing_configurations" })
    func backbones(one: ReferenceCase) throws {
        let hyperparameters = try #require(try one.description()["hyperparameters"] as? [String: Any])
        let network = try ReferenceNetworks.backbone(hyperparameters)
        try one.load(network.parameters + network.buffers)
        let (x, y) = (try one.spectrogram("x_re", "x_im").tracked(), try one.spectrogram("y_re", "y_im").tracked())
        let t = try one.array("t").values
        let mode: ForwardMode =
            hyperparameters["mode"] as? String == "train"
            ? .training(t.indices.map { RandomStream(seed: 0, purpose: "dropout", $0) }) : .evaluation
        let noise = one.has("z_r") ? try one.tensor("z_r").tracked() : nil
        let output =
            (network as? any ConditionedBackbone).map { $0(x, y, t, noise: noise, mode) } ?? network(x, y, t, mode)
        try one.compare(output.values, one.spectrogram("output_re", "output_im").values, "output_relmax", "output")
        let gradients = output.gradients(seed: try one.spectrogram("w1", "w2"))
        for (name, input) in [("grad_x", x), ("grad_y", y)] {
            try one.compare(
                gradients[input]?.values, one.spectrogram(name + "_re", name + "_im").values, "input_grad_relmax", name)
        }
        if let noise {
            try one.compare(gradients[noise]?.values, one.array("grad_z_r").values, "input_grad_relmax", "grad_z_r")
        }
        try one.compare(gradients, of: network.parameters)
        if case .training = mode {
            let after = try one.weights("buffers_after")
            for buffer in network.buffers {
                let expected = try #require(after[buffer.name]).values
                for (a, b) in zip(buffer.tensor.values, expected) {
                    #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(buffer.name)")
                }
            }
        }
    }

    @Test(arguments: ReferenceCase.all("noise_encoder"))
    func encoders(one: ReferenceCase) throws {
        let encoder = try ReferenceNetworks.encoder(
            try #require(try one.description()["hyperparameters"] as? [String: Any]))
        try one.load(encoder.parameters)
        let isReal = one.has("r")
        let r = (isReal ? try one.spectrogram("r", nil) : try one.spectrogram("r_re", "r_im")).tracked()
        let output = encoder(r)
        try one.compare(output.values, one.array("output").values, "output_relmax", "output")
        let gradients = output.gradients(seed: try one.tensor("w1"))
        let found = try #require(gradients[r])
        if isReal {
            let real = found.channels(0..<1).values
            try one.compare(real, one.array("grad_r").values, "input_grad_relmax", "grad_r")
        } else {
            try one.compare(
                found.values, one.spectrogram("grad_r_re", "grad_r_im").values, "input_grad_relmax", "grad_r")
        }
        try one.compare(gradients, of: encoder.parameters)
    }
}
