import Kernels
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
                    _ = convolve(x, weight, bias: nil, residual: nil, scale: 1, shape: shape, algorithm: algorithm, keepFilter: true)
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
