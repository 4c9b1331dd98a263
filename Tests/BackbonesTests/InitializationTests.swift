import Backbones
import Layers
import Tensors
import Testing

/// Initial weights have the distributions of the reference.
@Suite struct InitializationTests {
    /// A uniform distribution within `bound`: its mean square is a third of the bound's.
    private func expectUniform(
        _ name: String, bound: Double, among parameters: [Parameter], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let values = try #require(parameters.first { $0.name == name }, "\(name)").tensor.values.map(Double.init)
        let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
        #expect(values.allSatisfy { abs($0) <= bound * 1.000001 }, "\(name)", sourceLocation: sourceLocation)
        #expect(abs(square * 3 / (bound * bound) - 1) < 0.15, "\(name)", sourceLocation: sourceLocation)
    }

    @Test func scoreNetwork() throws {
        var options = NCSNppOptions.v2
        options.nf = 32
        options.chMult = [1, 2]
        let parameters = try ConditionedNCSNpp(options, NoiseConditioning(.add, width: 40)).parameters
        // DDPM's rule over the mean of both fans; a scale of zero stands for 1e-10.
        try expectUniform("all_modules.1.weight", bound: (3 / 96.0).squareRoot(), among: parameters)
        try expectUniform("all_modules.4.Conv_0.weight", bound: (3 / (32.0 * 9)).squareRoot(), among: parameters)
        try expectUniform("all_modules.4.Conv_1.weight", bound: (3e-10 / (32.0 * 9)).squareRoot(), among: parameters)
        // PyTorch's defaults.
        try expectUniform("noise_proj.0.weight", bound: 1 / 40.0.squareRoot(), among: parameters)
        try expectUniform("noise_proj.2.weight", bound: 1 / 128.0.squareRoot(), among: parameters)
        for name in ["all_modules.1.bias", "all_modules.4.Conv_0.bias", "all_modules.4.GroupNorm_0.bias"] {
            #expect(parameters.first { $0.name == name }?.tensor.values.allSatisfy { $0 == 0 } == true, "\(name)")
        }
    }

    @Test func complexNetworkAndEncoders() throws {
        let complex = try DCUNet().parameters
        try expectUniform("encoders.1.conv.re_module.weight", bound: 1 / (32.0 * 16).squareRoot(), among: complex)
        // A transposed filter's fan in is counted over its outputs.
        try expectUniform("decoders.0.deconv.im_module.weight", bound: 1 / (128.0 * 16).squareRoot(), among: complex)
        let encoder = try ConvolutionalNoiseEncoder().parameters
        try expectUniform("fc.0.weight", bound: (6 / (2048.0 + 512)).squareRoot(), among: encoder)
        let filters = try #require(encoder.first { $0.name == "conv_layers.3.weight" }).tensor.values
        let square = filters.reduce(0) { $0 + Double($1 * $1) } / Double(filters.count)
        #expect(abs(square / (2 / (128.0 * 9)) - 1) < 0.05)
        let light = try LightNoiseEncoder().parameters
        try expectUniform("freq_encoder.2.weight", bound: 1 / (64.0 * 5).squareRoot(), among: light)
    }
}
