import Foundation
import Kernels
import Testing

extension EngineTests {
    @Suite struct ElementwiseTests {
        @Test(arguments: lengths)
        func mapsEqualPlainLoops(count: Int) {
            let (x, y) = (noise(count), noise(count, "y"))
            everyEngine { engine in
                let (xs, ys) = (FloatBuffer(x), FloatBuffer(y))
                let sum = zip(x, y).map { 2 * Double($0) - 0.5 * Double($1) }
                #expect(deviation(combine(2, xs, -0.5, ys).values, sum) < 1e-6, "\(engine)")
                #expect(deviation(scale(xs, by: 3, plus: 1).values, x.map { 3 * Double($0) + 1 }) < 1e-6, "\(engine)")
                #expect(
                    deviation(multiplyElements(xs, ys).values, zip(x, y).map { Double($0) * Double($1) }) < 1e-6,
                    "\(engine)")
                accumulate(xs, into: ys)
                #expect(deviation(ys.values, zip(x, y).map { Double($0) + Double($1) }) < 1e-6, "\(engine)")
            }
        }

        @Test(arguments: lengths)
        func sumsEqualPlainLoops(count: Int) {
            let (x, y) = (noise(count), noise(count, "y"))
            let magnitude = Double(max(1, count)).squareRoot()
            everyEngine { engine in
                let total = x.reduce(0) { $0 + Double($1) }
                #expect(abs(sum(FloatBuffer(x)) - total) < 1e-5 * magnitude, "\(engine)")
                let product = zip(x, y).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                #expect(abs(dot(FloatBuffer(x), FloatBuffer(y)) - product) < 1e-5 * magnitude, "\(engine)")
            }
        }

        @Test(arguments: [(1, 1, 1), (2, 3, 5), (3, 17, 16), (2, 1000, 33), (1, 5000, 7)])
        func channelsAndSamples(batch: Int, pixels: Int, channels: Int) {
            let count = batch * pixels * channels
            let x = noise(count)
            let sample = { (index: Int) in index / (pixels * channels) }
            everyEngine { engine in
                for rows in [1, batch] {
                    let bias = noise(rows * channels, "b")
                    let expected = x.indices.map {
                        Double(x[$0]) + Double(bias[(rows == 1 ? 0 : sample($0)) * channels + $0 % channels])
                    }
                    let out = addToPixels(
                        FloatBuffer(x), FloatBuffer(bias), batch: batch, pixels: pixels, channels: channels)
                    #expect(deviation(out.values, expected) < 1e-6, "\(engine)")
                }
                let factors = noise(batch, "f")
                let scaled = scaleSamples(FloatBuffer(x), by: FloatBuffer(factors)).values
                #expect(
                    deviation(scaled, x.indices.map { Double(x[$0]) * Double(factors[sample($0)]) }) < 1e-6, "\(engine)"
                )
                var sums = [Double](repeating: 0, count: batch * channels)
                for index in x.indices { sums[sample(index) * channels + index % channels] += Double(x[index]) }
                let found = channelSums(FloatBuffer(x), batch: batch, pixels: pixels, channels: channels).values
                #expect(deviation(found, sums) < 1e-5, "\(engine)")
            }
        }

        @Test func concatenationIsUndoneBySlices() {
            let (pixels, widths) = (37, [1, 5, 0, 16, 33])
            let parts = widths.map { (buffer: FloatBuffer(noise(pixels * $0)), channels: $0) }
            everyEngine { engine in
                let whole = concatenateChannels(parts, pixels: pixels)
                var start = 0
                for part in parts {
                    let slice = sliceChannels(whole, pixels: pixels, channels: 55, range: start..<start + part.channels)
                    #expect(slice.values == part.buffer.values, "\(engine)")
                    start += part.channels
                }
            }
        }

        /// Three updates against Kingma & Ba's Algorithm 1 in double precision.
        @Test(arguments: [1, 17, 40000])
        func adamFollowsItsDefinition(count: Int) {
            everyEngine { engine in
                let start = noise(count, "w")
                var (w, m, v, a) = (
                    start.map(Double.init), [Double](repeating: 0, count: count), [Double](repeating: 0, count: count),
                    start.map(Double.init)
                )
                let (weight, average) = (FloatBuffer(start), FloatBuffer(start))
                let (first, second) = (FloatBuffer(repeating: 0, count: count), FloatBuffer(repeating: 0, count: count))
                for step in 1...3 {
                    let g = noise(count, "g\(step)")
                    for i in 0..<count {
                        m[i] = 0.9 * m[i] + 0.1 * Double(g[i])
                        v[i] = 0.999 * v[i] + 0.001 * Double(g[i]) * Double(g[i])
                        let (mean, square) = (
                            m[i] / (1 - pow(0.9, Double(step))), v[i] / (1 - pow(0.999, Double(step)))
                        )
                        w[i] -= 0.01 * mean / (square.squareRoot() + 1e-8)
                        a[i] += (1 - 0.9) * (w[i] - a[i])
                    }
                    updateAdam(
                        weight, gradient: FloatBuffer(g), first: first, second: second, average: average,
                        AdamUpdate(rate: 0.01, count: step, decay: 0.9))
                }
                #expect(deviation(weight.values, w) < 1e-5, "\(engine)")
                #expect(deviation(average.values, a) < 1e-5, "\(engine)")
                #expect(deviation(first.values, m) < 1e-5, "\(engine)")
                #expect(deviation(second.values, v) < 1e-5, "\(engine)")
            }
        }
    }
}
