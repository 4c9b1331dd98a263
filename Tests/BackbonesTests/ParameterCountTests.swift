import Backbones
import Layers
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
}
