import Kernels
import Tensors
import Testing

@Suite struct GradientTests {
    @Test func arithmetic() {
        let (a, b) = (noise([3, 5], "a"), noise([3, 5], "b"))
        checkGradients(of: [a, b]) { $0[0] + $0[1] }
        checkGradients(of: [a, b]) { $0[0] - $0[1] }
        checkGradients(of: [a, b]) { .weighted(0.3, $0[0], -2, $0[1]) }
        checkGradients(of: [a, b]) { $0[0] * $0[1] }
        checkGradients(of: [a]) { $0[0] * $0[0] }
        checkGradients(of: [a]) { -(2.5 * $0[0] + 1) }
        checkGradients(of: [a]) { $0[0].scaledSamples(by: [1, -2, 0.5]) }
        checkGradients(of: [a]) { $0[0].reshaped([5, 3]) }
    }

    @Test func modulation() {
        checkGradients(of: [noise([2, 3, 2, 5]), noise([2, 5], "s"), noise([2, 5], "b")]) {
            $0[0].modulated(scale: $0[1], shift: $0[2])
        }
        let x = noise([2, 3, 5])
        #expect(x.modulated(scale: .zeros([2, 5]), shift: .zeros([2, 5])).values == x.values)
    }

    @Test func reductions() {
        let (a, b) = (noise([2, 7], "a"), noise([2, 7], "b"))
        checkGradients(of: [a]) { $0[0].sum() }
        checkGradients(of: [a, b]) { $0[0].dot($0[1]) }
        checkGradients(of: [a]) { $0[0].halfSquares(sampleWeights: [2, 0.5]) }
    }

    @Test func matrixProducts() {
        checkGradients(of: [noise([4, 5], "a"), noise([5, 3], "b")]) { $0[0].matrixProduct($0[1], alpha: 0.5) }
        checkGradients(of: [noise([4, 5], "a"), noise([3, 5], "b")]) { $0[0].matrixProduct($0[1], transposed: true) }
        checkGradients(of: [noise([2, 4, 5], "a"), noise([2, 5, 3], "b")]) { $0[0].matrixProduct($0[1]) }
        checkGradients(of: [noise([2, 4, 5], "a"), noise([2, 3, 5], "b")]) {
            $0[0].matrixProduct($0[1], transposed: true, alpha: -1.5)
        }
    }

    /// Whatever number of rows is worked on at once.
    @Test(arguments: [nil, 7, 14, 40]) func attention(mostWeights: Int?) {
        let (q, k, v) = (noise([2, 5, 4], "q"), noise([2, 7, 4], "k"), noise([2, 7, 3], "v"))
        checkGradients(of: [q, k, v]) { $0[0].attention(to: $0[1], $0[2], alpha: 0.7, mostWeights: mostWeights) }
        let (whole, blocks) = (
            q.attention(to: k, v, alpha: 0.7), q.attention(to: k, v, alpha: 0.7, mostWeights: mostWeights)
        )
        #expect(zip(whole.values, blocks.values).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test func convolutionWithAllThatGoesWithIt() {
        let (x, w) = (noise([2, 5, 4, 3]), noise([6, 3, 3, 3], "w"))
        checkGradients(of: [x, w, noise([6], "b"), noise([2, 6], "s"), noise([2, 5, 4, 6], "r")]) {
            $0[0].convolved($0[1], bias: $0[2], shift: $0[3], residual: $0[4], scale: 0.7)
        }
        checkGradients(of: [x, w, noise([2, 6], "s")]) { $0[0].convolved($0[1], shift: $0[2]) }
        checkGradients(of: [x, w]) { $0[0].convolved($0[1], stride: 2, padBefore: 0, padAfter: 1) }
        checkGradients(of: [x, w]) { $0[0].convolved($0[1], dilation: 2) }
        checkGradients(of: [x, noise([4, 3, 1, 1], "w")]) { $0[0].convolved($0[1]) }
        // Large enough for the fast algorithm.
        checkGradients(of: [noise([1, 16, 16, 8]), noise([8, 8, 3, 3], "w")]) { $0[0].convolved($0[1]) }
    }

