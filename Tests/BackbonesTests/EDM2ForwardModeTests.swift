import Backbones
import Layers
import Tensors
import Testing

/// The derivative of the magnitude-preserving network in forward mode: of its normalisations, blends, gains and
/// attention.
@Suite struct EDM2ForwardModeTests {
    private static func network() throws -> EDM2 {
        var options = EDM2Options()
        (options.modelChannels, options.channelMult, options.numBlocks) = (8, [1, 2], 1)
        (options.attnResolutions, options.freqResolution, options.block.channelsPerHead) = ([8], 16, 8)
        let network = try EDM2(options, seed: 3)
        // Gains that start at zero would hide what lies behind them.
        for parameter in network.parameters where parameter.shape.isEmpty { parameter.assign(Tensor([0.4], shape: [])) }
        return network
    }

    @Test func theDerivativeIsThatOfDifferences() throws {
        let network = try Self.network()
        let (x, y, direction) = (noise([2, 16, 16, 2], "x"), noise([2, 16, 16, 2], "y"), noise([2, 16, 16, 2], "v"))
        let t: [Float] = [0.8, 0.4]
        let found = Gradients.off { pushforward([(x, direction)]) { network($0[0], y, t, .evaluation) } }
        #expect(found.value.values == Gradients.off { network(x, y, t, .evaluation).values })
        let step = 2e-3
        let sides = [step, -step].map { step in
            Gradients.off { network(.weighted(1, x, step, direction), y, t, .evaluation) }
        }
        let expected = Tensor.weighted(0.5 / step, sides[0], -0.5 / step, sides[1])
        let error = (found.derivative - expected).squaredNorm.squareRoot() / expected.squaredNorm.squareRoot()
        #expect(error < 5e-3, "\(error)")
        // The network's own part is there, beside the skip connection that hands the direction on.
        #expect((expected - direction).squaredNorm.squareRoot() > 0.02 * direction.squaredNorm.squareRoot())
    }
}
