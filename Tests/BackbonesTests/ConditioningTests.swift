import Backbones
import Kernels
import Layers
import Tensors
import Testing

@Suite struct ConditioningTests {
    private let x = noise([2, 16, 8, 2], "x")
    private let y = noise([2, 16, 8, 2], "y")
    private let t: [Float] = [0.3, 0.7]

    @Test(arguments: [NoiseConditioning.Injection.add, .film])
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

    /// Before training, the injections into the blocks change nothing that matters.
    @Test(arguments: [NoiseConditioning.Injection.adaptiveNorm, .crossAttention])
    func injectionsIntoBlocksStartNextToTheIdentity(injection: NoiseConditioning.Injection) throws {
        let network = try ConditionedNCSNpp(NCSNppTests.small, NoiseConditioning(injection, width: 6))
        let nothing = network(x, y, t)
        let told = network(x, y, t, noise: noise([2, 6], "z"), .evaluation)
        #expect((told - nothing).squaredNorm <= 1e-8 * nothing.squaredNorm)
    }

    /// Every injection lets the noise through once its weights are not those of the start, with the right gradients.
    @Test(arguments: NoiseConditioning.Injection.allCases, [false, true])
    func everyInjectionHasItsGradients(injection: NoiseConditioning.Injection, recompute: Bool) throws {
        var options = NCSNppTests.small
        options.recompute = recompute
        let network = try ConditionedNCSNpp(options, NoiseConditioning(injection, width: 6, scaleStart: .identity))
        for parameter in network.parameters where parameter.isTrained {
            parameter.assign(parameter.tensor.detached + 0.1 * noise(parameter.shape, parameter.name))
        }
        let (z, other) = (noise([2, 3, 6], "z"), noise([2, 3, 6], "other"))
        let outputs = [z, other].map { network(x, y, t, noise: $0, .evaluation) }
        #expect((outputs[0] - outputs[1]).squaredNorm > 1e-6 * outputs[0].squaredNorm)
        try checkGradients(of: Told(network: network, noise: z), bins: 16, frames: 8)
    }

    /// Attention to a sequence is not attention to its mean; the other injections take the mean.
    @Test(arguments: NoiseConditioning.Injection.allCases)
    func sequencesMeetEveryInjection(injection: NoiseConditioning.Injection) throws {
        let network = try ConditionedNCSNpp(NCSNppTests.small, NoiseConditioning(injection, width: 6))
        for parameter in network.parameters where parameter.isTrained {
            parameter.assign(parameter.tensor.detached + 0.1 * noise(parameter.shape, parameter.name))
        }
        let (a, b) = (noise([2, 1, 6], "a"), noise([2, 1, 6], "b"))
        func rows(_ tensor: Tensor, _ sample: Int) -> ArraySlice<Float> { tensor.values[6 * sample..<6 * sample + 6] }
        let both: [Float] = [rows(a, 0), rows(b, 0), rows(a, 1), rows(b, 1)].flatMap(\.self)
        let pair: Tensor = Tensor(both, shape: [2, 2, 6])
        let mean: Tensor = Tensor.weighted(0.5, a, 0.5, b).reshaped([2, 6])
        let (whole, single) = (network(x, y, t, noise: pair, .evaluation), network(x, y, t, noise: mean, .evaluation))
        let difference: Double = Tensor.weighted(1, whole, -1, single).squaredNorm / single.squaredNorm
        #expect(injection == .crossAttention ? difference > 1e-9 : difference < 1e-10)
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
        #expect(
            Array(names[..<4]) == [
                "output_layer.weight", "output_layer.bias", "noise_proj_gamma.0.weight", "noise_proj_gamma.0.bias",
            ])
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

    /// One embedding for each frame that four strides of 2 leave.
    @Test func theSequenceEncoderKeepsTime() throws {
        let encoder = try ConvolutionalNoiseEncoder(filters: 8, width: 12, isSequence: true)
        let reference = noise([2, 33, 32, 2])
        let sequence = encoder(reference)
        #expect(sequence.shape == [2, 2, 12])
        let alone = encoder(reference.samples(1..<2))
        #expect(zip(sequence.values.suffix(24), alone.values).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test func impossibleEncodersAreNamed() {
        #expect(throws: BackboneError.self) { try ConvolutionalNoiseEncoder(filters: 3) }
        #expect(throws: BackboneError.self) { try ConvolutionalNoiseEncoder(layers: 0) }
        #expect(throws: BackboneError.self) { try LightNoiseEncoder(width: 0) }
    }
}

/// A conditioned network that is always told the same.
private struct Told: Backbone {
    let network: ConditionedNCSNpp
    let noise: Tensor

    var parameters: [Parameter] { network.parameters }
    var divisor: (bins: Int, frames: Int) { network.divisor }

    func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor {
        network(x, y, t, noise: noise, mode)
    }
}
