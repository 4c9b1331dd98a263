import Backbones
import Layers
import Testing

/// Sizes of the networks as published, in millions.
@Suite struct ParameterCountTests {
    @Test func scoreNetworks() throws {
        let counts = [
            try NCSNpp(.journal).parameterCount, try NCSNpp(.v2).parameterCount, try NCSNpp(.fullband).parameterCount,
            try DCUNet(.constructor).parameterCount,
        ]
        #expect(counts == [65_590_694, 65_590_694, 64_743_134, 3_565_000])
    }

    /// The published count of the conditioned network includes its projection, and not its encoder.
    @Test func conditionedNetwork() throws {
        let counts = [try ConditionedNCSNpp().parameterCount, try ConvolutionalNoiseEncoder().parameterCount]
        #expect(counts == [66_120_000, 2_860_000])
    }
}
