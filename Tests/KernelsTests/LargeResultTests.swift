import Foundation
import Kernels
import Testing

extension EngineTests {
    /// Paths that only large or long work takes.
    @Suite struct LargeResultTests {
        /// Results past the caches are those of the other algorithm, which keeps to them.
        @Test func aLargeConvolutionEqualsTheDirectOne() {
            let shape = ConvolutionShape(batch: 1, height: 519, width: 517, channels: 8, filters: 16)
            let x = MapSource(FloatBuffer(noise(shape.inCount)), channels: shape.channels)
            let w = FloatBuffer(noise(shape.weightCount, "w"))
            let (bias, residual) = (FloatBuffer(noise(16, "b")), FloatBuffer(noise(shape.outCount, "r")))
            let results = [ConvolutionAlgorithm.winograd, .direct].map {
                convolve(x, w, bias: bias, residual: residual, scale: 0.5, shape: shape, algorithm: $0).values
            }
            #expect(deviation(results[0], results[1].map(Double.init)) < 1e-5)
        }

        @Test func aLargeNormalizationEqualsItsDefinition() {
            let shape = GroupShape(batch: 1, pixels: 270_001, channels: 16, groups: 4)
            let x = noise(270_001 * 16)
            let statistics = groupStatistics(MapSource(FloatBuffer(x), channels: 16), shape: shape, epsilon: 1e-6)
            let y = normalize(
                FloatBuffer(x), statistics: statistics, gamma: nil, beta: nil, activation: .silu, shape: shape
            ).values
            let s = statistics.values
            let expected = x.indices.map { index in
                let group = index % 16 / 4
                let n = Double(x[index] - s[2 * group]) * Double(s[2 * group + 1])
                return n / (1 + exp(-n))
            }
            #expect(deviation(y, expected) < 1e-5)
        }

        /// Sums of thousands of terms are shared out in parts, whatever the number of threads.
        @Test func aLongProductEqualsItsDefinition() {
            let (m, n, k) = (5, 18, 4096)
            let (a, b) = (noise(m * k, "a"), noise(k * n, "b"))
            let expected = (0..<m * n).map { index in
                (0..<k).reduce(0.0) { $0 + Double(a[$1 * m + index / n]) * Double(b[$1 * n + index % n]) }
            }
            var runs: [[Float]] = []
            everyEngine { engine in
                let out = multiply(
                    FloatBuffer(a), MatrixLayout(rows: k, columns: m).transposed, FloatBuffer(b),
                    MatrixLayout(rows: k, columns: n)
                ).values
                #expect(deviation(out, expected) < 1e-5, "\(engine)")
                runs.append(out)
            }
            #expect(stride(from: 0, to: runs.count, by: 2).allSatisfy { runs[$0] == runs[$0 + 1] })
        }
    }

    @Suite struct NormalsTests {
        /// Four numbers of a block: radius from one word, angle from the next.
        @Test func normalsAreThoseOfTheirBlocks() {
            let stream = RandomStream(seed: 9, purpose: "normals")
            func pair(_ a: UInt32, _ b: UInt32) -> [Double] {
                let radius = (-2 * log((Double(a >> 1) + 0.5) * 0x1p-31)).squareRoot()
                let angle = .pi / 2 * (Double(b >> 30) + Double(b & 0x3FFF_FFFF) * 0x1p-30 - 0.5)
                return [radius * cos(angle), radius * sin(angle)]
            }
            let expected = (0..<512).flatMap { index in
                let words = stream.block(UInt64(index))
                return pair(words.0, words.1) + pair(words.2, words.3)
            }
            var runs: [[Float]] = []
            everyEngine { engine in
                runs.append(stream.normals(2048))
                #expect(zip(runs[runs.count - 1], expected).allSatisfy { abs(Double($0) - $1) < 2e-6 }, "\(engine)")
            }
            #expect(runs.allSatisfy { $0 == runs[0] })
        }
    }
}
