import Diffusion
import Kernels
import Objectives
import Tensors
import Testing

extension DeviceSuite {
    /// Every operation of the table, forward and backward, at odd shapes.
    @Suite struct OperationTests {
        private static let windows: [(ConvolutionWindow, ConvolutionWindow)] = [
            (.init(), .init()), (.init(kernel: 1), .init(kernel: 1)),
            (.init(kernel: 3, stride: 2, padBefore: 0, padAfter: 1), .init(stride: 2)),
            (.init(kernel: 7, stride: 2), .init(kernel: 5)),
            (.init(kernel: 3, padBefore: 2), .init(kernel: 3, padBefore: 0)),
            (.init(kernel: 4, stride: 2, padBefore: 2, dilation: 2), .init(kernel: 4, stride: 2, padBefore: 2)),
        ]

        @Test(arguments: windows.indices)
        func convolutionsAgree(index: Int) throws {
            let (vertical, horizontal) = Self.windows[index]
            try expectAgreement(1e-5, "window \(index)") {
                let x = noise("x", [2, 13, 9, 6])
                let w = noise("w", [5, 6, vertical.kernel, horizontal.kernel], scale: 0.2)
                let plain = x.convolved(w, vertical: vertical, horizontal: horizontal)
                let all = [x, w, noise("b", [5]), noise("s", [2, 5]), noise("r", plain.shape)]
                return withGradients(all) {
                    $0[0].convolved(
                        $0[1], bias: $0[2], shift: $0[3], residual: $0[4], scale: 0.7, vertical: vertical,
                        horizontal: horizontal)
                }
            }
        }

        @Test func aTransposedConvolutionAgrees() throws {
            try expectAgreement(1e-5) {
                withGradients([noise("x", [2, 6, 5, 4]), noise("w", [4, 3, 5, 3], scale: 0.2), noise("b", [3])]) {
                    $0[0].transposeConvolved(
                        $0[1], bias: $0[2], height: 12, width: 5, vertical: .init(kernel: 5, stride: 2),
                        horizontal: .init())
                }
            }
        }

        @Test(arguments: Activation.allCases)
        func normalizationsAndActivationsAgree(activation: Activation) throws {
            try expectAgreement(1e-5, "\(activation)") {
                let x = noise("x", [3, 5, 7, 8])
                let groups = withGradients([x, noise("g", [8]), noise("b", [8])]) {
                    $0[0].groupNormalized(groups: 2, gamma: $0[1], beta: $0[2], epsilon: 1e-6, activation: activation)
                }
                let alone = withGradients([x]) { $0[0].activated(activation) }
                // Two maps side by side, normalised on the way into a convolution.
                let joined = withGradients([x, noise("y", [3, 5, 7, 4]), noise("w", [6, 12, 3, 3], scale: 0.1)]) {
                    Tensor.concatenated([$0[0], $0[1]])
                        .groupNormalized(groups: 3, gamma: nil, beta: nil, epsilon: 1e-6, activation: activation)
                        .convolved($0[2])
                }
                return groups + alone + joined
            }
        }

        @Test func batchNormalizationsAgree() throws {
            try expectAgreement(2e-5) {
                let x = noise("x", [2, 5, 7, 6])
                let gamma = noise("g", [6])
                let beta = noise("b", [6])
                let found = x.batchNormalized(gamma: gamma, beta: beta, epsilon: 1e-5, activation: .leakyReLU001)
                let training = withGradients([x, gamma, beta]) {
                    $0[0].batchNormalized(gamma: $0[1], beta: $0[2], epsilon: 1e-5, activation: .leakyReLU001).0
                }
                let evaluation = withGradients([x, gamma, beta]) {
                    $0[0].batchNormalized(
                        mean: found.mean, variance: found.variance, gamma: $0[1], beta: $0[2], epsilon: 1e-5,
                        activation: .silu)
                }
                return [found.mean, found.variance] + training + evaluation
            }
        }

        @Test func complexBlocksAgree() throws {
            try expectAgreement(2e-5) {
                let weights = [noise("rr", [3]), noise("ri", [3], scale: 0.3), noise("ii", [3])]
                let norm = withGradients([noise("x", [2, 5, 7, 6])] + weights + [noise("b", [6])]) {
                    $0[0].complexBatchNormalized(weight: ($0[1], $0[2], $0[3]), bias: $0[4], epsilon: 1e-5)
                }
                let filters = [true, false].flatMap { adjoint in
                    withGradients([noise("re", [5, 6, 3, 2]), noise("im", [5, 6, 3, 2])]) {
                        Tensor.complex(
                            $0[0], $0[1], rows: ComplexChannels(5), columns: ComplexChannels(2, 3, 1), adjoint: adjoint)
                    }
                }
                return norm + filters
            }
        }

        @Test func productsAndAttentionAgree() throws {
            try expectAgreement(1e-5) {
                let matrices = withGradients([noise("a", [3, 5, 7]), noise("b", [3, 7, 4])]) {
                    $0[0].matrixProduct($0[1], alpha: 1.5)
                }
                let transposed = withGradients([noise("a", [5, 7]), noise("b", [4, 7])]) {
                    $0[0].matrixProduct($0[1], transposed: true)
                }
                let attention = withGradients([
                    noise("q", [2, 35, 6]), noise("k", [2, 11, 6]), noise("v", [2, 11, 5]),
                ]) {
                    $0[0].attention(to: $0[1], $0[2], alpha: 0.4)
                }
                let exchanged = withGradients([noise("x", [3, 4, 5])]) { $0[0].swappingLastAxes() }
                return matrices + transposed + attention + exchanged
            }
        }

