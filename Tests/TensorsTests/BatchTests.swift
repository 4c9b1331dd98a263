import Kernels
import Tensors
import Testing

/// A sample's result has the same bits in every batch, so that files can be enhanced in any company.
@Suite struct BatchTests {
    private func noise(_ name: String, _ shape: [Int]) -> Tensor {
        Tensor(RandomStream(seed: 7, purpose: name).normals(shape.reduce(1, *), standardDeviation: 1), shape: shape)
    }

    /// - Parameter body: Of samples `[B, …]`.
    private func compare(_ label: String, _ x: Tensor, _ body: (Tensor) -> Tensor) {
        for precision in Engine.hasHalfProducts ? [Precision.fp32, .bf16] : [.fp32] {
            Engine.with(precision) {
                Gradients.off {
                    let together = body(x).values
                    let alone = (0..<x.shape[0]).flatMap { body(x.samples($0..<$0 + 1)).values }
                    let largest = zip(together, alone).map { abs($0 - $1) }.max() ?? 0
                    #expect(largest == 0, "\(label) in \(precision)")
                }
            }
        }
    }

    private func normalized(_ x: Tensor) -> Tensor {
        x.groupNormalized(groups: 4, gamma: nil, beta: nil, epsilon: 1e-6, activation: .silu)
    }

    /// Height, width, channels and filters: each way to convolve, and both sides of where one gives way to another.
    @Test(arguments: [
        [17, 9, 12, 20], [4, 4, 64, 64], [16, 12, 48, 32], [64, 64, 8, 8], [64, 64, 4, 8], [64, 64, 16, 4],
        [32, 128, 8, 8], [64, 48, 48, 32], [33, 50, 24, 40], [1, 1, 32, 64],
    ])
    func convolutions(shape: [Int]) {
        let (height, width, channels, filters) = (shape[0], shape[1], shape[2], shape[3])
        for batch in [2, 7] {
            let x = noise("x", [batch, height, width, channels])
            for kernel in [1, 3] {
                let weight = noise("w", [filters, channels, kernel, kernel])
                let (bias, wide) = (noise("bias", [filters]), noise("wide", [filters, 2 * channels, kernel, kernel]))
                let label = "\(kernel)×\(kernel) \(shape) of \(batch)"
                compare(label, x) { $0.convolved(weight, bias: bias) }
                compare(label + " normalised", x) {
                    normalized($0).convolved(weight, residual: $0.convolved(weight), scale: 0.7)
                }
                compare(label + " side by side", x) { normalized(.concatenated([$0, $0])).convolved(wide) }
                compare(label + " strided", x) { $0.convolved(weight, stride: 2) }
            }
        }
    }

    @Test(arguments: [[64, 64, 8], [16, 16, 128], [33, 17, 12], [1, 1, 64]])
    func otherOperations(shape: [Int]) {
        let (height, width, channels) = (shape[0], shape[1], shape[2])
        let (matrix, taps) = (noise("matrix", [channels, 24]), [0.125, 0.375, 0.375, 0.125] as [Float])
        for batch in [2, 5] {
            let x = noise("x", [batch, height, width, channels])
            let label = "\(shape) of \(batch)"
            compare("product " + label, x) { x in
                x.reshaped([x.count / channels, channels]).matrixProduct(matrix)
                    .reshaped([x.shape[0], height * width, 24])
            }
            compare("normalised " + label, x) { normalized($0) }
            if height > 1 {
                compare("up " + label, x) {
                    $0.resampled(Resampling(taps: taps, up: 2, down: 1, padBefore: 2, padAfter: 1))
                }
                compare("down " + label, x) {
                    $0.resampled(Resampling(taps: taps, up: 1, down: 2, padBefore: 1, padAfter: 1))
                }
            }
        }
    }

    /// Maps of few and of many rows: more weights than are held at once, and sums long enough to be shared out.
    @Test(arguments: [(64, 64, 32), (1000, 1000, 8), (4096, 4096, 8), (4096, 4096, 192), (100, 4096, 16)])
    func attention(rows: Int, length: Int, width: Int) {
        let x = noise("x", [3, length, width])
        compare("attention of \(rows) to \(length)×\(width)", x) { x in
            let queries = x.reshaped([x.shape[0], 1, length * width]).channels(0..<rows * width)
            return queries.reshaped([x.shape[0], rows, width]).attention(to: x.scaled(by: 0.5), x, alpha: 0.1)
        }
    }
}
