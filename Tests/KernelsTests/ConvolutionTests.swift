import Kernels
import Testing

/// The sums that define a convolution and its gradients, in double precision.
private struct PlainConvolution {
    var s: ConvolutionShape

    /// Calls `body(input, weight, output)` with the indices of every term.
    func forEachTerm(_ body: (Int, Int, Int) -> Void) {
        for b in 0..<s.batch {
            for oy in 0..<s.outHeight {
                for ox in 0..<s.outWidth {
                    for ky in 0..<s.vertical.kernel {
                        for kx in 0..<s.horizontal.kernel {
                            let y = oy * s.vertical.stride - s.vertical.padBefore + ky * s.vertical.dilation
                            let x = ox * s.horizontal.stride - s.horizontal.padBefore + kx * s.horizontal.dilation
                            guard (0..<s.height).contains(y), (0..<s.width).contains(x) else { continue }
                            for c in 0..<s.channels {
                                for f in 0..<s.filters {
                                    body(
                                        ((b * s.height + y) * s.width + x) * s.channels + c,
                                        ((f * s.channels + c) * s.vertical.kernel + ky) * s.horizontal.kernel + kx,
                                        ((b * s.outHeight + oy) * s.outWidth + ox) * s.filters + f)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    func forward(_ x: [Float], _ w: [Float]) -> [Double] {
        var out = [Double](repeating: 0, count: s.outCount)
        forEachTerm { out[$2] += Double(x[$0]) * Double(w[$1]) }
        return out
    }

    func inputGradient(_ dy: [Float], _ w: [Float]) -> [Double] {
        var dx = [Double](repeating: 0, count: s.inCount)
        forEachTerm { dx[$0] += Double(dy[$2]) * Double(w[$1]) }
        return dx
    }

    func weightGradient(_ x: [Float], _ dy: [Float]) -> [Double] {
        var dw = [Double](repeating: 0, count: s.weightCount)
        forEachTerm { dw[$1] += Double(x[$0]) * Double(dy[$2]) }
        return dw
    }
}

private let shapes: [ConvolutionShape] = [
    .init(batch: 1, height: 1, width: 1, channels: 1, filters: 1),
    .init(batch: 2, height: 5, width: 7, channels: 3, filters: 5),
    .init(batch: 1, height: 16, width: 17, channels: 8, filters: 16),
    .init(batch: 2, height: 19, width: 13, channels: 9, filters: 33),
    .init(batch: 1, height: 9, width: 35, channels: 4, filters: 12),
    .init(batch: 3, height: 4, width: 4, channels: 16, filters: 8),
    .init(batch: 2, height: 6, width: 5, channels: 7, filters: 3, kernel: 1),
    .init(batch: 1, height: 40, width: 33, channels: 5, filters: 9, kernel: 1),
    .init(batch: 1, height: 9, width: 8, channels: 6, filters: 4, stride: 2, padBefore: 0, padAfter: 1),
    .init(batch: 2, height: 8, width: 9, channels: 3, filters: 5, stride: 2, padBefore: 1),
    .init(batch: 1, height: 7, width: 6, channels: 2, filters: 4, stride: 3, padBefore: 2, padAfter: 0),
    .init(batch: 1, height: 11, width: 9, channels: 5, filters: 6, dilation: 2),
    .init(batch: 1, height: 6, width: 8, channels: 4, filters: 7, padBefore: 0),
    .init(batch: 1, height: 6, width: 8, channels: 4, filters: 7, padBefore: 2),
    .init(batch: 2, height: 7, width: 5, channels: 3, filters: 8, kernel: 5),
    .init(batch: 1, height: 7, width: 6, channels: 3, filters: 4, kernel: 4, padBefore: 2),
    .init(
        batch: 2, height: 13, width: 6, channels: 3, filters: 5, vertical: .init(kernel: 7, stride: 2),
        horizontal: .init(kernel: 5, stride: 1)),
    .init(
        batch: 1, height: 20, width: 9, channels: 4, filters: 6,
        vertical: .init(kernel: 4, stride: 2, padBefore: 2, dilation: 4),
        horizontal: .init(kernel: 4, stride: 2, padBefore: 2)),
    .init(
        batch: 1, height: 9, width: 33, channels: 3, filters: 7, vertical: .init(kernel: 1),
        horizontal: .init(kernel: 7)),
    .init(
        batch: 2, height: 12, width: 1, channels: 5, filters: 3, vertical: .init(kernel: 5, padBefore: 1, padAfter: 3),
        horizontal: .init(kernel: 1)),
]

extension EngineTests {
    @Suite struct ConvolutionTests {
        private static func algorithms(_ shape: ConvolutionShape) -> [ConvolutionAlgorithm] {
            ConvolutionAlgorithm.allCases.filter { $0.computes(shape) }
        }

        @Test(arguments: shapes)
        func equalsItsDefinition(shape: ConvolutionShape) {
            let plain = PlainConvolution(s: shape)
            let (x, w) = (noise(shape.inCount), noise(shape.weightCount, "w"))
            let dy = noise(shape.outCount, "dy")
            let forward = plain.forward(x, w)
            let (dx, dw) = (plain.inputGradient(dy, w), plain.weightGradient(x, dy))
            let (xs, ws, dys) = (MapSource(FloatBuffer(x), channels: shape.channels), FloatBuffer(w), FloatBuffer(dy))
            everyEngine { engine in
                for algorithm in Self.algorithms(shape) {
                    let out = convolve(
                        xs, ws, bias: nil, residual: nil, scale: 1, shape: shape, algorithm: algorithm)
                    #expect(deviation(out.values, forward) < 1e-5, "\(algorithm), \(engine)")
                    let gradient = convolveWeightGradient(xs, dys, shape: shape, algorithm: algorithm)
                    #expect(deviation(gradient.values, dw) < 1e-5, "\(algorithm), \(engine)")
                }
                #expect(deviation(convolveInputGradient(dys, ws, shape: shape).values, dx) < 1e-5, "\(engine)")
            }
        }

        @Test(arguments: shapes.prefix(8))
        func biasResidualAndScaleComeAfterIt(shape: ConvolutionShape) {
            let (x, w, r) = (noise(shape.inCount), noise(shape.weightCount, "w"), noise(shape.outCount, "r"))
            let plain = PlainConvolution(s: shape).forward(x, w)
            let pixels = shape.outHeight * shape.outWidth
            for rows in [1, shape.batch] {
                let bias = noise(rows * shape.filters, "b")
                let expected = plain.indices.map { index in
                    let sample = rows == 1 ? 0 : index / (pixels * shape.filters)
                    return 0.25
                        * (plain[index] + Double(bias[sample * shape.filters + index % shape.filters])
                            + Double(r[index]))
                }
                everyEngine { engine in
                    for algorithm in Self.algorithms(shape) {
                        let out = convolve(
                            MapSource(FloatBuffer(x), channels: shape.channels), FloatBuffer(w),
                            bias: FloatBuffer(bias), residual: FloatBuffer(r),
                            scale: 0.25, shape: shape, algorithm: algorithm)
                        #expect(deviation(out.values, expected) < 1e-5, "\(algorithm), \(engine)")
                    }
                }
            }
        }

        @Test(arguments: shapes.prefix(8))
        func doesNotDependOnTheThreads(shape: ConvolutionShape) {
            let threads = Engine.threads
            defer { Engine.threads = threads }
            let x = MapSource(FloatBuffer(noise(shape.inCount)), channels: shape.channels)
            let w = FloatBuffer(noise(shape.weightCount, "w"))
            let dy = FloatBuffer(noise(shape.outCount, "dy"))
            for algorithm in Self.algorithms(shape) {
                let runs = [1, 2, 3, 7].map { count in
                    Engine.threads = count
                    return convolve(x, w, bias: nil, residual: nil, scale: 1, shape: shape, algorithm: algorithm).values
                        + convolveWeightGradient(x, dy, shape: shape, algorithm: algorithm).values
                        + convolveInputGradient(dy, w, shape: shape).values
                }
                #expect(runs.allSatisfy { $0 == runs[0] }, "\(algorithm)")
            }
        }

        @Test func keptFiltersAreForgottenWithTheirWeights() {
            let shape = ConvolutionShape(batch: 1, height: 16, width: 16, channels: 8, filters: 8)
            let x = MapSource(FloatBuffer(noise(shape.inCount)), channels: shape.channels)
            let w = FloatBuffer(noise(shape.weightCount, "w"))
            let run = {
                convolve(x, w, bias: nil, residual: nil, scale: 1, shape: shape, keepFilter: true).values
            }
            let first = run()
            #expect(run() == first)
            w.copy(from: scale(w, by: 2))
            #expect(run() == first.map { 2 * $0 })
        }
    }
}
