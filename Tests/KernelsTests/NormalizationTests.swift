import Foundation
import Kernels
import Testing

/// An activation and its slope, from their definitions.
private func plain(_ activation: Activation, _ x: Double) -> (value: Double, slope: Double) {
    let sigmoid = 1 / (1 + exp(-x))
    return switch activation {
    case .identity: (x, 1)
    case .silu: (x * sigmoid, sigmoid * (1 + x * (1 - sigmoid)))
    case .relu: x > 0 ? (x, 1) : (0, 0)
    case .leakyReLU: x > 0 ? (x, 1) : (0.2 * x, 0.2)
    case .leakyReLU001: x > 0 ? (x, 1) : (0.01 * x, 0.01)
    case .elu: x > 0 ? (x, 1) : (exp(x) - 1, exp(x))
    }
}

extension EngineTests {
    @Suite struct NormalizationTests {
        @Test(arguments: Activation.allCases)
        func activationsEqualTheirDefinition(activation: Activation) {
            for count in lengths {
                let x = noise(count).map { 3 * $0 }
                let dy = noise(count, "dy")
                everyEngine { engine in
                    let values = activate(FloatBuffer(x), activation).values
                    #expect(deviation(values, x.map { plain(activation, Double($0)).value }) < 1e-6, "\(engine)")
                    let slopes = activateGradient(FloatBuffer(x), activation, dy: FloatBuffer(dy)).values
                    let expected = zip(x, dy).map { plain(activation, Double($0)).slope * Double($1) }
                    #expect(deviation(slopes, expected) < 1e-6, "\(engine)")
                }
            }
        }

        @Test(arguments: [Activation.silu, .elu])
        func activationsSurviveLargeArguments(activation: Activation) {
            let x: [Float] = [-1e30, -1000, -89, -88, -50, 0, 50, 88, 89, 1000, 1e30]
            everyEngine { engine in
                let values = activate(FloatBuffer(x), activation).values
                for (x, value) in zip(x, values) {
                    let expected = x < -700 ? (activation == .elu ? -1 : 0) : plain(activation, Double(x)).value
                    #expect(abs(Double(value) - expected) <= 1e-6 * max(1, abs(expected)), "\(x), \(engine)")
                }
                let slopes = activateGradient(FloatBuffer(x), activation, dy: FloatBuffer(repeating: 1, count: x.count))
                    .values
                #expect(slopes.allSatisfy { $0.isFinite }, "\(engine)")
            }
        }

        static let shapes: [GroupShape] = [
            GroupShape(batch: 1, pixels: 1, channels: 4, groups: 1),
            GroupShape(batch: 2, pixels: 35, channels: 12, groups: 3),
            GroupShape(batch: 1, pixels: 700, channels: 160, groups: 32),
            GroupShape(batch: 3, pixels: 17, channels: 10, groups: 5),
            GroupShape(batch: 1, pixels: 3000, channels: 8, groups: 2),
            GroupShape(batch: 2, pixels: 9, channels: 33, groups: 33),
        ]

        @Test(arguments: shapes)
        func groupNormEqualsItsDefinition(shape: GroupShape) {
            let (pixels, channels, count) = (shape.pixels, shape.channels, shape.batch * shape.pixels * shape.channels)
            let (width, epsilon) = (channels / shape.groups, 1e-6)
            let x = noise(count).map { 2 * $0 + 5 }
            let (gamma, beta, dy) = (noise(channels, "g"), noise(channels, "b"), noise(count, "dy"))
            for activation in [Activation.identity, .silu, .leakyReLU] {
                var y = [Double](repeating: 0, count: count)
                var dx = y
                var (dgamma, dbeta) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
                for b in 0..<shape.batch {
                    for g in 0..<shape.groups {
                        let members = (0..<pixels).flatMap { p in
                            (g * width..<(g + 1) * width).map { (index: (b * pixels + p) * channels + $0, channel: $0) }
                        }
                        let n = Double(members.count)
                        let mean = members.reduce(0) { $0 + Double(x[$1.index]) } / n
                        let variance = members.reduce(0) { $0 + pow(Double(x[$1.index]) - mean, 2) } / n
                        let rate = 1 / (variance + epsilon).squareRoot()
                        var slopes: [(index: Int, hat: Double, slope: Double)] = []
                        for (index, channel) in members {
                            let hat = (Double(x[index]) - mean) * rate
                            let (value, slope) = plain(activation, hat * Double(gamma[channel]) + Double(beta[channel]))
                            y[index] = value
                            let d = slope * Double(dy[index])
                            dgamma[channel] += d * hat
                            dbeta[channel] += d
                            slopes.append((index, hat, d * Double(gamma[channel])))
                        }
                        let first = slopes.reduce(0) { $0 + $1.slope } / n
                        let second = slopes.reduce(0) { $0 + $1.slope * $1.hat } / n
                        for (index, hat, slope) in slopes { dx[index] = rate * (slope - first - hat * second) }
                    }
                }
                everyEngine { engine in
                    let source = MapSource(FloatBuffer(x), channels: channels)
                    let statistics = groupStatistics(source, shape: shape, epsilon: Float(epsilon))
                    let out = normalize(
                        FloatBuffer(x), statistics: statistics, gamma: FloatBuffer(gamma), beta: FloatBuffer(beta),
                        activation: activation, shape: shape)
                    #expect(deviation(out.values, y) < 1e-5, "\(activation), \(engine)")
                    let d = normalizeGradient(
                        source, statistics: statistics, gamma: FloatBuffer(gamma), beta: FloatBuffer(beta),
                        activation: activation, shape: shape, dy: FloatBuffer(dy))
                    #expect(deviation(d.x.values, dx) < 2e-5, "\(activation), \(engine)")
                    #expect(deviation(d.gamma.values, dgamma) < 1e-5, "\(activation), \(engine)")
                    #expect(deviation(d.beta.values, dbeta) < 1e-5, "\(activation), \(engine)")
                }
            }
        }

        @Test(arguments: [(1, 1), (3, 5), (7, 16), (2, 33), (5, 1000)])
        func softmaxEqualsItsDefinition(rows: Int, columns: Int) {
            let x = noise(rows * columns).map { 3 * $0 }
            let dy = noise(rows * columns, "dy")
            var (y, dx) = ([Double](), [Double]())
            for row in 0..<rows {
                let values = x[row * columns..<(row + 1) * columns].map(Double.init)
                let top = values.max() ?? 0
                let weights: [Double] = values.map { exp($0 - top) }
                let total: Double = weights.reduce(0, +)
                let share: [Double] = weights.map { $0 / total }
                let slopes: [Double] = dy[row * columns..<(row + 1) * columns].map(Double.init)
                var mean = 0.0
                for (p, slope) in zip(share, slopes) { mean += p * slope }
                y += share
                for (p, slope) in zip(share, slopes) { dx.append(p * (slope - mean)) }
            }
            everyEngine { engine in
                let (out, gradient) = (FloatBuffer(x), FloatBuffer(dy))
                applySoftmax(out, rows: rows, columns: columns)
                #expect(deviation(out.values, y) < 2e-6, "\(engine)")
                applySoftmaxGradient(out, dy: gradient, rows: rows, columns: columns)
                #expect(columns == 1 || deviation(gradient.values, dx) < 2e-6, "\(engine)")
            }
        }
    }
}
