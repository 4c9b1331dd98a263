import Backbones
import Kernels
import Layers
import Tensors
import Testing

@Suite struct IntervalNCSNppTests {
    private static func network(recompute: Bool = false) throws -> IntervalNCSNpp {
        var options = NCSNppOptions.v2
        (options.nf, options.chMult, options.numResBlocks, options.attnResolutions) = (8, [1, 2], 1, [8])
        (options.imageSize, options.fourierScale, options.recompute) = (16, 0.3, recompute)
        let network = try IntervalNCSNpp(options, seed: 3)
        // Layers that start at zero would hide what lies behind them.
        for parameter in network.parameters where parameter.isTrained && parameter.shape.count > 1 {
            let moved = Tensor.weighted(1, parameter.tensor.detached, 0.1, noise(parameter.shape, parameter.name))
            parameter.assign(moved)
        }
        return network
    }

    private let t: [Float] = [0.8, 0.5]
    private let r: [Float] = [0.2, 0.4]

    /// The product of the network's Jacobian with a direction of state and time, beside central differences.
    @Test(arguments: [false, true]) func theDerivativeIsThatOfDifferences(recompute: Bool) throws {
        let network = try Self.network(recompute: recompute)
        let (x, y, direction) = (noise([2, 16, 16, 2], "x"), noise([2, 16, 16, 2], "y"), noise([2, 16, 16, 2], "v"))
        let rates: [Float] = [1, 0.5]
        let found = Gradients.off {
            pushforward([(x, direction)]) { network($0[0], y, t, until: r, rates: rates, .evaluation) }
        }
        #expect(found.value.values == Gradients.off { network(x, y, t, until: r, rates: [], .evaluation).values })
        let step: Float = 2e-3
        let sides = [step, -step].map { step in
            Gradients.off {
                let times = zip(t, rates).map { $0 + step * $1 }
                return network(.weighted(1, x, Double(step), direction), y, times, until: r, rates: [], .evaluation)
            }
        }
        let expected = Tensor.weighted(0.5 / Double(step), sides[0], -0.5 / Double(step), sides[1])
        let error = (found.derivative - expected).squaredNorm.squareRoot() / expected.squaredNorm.squareRoot()
        #expect(error < 5e-3, "\(error)")
        #expect(expected.squaredNorm > 1)
    }

    /// Recording the way back beside it changes neither the derivative nor the gradients.
    @Test func aDerivativeMayBeTakenWhileTheWayBackIsRecorded() throws {
        let network = try Self.network(recompute: true)
        let (x, y) = (noise([2, 16, 16, 2], "x"), noise([2, 16, 16, 2], "y"))
        let both = pushforward([(x, noise(x.shape, "v"))]) {
            network($0[0], y, t, until: r, rates: [1, 1], .evaluation)
        }
        let plain = network(x, y, t, until: r, rates: [], .evaluation)
        let w = noise(x.shape, "w")
        let (found, expected) = (both.value.dot(w).gradients(), plain.dot(w).gradients())
        for parameter in network.parameters where parameter.isTrained {
            let (a, b) = (try #require(found[parameter]), try #require(expected[parameter]))
            #expect((a - b).squaredNorm.squareRoot() <= 1e-5 * (1 + b.squaredNorm.squareRoot()), "\(parameter.name)")
        }
    }

    @Test func gradientsAreThoseOfTheNetwork() throws {
        try checkGradients(of: try Self.network(), bins: 16, frames: 16)
    }

    /// It starts as a network of one time, and learns what the end of the stretch means.
    @Test func theEndOfTheStretchMattersOnceItIsLearned() throws {
        var options = NCSNppOptions.v2
        (options.nf, options.chMult, options.numResBlocks, options.attnResolutions) = (8, [1, 1], 1, [])
        let (x, y) = (noise([2, 16, 16, 2], "x"), noise([2, 16, 16, 2], "y"))
        func difference(_ network: IntervalNCSNpp) -> Double {
            (network(x, y, t, until: r, rates: [], .evaluation) - network(x, y, t, .evaluation)).squaredNorm
        }
        #expect(difference(try IntervalNCSNpp(options)) == 0)
        #expect(difference(try Self.network()) > 1e-3)
    }

    @Test func timesWithoutFourierFeaturesAreRefused() {
        var options = NCSNppOptions.v2
        options.embeddingType = .positional
        let error = #expect(throws: BackboneError.self) { try IntervalNCSNpp(options) }
        #expect(error?.option == "embedding_type")
    }
}
