import Backbones
import Layers
import Tensors
import Testing

/// Published: 65.59, 65.59, 64.74 and 3.565 million, and 66.12 + 2.86 million with a noise embedding.
@Suite struct ParameterCountTests {
    @Test func scoreNetworks() throws {
        let counts = [
            try NCSNpp(.journal).parameterCount, try NCSNpp(.v2).parameterCount, try NCSNpp(.fullband).parameterCount,
            try DCUNet(.constructor).parameterCount,
        ]
        #expect(counts == [65_590_822, 65_590_822, 64_739_854, 3_564_994])
    }

    /// The published count of the conditioned network includes its projection, and not its encoder.
    @Test func conditionedNetwork() throws {
        let counts = [try ConditionedNCSNpp().parameterCount, try ConvolutionalNoiseEncoder().parameterCount]
        #expect(counts == [66_116_134, 2_864_064])
    }

    /// The regression of StoRM, and its network over three spectrograms; the names are those of its files.
    @Test func regenerationNetworks() throws {
        let regression = try NCSNpp(NCSNppOptions.regeneration.reading(1))
        let network = try NCSNpp(NCSNppOptions.regeneration.reading(3))
        #expect([regression.parameterCount, network.parameterCount] == [27_342_350, 27_776_038])
        #expect(regression.parameters[0].shape == [2, 2, 1, 1] && network.parameters[0].shape == [2, 6, 1, 1])
    }

    /// 71.21 million numbers in 423 entries of the state dictionary, the fixed frequencies and phases among them.
    @Test func magnitudePreservingNetwork() throws {
        let network = try EDM2()
        #expect(network.parameters.count + network.buffers.count == 423)
        #expect(network.parameterCount == 71_209_059)
        #expect(network.parameterCount + network.buffers.reduce(0) { $0 + $1.count } == 71_209_571)
    }
}