    @Test(arguments: Activation.allCases)
    func activations(activation: Activation) {
        // Kinks lie at zero: the elements keep away from it.
        let x = Tensor(noise([40]).values.map { $0 + ($0 < 0 ? -0.1 : 0.1) }, shape: [40])
        checkGradients(of: [x]) { $0[0].activated(activation) }
    }

    @Test(arguments: [Activation.identity, .silu, .elu])
    func groupNormalization(activation: Activation) {
        let (x, g, b) = (noise([2, 3, 4, 8], offset: 1), noise([8], "g", offset: 1), noise([8], "b"))
        checkGradients(of: [x, g, b]) {
            $0[0].groupNormalized(groups: 2, gamma: $0[1], beta: $0[2], epsilon: 1e-6, activation: activation)
        }
        checkGradients(of: [x]) { $0[0].groupNormalized(groups: 4, gamma: nil, beta: nil, epsilon: 1e-5) }
    }

    @Test func mapsAndChannels() {
        let x = noise([2, 4, 6, 3])
        checkGradients(of: [x]) {
            $0[0].resampled(Resampling(taps: [0.25, 0.75, 0.75, 0.25], up: 2, down: 1, padBefore: 2, padAfter: 1))
        }
        checkGradients(of: [x]) {
            $0[0].resampled(Resampling(taps: [0.125, 0.375, 0.375, 0.125], up: 1, down: 2, padBefore: 1, padAfter: 1))
        }
        checkGradients(of: [x, noise([3], "b")]) { $0[0].addingToPixels($0[1]) }
        checkGradients(of: [x, noise([2, 3], "b")]) { $0[0].addingToPixels($0[1]) }
        checkGradients(of: [x, noise([2, 4, 6, 2], "y")]) { .concatenated([$0[0], $0[1], $0[0]]) }
        checkGradients(of: [x]) { $0[0].channels(1..<3) }
    }
}

@Suite struct ComplexGradientTests {
    @Test func transposedConvolution() {
        checkGradients(of: [noise([2, 3, 4, 3]), noise([3, 2, 4, 3], "w"), noise([2], "b")]) {
            $0[0].transposeConvolved(
                $0[1], bias: $0[2], height: 6, width: 4, vertical: .init(kernel: 4, stride: 2, padBefore: 1),
                horizontal: .init(kernel: 3))
        }
    }

    /// The transposed convolution is the adjoint: `⟨A x, y⟩ = ⟨x, Aᵀ y⟩`.
    @Test(arguments: [(1, 1), (2, 1), (2, 4), (3, 2)])
    func transposedConvolutionIsTheAdjoint(stride: Int, dilation: Int) {
        let window = ConvolutionWindow(kernel: 3, stride: stride, padBefore: 1, dilation: dilation)
        let (x, w) = (noise([2, 13, 11, 3]), noise([5, 3, 3, 3], "w"))
        let forward = x.convolved(w, vertical: window, horizontal: ConvolutionWindow())
        let y = noise(forward.shape, "y")
        let back = y.transposeConvolved(w, height: 13, width: 11, vertical: window, horizontal: ConvolutionWindow())
        #expect(abs(forward.dot(y).item - x.dot(back).item) < 1e-3)
    }

    @Test func complexFilters() {
        let (re, im) = (noise([3, 2, 2, 1], "re"), noise([3, 2, 2, 1], "im"))
        for adjoint in [false, true] {
            checkGradients(of: [re, im]) {
                .complex($0[0], $0[1], rows: ComplexChannels(1, 2), columns: ComplexChannels(2), adjoint: adjoint)
            }
        }
        // (1 + 2i)(x + iy), by rows and columns.
        let matrix = Tensor.complex(
            Tensor([1], shape: [1, 1]), Tensor([2], shape: [1, 1]), rows: ComplexChannels(1),
            columns: ComplexChannels(1))
        #expect(matrix.values == [1, -2, 2, 1])
    }

