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
        checkGradients(of: [noise([3, 6])]) { $0[0].softmaxed() }
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