        @Test func arithmeticAgrees() throws {
            try expectAgreement {
                let (x, y) = (noise("x", [3, 2, 7, 5]), noise("y", [3, 2, 7, 5]))
                let sums = withGradients([x, y]) { Tensor.weighted(0.3, $0[0], -2, $0[1]) + $0[0] * $0[1] }
                let scaled = withGradients([x]) { $0[0].scaled(by: 2, plus: -1).scaledSamples(by: [1, -0.5, 3]) }
                let modulated = withGradients([x, noise("s", [3, 5]), noise("t", [3, 5])]) {
                    $0[0].modulated(scale: $0[1], shift: $0[2])
                }
                let biased = withGradients([x, noise("b", [5])]) { $0[0].addingToPixels($0[1]) }
                let perSample = withGradients([x, noise("b", [3, 5])]) { $0[0].addingToPixels($0[1]) }
                return sums + scaled + modulated + biased + perSample + [x.samples(1..<3), .stacked([x, y])]
            }
        }

        @Test func reductionsAgree() throws {
            try expectAgreement {
                let (x, y) = (noise("x", [3, 101]), noise("y", [3, 101]))
                let scalars = [
                    withGradients([x]) { $0[0].sum() }, withGradients([x]) { $0[0].absoluteSum() },
                    withGradients([x, y]) { $0[0].dot($0[1]) },
                    withGradients([x]) { $0[0].halfSquares(sampleWeights: [1, 2, 0.5]) },
                ]
                return scalars.flatMap(\.self) + [Tensor(x.sampleNorms.map(Float.init), shape: [3])]
            }
        }

        @Test func layoutsAgree() throws {
            try expectAgreement(0) {
                let parts = withGradients([
                    noise("a", [2, 3, 5, 3]), noise("b", [2, 3, 5, 1]), noise("c", [2, 3, 5, 4]),
                ]) {
                    Tensor.concatenated($0).channels(2..<7)
                }
                let x = noise("x", [2, 3, 21, 2])
                let padded = FramePadding.allCases.map { $0.pad(x, multiple: 32) }
                let resized = withGradients([x]) { $0[0].withFrames(13) } + withGradients([x]) { $0[0].withFrames(30) }
                return parts + padded + [FramePadding.trim(x, to: 8)] + resized
            }
        }

        @Test func resamplingAndPoolingAgree() throws {
            let rules = [
                Resampling(taps: [0.25, 0.75, 0.75, 0.25], up: 2, down: 1, padBefore: 2, padAfter: 1),
                Resampling(taps: [0.125, 0.375, 0.375, 0.125], up: 1, down: 2, padBefore: 1, padAfter: 1),
                Resampling(taps: [1], up: 2, down: 1, padBefore: 0, padAfter: -1),
                Resampling(taps: [0.2, 0.5, 0.3], up: 1, down: 1, padBefore: 1, padAfter: 1),
                Resampling(taps: [1, 2], up: 3, down: 2, padBefore: -1, padAfter: 2),
            ]
            for (index, rule) in rules.enumerated() {
                try expectAgreement(3e-6, "rule \(index)") {
                    withGradients([noise("x", [2, 8, 7, 5])]) { $0[0].resampled(rule) }
                }
            }
            for (height, width) in [(1, 1), (4, 1), (3, 5), (8, 7)] {
                try expectAgreement(3e-6, "\(height)×\(width)") {
                    withGradients([noise("x", [2, 8, 7, 5])]) { $0[0].averagePooled(height: height, width: width) }
                }
            }
        }

        @Test(arguments: [0.1, 0.5, 0.99], [[2, 3, 5, 7], [3, 1], [1, 1001]])
        func dropoutHasTheSameBits(rate: Double, shape: [Int]) throws {
            try expectAgreement(0) {
                let streams = (0..<shape[0]).map { RandomStream(seed: 3, purpose: "dropout", $0) }
                return withGradients([noise("x", shape)]) { $0[0].dropped(rate: rate, streams: streams) }
            }
        }

        @Test func adamAgrees() throws {
            try expectAgreement(1e-6) {
                let shapes = [[3, 5], [7], [1]]
                let weights = shapes.map { noise("w", $0) }
                let averages = shapes.map { noise("a", $0) }
                let moments = shapes.map { (noise("m", $0), noise("v", $0) * noise("v", $0)) }
                let list = shapes.indices.map { index in
                    AdamBuffers(
                        weight: weights[index].buffer, gradient: noise("g", shapes[index]).buffer,
                        first: moments[index].0.buffer,
                        second: moments[index].1.buffer, average: index == 1 ? nil : averages[index].buffer)
                }
                for step in 1...3 {
                    updateAdam(list, gradientScale: 0.3, AdamUpdate(rate: 1e-2, count: step, decay: 0.9))
                }
                return weights + averages + moments.flatMap { [$0.0, $0.1] }
            }
        }
    }
}
