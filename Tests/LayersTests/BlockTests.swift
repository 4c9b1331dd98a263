import Kernels
import Layers
import Tensors
import Testing

/// Laws of the blocks that networks are built of.
@Suite struct BlockTests {
    private let scope = ParameterScope(seed: 1)

    private func style(embedding: Int? = nil, modulation: Int? = nil, scale: Double = 0, fir: Bool = true)
        -> ResidualStyle
    {
        var style = ResidualStyle()
        (style.embedding, style.modulation, style.initialScale) = (embedding, modulation, scale)
        style.rule = ResamplingRule(fir: fir)
        return style
    }

    /// With an initial scale of 0 the second convolution is next to nothing.
    @Test func aBlockStartsAsItsSkipConnection() {
        let x = noise([1, 8, 4, 8])
        let expected = 0.5.squareRoot() * x
        #expect(distance(BigGANBlock(scope.scope("a"), 8, style: style())(x, nil, .evaluation), expected) < 1e-3)
        #expect(distance(DDPMBlock(scope.scope("b"), 8, style: style())(x, nil, .evaluation), expected) < 1e-3)
        #expect(distance(AttentionBlock(scope.scope("c"), 8, style: style())(x), expected) < 1e-3)
        let around = CrossAttentionBlock(scope.scope("d"), 8, width: 6)(x, noise([1, 5, 6], "sequence"))
        #expect(distance(around, x) < 1e-3)
    }

    @Test func aModulationStartsAsTheIdentity() {
        let (x, modulation) = (noise([2, 4, 4, 8]), Modulation(scope, embedding: 6, channels: 8))
        #expect(distance(modulation(x, noise([2, 6], "z"), .identity), x) == 0)
    }

    @Test(arguments: [BigGANBlock.Resampled.no, .up, .down], [false, true])
    func gradientsOfABigGANBlockAreThoseOfDifferences(resampled: BigGANBlock.Resampled, fir: Bool) {
        let block = BigGANBlock(scope, 4, 8, resampled, style: style(embedding: 6, modulation: 5, scale: 1, fir: fir))
        shuffle(scope)
        let (x, temb, z) = (noise([2, 8, 4, 4]), noise([2, 6], "temb"), noise([2, 5], "z"))
        let y = block(x, temb, .evaluation, modulating: z)
        let factor =
            switch resampled {
            case .no: 1.0
            case .up: 2.0
            case .down: 0.5
            }
        #expect(y.shape == [2, Int(8 * factor), Int(4 * factor), 8])
        checkSlope(of: scope) { block(x, temb, .evaluation, modulating: z) }
    }

    @Test func gradientsOfTheOtherBlocksAreThoseOfDifferences() {
        let (x, sequence) = (noise([2, 4, 4, 8]), noise([2, 3, 6], "sequence"))
        let first = DDPMBlock(scope.scope("a"), 8, 4, style: style(scale: 1))
        let second = AttentionBlock(scope.scope("b"), 4, style: style(scale: 1))
        let third = CrossAttentionBlock(scope.scope("c"), 4, width: 6)
        shuffle(scope)
        checkSlope(of: scope) { third(second(first(x, nil, .evaluation)), sequence) }
    }

    /// Attention sees a set of pixels: exchanging two of them exchanges their results.
    @Test func attentionFollowsAPermutationOfPixels() {
        let attention = AttentionBlock(scope, 4, style: style(scale: 1))
        let x = noise([1, 2, 2, 4])
        func exchanged(_ x: Tensor) -> Tensor {
            let v = x.values
            return Tensor(Array(v[12..<16] + v[4..<12] + v[0..<4]), shape: x.shape)
        }
        #expect(distance(attention(exchanged(x)), exchanged(attention(x))) < 1e-5)
    }

    /// The order of a reference's embeddings means nothing, and repeating all of them changes nothing.
    @Test func crossAttentionTakesASetOfEmbeddings() {
        let attention = CrossAttentionBlock(scope, 4, width: 3)
        shuffle(scope)
        let (x, z) = (noise([1, 4, 2, 4]), noise([1, 2, 3], "z"))
        let v = z.values
        let turned = Tensor(Array(v[3..<6] + v[0..<3]), shape: [1, 2, 3])
        let twice = Tensor(v + v, shape: [1, 4, 3])
        #expect(distance(attention(x, z), attention(x, turned)) < 1e-5)
        #expect(distance(attention(x, z), attention(x, twice)) < 1e-5)
    }

    // MARK: Resampling

    /// Doubling and halving keep a constant map, away from the borders that zeros reach.
    @Test(arguments: [false, true], [[Float(1), 3, 3, 1], [1, 2, 1], [1, 1]])
    func resamplingKeepsTheLevel(fir: Bool, taps: [Float]) {
        let rule = ResamplingRule(fir: fir, taps: taps)
        let x = Tensor(repeating: 3, shape: [1, 16, 16, 2])
        for (resampling, size) in [(rule.doubling, 32), (rule.halving, 8)] {
            let y = x.resampled(resampling)
            #expect(y.shape == [1, size, size, 2])
            let middle = (size / 4..<3 * size / 4).flatMap { row in
                (size / 4..<3 * size / 4).map { y.values[(row * size + $0) * 2] }
            }
            #expect(middle.allSatisfy { abs($0 - 3) < 1e-5 }, "\(resampling)")
        }
    }

    @Test(arguments: [false, true], [false, true])
    func halvingAndDoublingWithConvolutionsHaveTheRightSize(fir: Bool, convolved: Bool) {
        let rule = ResamplingRule(fir: fir)
        let x = noise([1, 8, 12, 4])
        let filters = convolved ? 6 : 4
        let down = Downsample(scope.scope("d"), 4, filters, convolved: convolved, rule: rule)
        let up = Upsample(scope.scope("u"), 4, filters, convolved: convolved, rule: rule)
        #expect(down(x).shape == [1, 4, 6, filters] && up(x).shape == [1, 16, 24, filters])
        if convolved {
            checkSlope(of: scope) {
                Tensor.concatenated([down(up(x).channels(0..<4)), down(x.resampled(rule.doubling))])
            }
        }
    }

    @Test(arguments: Combine.Method.allCases) func combiningAddsOrAppendsTheInput(method: Combine.Method) {
        let combine = Combine(scope, 2, 6, method)
        let (pyramid, features) = (noise([1, 4, 4, 2], "pyramid"), noise([1, 4, 4, 6], "features"))
        let (zero, both) = (combine(.zeros([1, 4, 4, 2]), features), combine(pyramid, features))
        switch method {
        case .sum: #expect(distance(zero, features) == 0 && both.shape == [1, 4, 4, 6])
        case .cat: #expect(both.shape == [1, 4, 4, 12])
        }
    }
}
