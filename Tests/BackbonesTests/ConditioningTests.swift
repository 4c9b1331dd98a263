import Backbones
import Kernels
import Layers
import Tensors
import Testing

@Suite struct ConditioningTests {
    private let x = noise([2, 16, 8, 2], "x")
    private let y = noise([2, 16, 8, 2], "y")
    private let t: [Float] = [0.3, 0.7]

    @Test(arguments: NoiseConditioning.Injection.allCases)
    func zerosAreNotTheSameAsNothing(injection: NoiseConditioning.Injection) throws {
        let network = try ConditionedNCSNpp(NCSNppTests.small, NoiseConditioning(injection, width: 6))
        let nothing = network(x, y, t, noise: nil, .evaluation).values
        #expect(nothing == network(x, y, t).values)
        #expect(nothing != network(x, y, t, noise: .zeros([2, 6]), .evaluation).values)
    }

    /// Started as the identity, the scale is one and the shift zero whatever the noise is.
    @Test func identityStart() throws {
        let network = try ConditionedNCSNpp(
            NCSNppTests.small, NoiseConditioning(.film, width: 6, scaleStart: .identity))
        let nothing = network(x, y, t).values
        #expect(nothing == network(x, y, t, noise: noise([2, 6], "z"), .evaluation).values)
    }

    @Test func theUnconditionedPartStartsAsItsOwnNetwork() throws {
        let alone = try NCSNpp(NCSNppTests.small, seed: 9)
        let conditioned = try ConditionedNCSNpp(NCSNppTests.small, seed: 9)
        #expect(alone(x, y, t).values == conditioned(x, y, t).values)
    }

    /// The averaged weights of a checkpoint are a list in this order.
    @Test func parametersStandInTheReferencesOrder() throws {
        let network = try ConditionedNCSNpp(NCSNppTests.small, NoiseConditioning(.film, width: 6))
        let names = network.parameters.map(\.name)
        #expect(Array(names[..<4]) == ["output_layer.weight", "output_layer.bias", "noise_proj_gamma.0.weight", "noise_proj_gamma.0.bias"])
        #expect(names[6] == "noise_proj_beta.0.weight")
        #expect(names[10] == "all_modules.0.W")
        #expect(Set(names).count == names.count)
    }

    @Test func withoutTimeThereIsNoConditioning() {
        var options = NCSNppTests.small
        options.conditional = false
        let error = #expect(throws: BackboneError.self) { try ConditionedNCSNpp(options) }
        #expect(error?.option == "conditional")
    }

    @Test(arguments: [(256, 32), (256, 1), (61, 13), (3, 2)])
    func encodersTakeAnySize(bins: Int, frames: Int) throws {
        let encoders: [any NoiseEncoder] = [
            try ConvolutionalNoiseEncoder(filters: 8, width: 12), try LightNoiseEncoder(width: 12),
        ]
        for encoder in encoders {
            let embedding = encoder(noise([2, bins, frames, 2]))
            #expect(embedding.shape == [2, 12])
            #expect(embedding.values.allSatisfy { $0.isFinite })
        }
    }

    @Test func impossibleEncodersAreNamed() {
        #expect(throws: BackboneError.self) { try ConvolutionalNoiseEncoder(filters: 3) }
        #expect(throws: BackboneError.self) { try ConvolutionalNoiseEncoder(layers: 0) }
        #expect(throws: BackboneError.self) { try LightNoiseEncoder(width: 0) }
    }
}
