import Kernels
import Testing

extension EngineTests {
    /// Products of bfloat16s with sums in fp32, where this processor has them.
    @Suite(.enabled(if: Engine.hasHalfProducts, "this processor has no AVX512-BF16"))
    struct PrecisionTests {
        /// The nearest bfloat16, ties to even.
        private static func rounded(_ x: Float) -> Float {
            let bits = x.bitPattern
            return Float(bitPattern: (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF_0000)
        }

        private static func whole(_ count: Int, _ name: String, times factor: Float = 1) -> [Float] {
            noise(count, name).map { factor * max(-1, min(1, $0.rounded())) }
        }

        private static let shapes: [ConvolutionShape] = [
            .init(batch: 2, height: 19, width: 13, channels: 9, filters: 33),
            .init(batch: 1, height: 40, width: 33, channels: 65, filters: 40),
            .init(batch: 1, height: 133, width: 33, channels: 8, filters: 5),
            .init(batch: 3, height: 4, width: 4, channels: 15, filters: 8),
            .init(batch: 2, height: 8, width: 9, channels: 3, filters: 5, stride: 2, padBefore: 1),
            .init(batch: 1, height: 40, width: 33, channels: 5, filters: 9, kernel: 1),
            .init(batch: 1, height: 16, width: 17, channels: 200, filters: 12),
        ]

        /// Filters of multiples of 24² and inputs of ones have Winograd points that are bfloat16s: nothing is rounded.
        @Test(arguments: shapes)
        func convolutionsOfSuchNumbersAreExact(shape: ConvolutionShape) {
            let x = FloatBuffer(Self.whole(shape.inCount, "x"))
            let w = FloatBuffer(Self.whole(shape.weightCount, "w", times: 576))
            let dy = FloatBuffer(Self.whole(shape.outCount, "dy"))
            for algorithm in ConvolutionAlgorithm.allCases where algorithm.computes(shape) {
                func compute() -> [[Float]] {
                    let source = MapSource(x, channels: shape.channels)
                    let out = convolve(
                        source, w, bias: nil, residual: nil, scale: 1, shape: shape, algorithm: algorithm)
                    return [out.values, convolveInputGradient(dy, w, shape: shape).values]
                }
                let (expected, found) = (compute(), Engine.with(.bf16, compute))
                for (expected, found) in zip(expected, found) {
                    #expect(deviation(found, expected.map(Double.init)) < 1e-6, "\(algorithm)")
                }
            }
        }

        @Test(arguments: [(1, 1, 1), (3, 5, 7), (13, 33, 31), (100, 40, 300), (300, 70, 513)])
        func productsAreThoseOfRoundedFactors(rows: Int, columns: Int, inner: Int) {
            let (a, b) = (noise(rows * inner, "a"), noise(inner * columns, "b"))
            var expected = [Double](repeating: 0, count: rows * columns)
            for i in 0..<rows {
                for j in 0..<columns {
                    for k in 0..<inner {
                        expected[i * columns + j] +=
                            Double(Self.rounded(a[i * inner + k])) * Double(Self.rounded(b[k * columns + j]))
                    }
                }
            }
            let turned = (0..<inner * rows).map { a[($0 % rows) * inner + $0 / rows] }
            let (left, right) = (MatrixLayout(rows: rows, columns: inner), MatrixLayout(rows: inner, columns: columns))
            Engine.with(.bf16) {
                let found = multiply(FloatBuffer(a), left, FloatBuffer(b), right)
                #expect(deviation(found.values, expected) < 1e-5)
                let other = multiply(
                    FloatBuffer(turned), MatrixLayout(rows: inner, columns: rows).transposed, FloatBuffer(b), right)
                #expect(other.values == found.values)
            }
        }

        /// The transforms of Winograd add what rounding does to their factors, twelvefold; a direct sum has 0.2 %.
        @Test func theErrorOfAConvolutionIsBounded() {
            let shape = ConvolutionShape(batch: 1, height: 40, width: 36, channels: 96, filters: 48)
            let source = MapSource(FloatBuffer(noise(shape.inCount)), channels: shape.channels)
            let w = FloatBuffer(noise(shape.weightCount, "w"))
            for (algorithm, least, most) in [
                (ConvolutionAlgorithm.winograd, 5e-3, 4e-2), (.columns, 1e-3, 4e-3), (.direct, 0, 1e-6),
            ] {
                func compute() -> [Float] {
                    convolve(source, w, bias: nil, residual: nil, scale: 1, shape: shape, algorithm: algorithm).values
                }
                let (whole, halves) = (compute(), Engine.with(.bf16, compute))
                let squares = zip(whole, halves).reduce((0.0, 0.0)) { sums, pair in
                    (sums.0 + Double((pair.0 - pair.1) * (pair.0 - pair.1)), sums.1 + Double(pair.0 * pair.0))
                }
                let error = (squares.0 / squares.1).squareRoot()
                #expect(error >= least && error < most, "\(algorithm): \(error)")
            }
        }

        @Test func neitherThreadsNorGradientsOfFiltersChange() {
            let shape = Self.shapes[1]
            let source = MapSource(FloatBuffer(noise(shape.inCount)), channels: shape.channels)
            let (w, dy) = (FloatBuffer(noise(shape.weightCount, "w")), FloatBuffer(noise(shape.outCount, "dy")))
            let threads = Engine.threads
            defer { Engine.threads = threads }
            let outputs = [1, 3].map { count in
                Engine.threads = count
                return Engine.with(.bf16) {
                    convolve(source, w, bias: nil, residual: nil, scale: 1, shape: shape).values
                }
            }
            #expect(outputs[0] == outputs[1])
            let plain = convolveWeightGradient(source, dy, shape: shape).values
            #expect(Engine.with(.bf16) { convolveWeightGradient(source, dy, shape: shape).values } == plain)
        }
    }

    @Suite struct PrecisionChoiceTests {
        @Test func whatTheHostLacksSaysWhatThereIs() {
            #expect(
                throws: DeviceError("the processor computes no products in tf32", "give --device cuda, or fp32 or bf16")
            ) {
                try Precision.tf32.check()
            }
            Engine.useInstructionSet(0)
            defer { Engine.useInstructionSet(-1) }
            let error = #expect(throws: DeviceError.self) { try Precision.bf16.check() }
            #expect(error?.summary == "bf16 needs a processor with AVX512-BF16, and this one computes with baseline")
        }
    }
}