    @Test func batchNormalization() {
        let (x, g, b) = (noise([3, 2, 4, 3], offset: 1), noise([3], "g", offset: 1), noise([3], "b"))
        checkGradients(of: [x, g, b]) {
            $0[0].batchNormalized(gamma: $0[1], beta: $0[2], epsilon: 1e-5, activation: .silu).0
        }
        let (mean, variance) = (noise([3], "m"), Tensor([0.5, 1, 2], shape: [3]))
        checkGradients(of: [x, g, b]) {
            $0[0].batchNormalized(
                mean: mean, variance: variance, gamma: $0[1], beta: $0[2], epsilon: 1e-5, activation: .silu)
        }
        // With its own statistics, the fixed form is the free one.
        let (free, m, unbiased) = x.batchNormalized(gamma: g, beta: b, epsilon: 1e-5, activation: .identity)
        let fixed = x.batchNormalized(
            mean: m, variance: unbiased.scaled(by: 23.0 / 24), gamma: g, beta: b, epsilon: 1e-5, activation: .identity)
        for (a, b) in zip(free.values, fixed.values) { #expect(abs(a - b) < 1e-4) }
    }

    @Test func complexBatchNormalization() {
        let rr = noise([2], "rr", offset: 2)
        let ri = noise([2], "ri")
        let ii = noise([2], "ii", offset: 2)
        checkGradients(of: [noise([2, 3, 4, 4], offset: 0.5), rr, ri, ii, noise([4], "b")], inForwardMode: false) {
            $0[0].complexBatchNormalized(weight: ($0[1], $0[2], $0[3]), bias: $0[4], epsilon: 1e-5)
        }
    }

    /// With unit weights, the parts of the result are uncorrelated and of unit variance.
    @Test func complexBatchNormalizationWhitens() {
        let (one, zero) = (Tensor([1, 1], shape: [2]), Tensor.zeros([2]))
        let x = noise([2, 8, 8, 4], offset: 3)
        let skewed = Tensor.concatenated([x.channels(0..<2), .weighted(0.7, x.channels(0..<2), 0.5, x.channels(2..<4))])
        let y = skewed.complexBatchNormalized(weight: (one, zero, one), bias: .zeros([4]), epsilon: 1e-9).values
        for c in 0..<2 {
            let pairs = stride(from: 0, to: y.count, by: 4).map { (Double(y[$0 + c]), Double(y[$0 + 2 + c])) }
            let n = Double(pairs.count)
            #expect(abs(pairs.reduce(0) { $0 + $1.0 * $1.0 } / n - 1) < 1e-4)
            #expect(abs(pairs.reduce(0) { $0 + $1.1 * $1.1 } / n - 1) < 1e-4)
            #expect(abs(pairs.reduce(0) { $0 + $1.0 * $1.1 } / n) < 1e-4)
            #expect(abs(pairs.reduce(0) { $0 + $1.0 } / n) < 1e-4)
        }
    }

    @Test func poolingAndAxes() {
        checkGradients(of: [noise([2, 7, 5, 3])]) { $0[0].averagePooled(height: 4, width: 1) }
        checkGradients(of: [noise([1, 3, 2, 2])]) { $0[0].averagePooled(height: 4, width: 2) }
        checkGradients(of: [noise([2, 3, 4])]) { $0[0].swappingLastAxes() }
        checkGradients(of: [noise([1, 2, 5, 3])]) { $0[0].withFrames(3) }
        checkGradients(of: [noise([1, 2, 5, 3])]) { $0[0].withFrames(7) }
        let column = Tensor([1, 2, 3, 4, 5], shape: [1, 5, 1, 1])
        #expect(column.averagePooled(height: 2, width: 1).values == [2, 4])
    }

    @Test func dropout() {
        let streams = (0..<2).map { RandomStream(seed: 1, purpose: "dropout", $0) }
        let x = noise([2, 3, 5, 7])
        checkGradients(of: [x]) { $0[0].dropped(rate: 0.3, streams: streams) }
        let ones = Tensor(repeating: 1, shape: [2, 100_000])
        let dropped = ones.dropped(rate: 0.3, streams: streams)
        #expect(Set(dropped.values) == [0, 1 / 0.7])
        #expect(abs(dropped.sum().item / 200_000 - 1) < 0.01)
        // A sample's mask is its own, whatever stands beside it.
        let alone = ones.samples(1..<2).dropped(rate: 0.3, streams: [streams[1]])
        #expect(alone.values == Array(dropped.values[100_000...]))
    }
}
