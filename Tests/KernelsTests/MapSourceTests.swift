import Kernels
import Testing

extension EngineTests {
    /// What reads a source piece by piece finds what reads it as a whole.
    @Suite struct MapSourceTests {
        struct Case: Sendable, CustomTestStringConvertible {
            var batch = 2, height: Int, width: Int
            /// Channels of the maps side by side.
            var widths: [Int]
            var filters = 7, kernel = 3

            var channels: Int { widths.reduce(0, +) }
            var pixels: Int { height * width }
            var testDescription: String { "\(batch)×\(height)×\(width)×\(widths), \(filters) filters of \(kernel)" }
            var convolution: ConvolutionShape {
                ConvolutionShape(
                    batch: batch, height: height, width: width, channels: channels, filters: filters, kernel: kernel)
            }
            var parts: [(buffer: FloatBuffer, channels: Int)] {
                widths.enumerated().map {
                    (FloatBuffer(noise(batch * pixels * $1, "part \($0)").map { 2 * $0 + 1 }), $1)
                }
            }

            /// Maps side by side, and the same as one buffer.
            func sources() throws -> (split: MapSource, whole: MapSource) {
                let maps = parts.map { MapSource($0.buffer, channels: $0.channels) }
                let split = try maps.count == 1 ? maps[0] : #require(maps[0].beside(maps[1]))
                return (split, MapSource(concatenateChannels(parts, pixels: batch * pixels), channels: channels))
            }
        }

        static let cases = [
            Case(height: 5, width: 3, widths: [4]),
            Case(height: 70, width: 61, widths: [8]),
            Case(height: 50, width: 47, widths: [12, 5], filters: 18),
            Case(batch: 3, height: 21, width: 90, widths: [16, 16], filters: 16),
            Case(height: 64, width: 33, widths: [3, 64]),
            Case(height: 133, width: 61, widths: [40, 25], filters: 3),  // in bands of rows
            Case(batch: 3, height: 17, width: 19, widths: [9, 8], filters: 24, kernel: 1),
            Case(batch: 1, height: 3, width: 7, widths: [16, 4], kernel: 1),
            Case(height: 12, width: 13, widths: [5, 6], filters: 4, kernel: 5),
        ]

        @Test(arguments: cases)
        func aConvolutionReadsItsSource(_ one: Case) throws {
            let shape = one.convolution
            let groups = GroupShape(batch: one.batch, pixels: one.pixels, channels: one.channels, groups: 1)
            let (split, whole) = try one.sources()
            let (w, dy) = (FloatBuffer(noise(shape.weightCount, "w")), FloatBuffer(noise(shape.outCount, "dy")))
            let bias = FloatBuffer(noise(one.batch * one.filters, "bias"))
            let residual = FloatBuffer(noise(shape.outCount, "r"))
            let (gamma, beta) = (FloatBuffer(noise(one.channels, "g")), FloatBuffer(noise(one.channels, "b")))
            everyEngine { engine in
                let statistics = groupStatistics(whole, shape: groups, epsilon: 1e-6)
                for activation in [nil, Activation.identity, .silu, .relu] {
                    let (source, plain) =
                        activation.map { activation in
                            let normalized = split.normalized(
                                statistics: statistics, gamma: gamma, beta: beta, activation: activation, shape: groups)
                            let made = normalize(
                                whole.read(batch: one.batch, pixels: one.pixels), statistics: statistics, gamma: gamma,
                                beta: beta,
                                activation: activation, shape: groups)
                            return (normalized, MapSource(made, channels: one.channels))
                        } ?? (split, whole)
                    for algorithm in ConvolutionAlgorithm.allCases where algorithm.computes(shape) {
                        let out = [source, plain].map {
                            convolve(
                                $0, w, bias: bias, residual: residual, scale: 0.5, shape: shape, algorithm: algorithm
                            ).values
                        }
                        #expect(deviation(out[0], out[1].map(Double.init)) < 1e-5, "\(algorithm), \(engine)")
                        let dw = [source, plain].map {
                            convolveWeightGradient($0, dy, shape: shape, algorithm: algorithm).values
                        }
                        #expect(deviation(dw[0], dw[1].map(Double.init)) < 1e-5, "\(algorithm), \(engine)")
                    }
                }
            }
        }

        @Test(arguments: cases)
        func aNormalizationReadsItsSource(_ one: Case) throws {
            let (split, whole) = try one.sources()
            let dy = FloatBuffer(noise(whole.count, "dy"))
            let (gamma, beta) = (FloatBuffer(noise(one.channels, "g")), FloatBuffer(noise(one.channels, "b")))
            let shape = GroupShape(
                batch: one.batch, pixels: one.pixels, channels: one.channels, groups: one.channels == 20 ? 4 : 1)
            everyEngine { engine in
                let statistics = [split, whole].map { groupStatistics($0, shape: shape, epsilon: 1e-6) }
                #expect(deviation(statistics[0].values, statistics[1].values.map(Double.init)) < 1e-6, "\(engine)")
                let d = [split, whole].map {
                    normalizeGradient(
                        $0, statistics: statistics[1], gamma: gamma, beta: beta, activation: .silu, shape: shape, dy: dy
                    )
                }
                #expect(deviation(d[0].x.values, d[1].x.values.map(Double.init)) < 1e-6, "\(engine)")
                #expect(deviation(d[0].gamma.values, d[1].gamma.values.map(Double.init)) < 1e-6, "\(engine)")
                #expect(deviation(d[0].beta.values, d[1].beta.values.map(Double.init)) < 1e-6, "\(engine)")
                #expect(
                    split.read(batch: one.batch, pixels: one.pixels).values
                        == whole.read(batch: one.batch, pixels: one.pixels).values)
            }
        }

        @Test func doesNotDependOnTheThreads() throws {
            let one = Self.cases[2]
            let threads = Engine.threads
            defer { Engine.threads = threads }
            let (split, _) = try one.sources()
            let w = FloatBuffer(noise(one.convolution.weightCount, "w"))
            let runs = [1, 2, 3, 7].map { count in
                Engine.threads = count
                return convolve(split, w, bias: nil, residual: nil, scale: 1, shape: one.convolution).values
            }
            #expect(runs.allSatisfy { $0 == runs[0] })
        }
    }
}
