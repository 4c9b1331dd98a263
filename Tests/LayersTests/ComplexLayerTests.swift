import Kernels
import Layers
import Tensors
import Testing

/// Complex layers: real channels stand before imaginary ones.
@Suite struct ComplexLayerTests {
    private let scope = ParameterScope(seed: 1)

    /// Multiplies a map `[…, 2C]` by `i`: (x, y) becomes (−y, x).
    private func turned(_ x: Tensor) -> Tensor {
        let half = x.shape[x.rank - 1] / 2
        return .concatenated([-1 * x.channels(half..<2 * half), x.channels(0..<half)])
    }

    /// Without a bias a complex layer is linear over the complex numbers, so that it commutes with a factor `i`.
    @Test(arguments: [false, true])
    func aComplexConvolutionCommutesWithI(isTransposed: Bool) {
        let window = ConvolutionWindow(kernel: 3, stride: 1, padBefore: 1, padAfter: 1)
        let convolution = ComplexConvolution(
            scope, ComplexChannels(3), 2, vertical: window, horizontal: window, isTransposed: isTransposed)
        let x = noise([1, 5, 4, 6])
        func apply(_ x: Tensor) -> Tensor { isTransposed ? convolution(x, height: 5, width: 4) : convolution(x) }
        #expect(apply(x).shape == [1, 5, 4, 4])
        #expect(distance(apply(turned(x)), turned(apply(x))) < 1e-5)
    }

    @Test func aComplexLinearLayerCommutesWithIUpToItsBias() {
        let linear = ComplexLinear(scope, 4, 3)
        let (x, zero) = (noise([2, 8]), linear(.zeros([2, 8])))
        #expect(distance(linear(turned(x)) - zero, turned(linear(x) - zero)) < 1e-5)
    }

    /// In training a map is normalised by its batch; the running statistics then move a tenth of the way.
    @Test func runningStatisticsFollowTheBatch() throws {
        let norm = BatchNorm(scope, 2)
        let x = (3 * noise([4, 6, 6, 4])) + 5
        let y = norm(x, .identity, .training(streams(4)))
        let count = 4 * 36
        for channel in 0..<4 {
            let values = (0..<count).map { Double(y.values[$0 * 4 + channel]) }
            let mean = values.reduce(0, +) / Double(count)
            #expect(abs(mean) < 1e-4 && abs(values.reduce(0) { $0 + $1 * $1 } / Double(count) - 1) < 1e-3)
        }
        let mean = try #require(scope.collector.buffers.first { $0.name == "re_module.running_mean" }).tensor.values[0]
        let expected = (0..<count).reduce(0.0) { $0 + Double(x.values[$1 * 4]) } / Double(count)
        #expect(abs(Double(mean) - 0.1 * expected) < 1e-4)
        // Evaluation uses them, and leaves them alone.
        let before = scope.collector.buffers.map(\.tensor.values)
        #expect(distance(norm(x, .identity, .evaluation), y) > 0.1)
        #expect(scope.collector.buffers.map(\.tensor.values) == before)
    }

    /// The whitening of §3.5: real and imaginary parts become uncorrelated, each of variance 1 before the weights.
    @Test func aComplexBatchNormWhitens() {
        let norm = ComplexBatchNorm(scope, 1)
        let weights = ["Wrr": Float(1), "Wri": 0, "Wii": 1]
        for parameter in scope.collector.parameters {
            weights[parameter.name].map { parameter.assign(Tensor([$0], shape: [1])) }
        }
        let base = noise([8, 10, 10, 2])
        // Correlated parts: y = 2 x + noise.
        let x = Tensor.concatenated([base.channels(0..<1), 2 * base.channels(0..<1) + 0.5 * base.channels(1..<2)])
        let y = norm(x).values.map(Double.init)
        let count = Double(y.count / 2)
        let pairs = stride(from: 0, to: y.count, by: 2).map { (y[$0], y[$0 + 1]) }
        #expect(abs(pairs.reduce(0) { $0 + $1.0 * $1.0 } / count - 1) < 1e-3)
        #expect(abs(pairs.reduce(0) { $0 + $1.1 * $1.1 } / count - 1) < 1e-3)
        #expect(abs(pairs.reduce(0) { $0 + $1.0 * $1.1 } / count) < 1e-3)
    }
}
