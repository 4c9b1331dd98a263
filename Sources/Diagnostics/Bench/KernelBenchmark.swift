public import Kernels
import Objectives
import Tensors

/// Parts of the engine by themselves.
public enum KernelBenchmark {
    /// A 3×3 convolution of `[batch, height, width, channels]` and its two gradients, by every algorithm that can.
    public static func convolution(_ shape: ConvolutionShape, repetitions: Int) -> [Benchmark] {
        let stream = RandomStream(seed: 1, purpose: "benchmark/convolution")
        let x = MapSource(FloatBuffer(stream.child(0).normals(shape.inCount)), channels: shape.channels)
        let weight = FloatBuffer(stream.child(1).normals(shape.weightCount))
        let dy = FloatBuffer(stream.child(2).normals(shape.outCount))
        return ConvolutionAlgorithm.allCases.filter { $0.computes(shape) && $0 != .automatic }.flatMap { algorithm in
            [
                Benchmark.measure("\(algorithm) forward", repetitions: repetitions) {
                    _ = convolve(
                        x, weight, bias: nil, residual: nil, scale: 1, shape: shape, algorithm: algorithm,
                        keepFilter: true)
                },
                Benchmark.measure("\(algorithm) input gradient", repetitions: repetitions) {
                    _ = convolveInputGradient(dy, weight, shape: shape, algorithm: algorithm)
                },
                Benchmark.measure("\(algorithm) weight gradient", repetitions: repetitions) {
                    _ = convolveWeightGradient(x, dy, shape: shape, algorithm: algorithm)
                },
            ]
        }
    }

    /// A product of dense matrices: by the register tile of the engine in fp32, in bf16 where the processor has it, and
    /// by OpenBLAS where it is installed.
    public struct Product: Sendable {
        /// The product of `[rows, inner]` and `[inner, columns]`.
        public var rows, inner, columns: Int
        /// The engine's own product in fp32.
        public var tile: Benchmark
        /// In bf16, nil where the processor has no instructions for it; by OpenBLAS, nil where it is not installed.
        public var halves, openBLAS: Benchmark?
        /// The largest difference of OpenBLAS's result from the tile's, relative to its largest value.
        public var difference: Double?
    }

    /// The products of the full network: the points of Winograd at each level, attention, and the dense layer of time.
    public static let networkProducts = [
        (4096, 128, 128), (256, 256, 256), (64, 512, 256), (16, 256, 256), (256, 256, 2304), (1, 512, 512),
    ]

    /// Times one product; short ones are repeated within a repetition, and the times are those of one product.
    public static func product(rows: Int, inner: Int, columns: Int, repetitions: Int, beside blas: OpenBLAS?) -> Product
    {
        let stream = RandomStream(seed: 1, purpose: "benchmark/product")
        let (a, b) = (
            FloatBuffer(stream.child(0).normals(rows * inner)), FloatBuffer(stream.child(1).normals(inner * columns))
        )
        let (left, right) = (MatrixLayout(rows: rows, columns: inner), MatrixLayout(rows: inner, columns: columns))
        // Short products are made several times in a repetition.
        let times = max(1, Int(2e8 / (2 * Double(rows) * Double(inner) * Double(columns))))
        func measure(_ name: String, _ body: () -> FloatBuffer) -> Benchmark {
            var result = Benchmark.measure("\(name) \(rows)×\(inner)×\(columns)", repetitions: repetitions) {
                for _ in 0..<times { _ = body() }
            }
            result.seconds = result.seconds.map { $0 / Double(times) }
            result.processorSeconds = result.processorSeconds.map { $0 / Double(times) }
            result.gflop = 2e-9 * Double(rows) * Double(inner) * Double(columns)
            return result
        }
        var result = Product(
            rows: rows, inner: inner, columns: columns, tile: measure("tile") { multiply(a, left, b, right) })
        if Engine.hasHalfProducts {
            result.halves = Engine.with(.bf16) { measure("bf16") { multiply(a, left, b, right) } }
        }
        if let blas {
            let expected = multiply(a, left, b, right).values
            let found = blas.multiply(a, b, rows: rows, inner: inner, columns: columns).values
            let largest = expected.reduce(0) { max($0, abs($1)) }
            result.difference = Double(
                zip(expected, found).reduce(0) { max($0, abs($1.0 - $1.1)) } / max(largest, .leastNormalMagnitude))
            result.openBLAS = measure("OpenBLAS") { blas.multiply(a, b, rows: rows, inner: inner, columns: columns) }
        }
        return result
    }

    /// The short-time transform of `seconds` at 16 kHz, 510 points every 128 samples, and its inverse.
    public static func shortTimeTransform(seconds: Double, repetitions: Int) -> Benchmark {
        let count = Int(16_000 * seconds)
        let signal = RandomStream(seed: 1, purpose: "benchmark/stft").normals(count)
        let transform = ShortTimeFourier(size: 510, hop: 128)
        return Benchmark.measure("stft and inverse of \(seconds) s", repetitions: repetitions) {
            _ = transform.inverse(transform.forward([signal]), length: count)
        }
    }
}
