import Foundation
import Kernels
import Layers
import Tensors
import Testing

/// Laws of single layers.
@Suite struct LayerTests {
    private let scope = ParameterScope(seed: 1)

    /// A group has mean 0 and variance 1 before the affine map, whatever its level.
    @Test(arguments: [(4, 1), (8, 2), (12, 3), (40, 10)])
    func aGroupNormLeavesMeanZeroAndVarianceOneInEachGroup(channels: Int, groups: Int) {
        let x = (7 * noise([2, 5, 3, channels])) + 4
        let y = GroupNorm(scope, channels)(x).values
        #expect(GroupNorm.groups(of: channels) == groups)
        let width = channels / groups
        for sample in 0..<2 {
            for group in 0..<groups {
                let members = (0..<15).flatMap { pixel in
                    (0..<width).map { Double(y[(sample * 15 + pixel) * channels + group * width + $0]) }
                }
                let mean = members.reduce(0, +) / Double(members.count)
                let variance = members.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(members.count)
                #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-3, "group \(group): \(mean), \(variance)")
            }
        }
    }

    @Test func aGroupNormDoesNotChangeWithTheLevelOfItsInput() {
        let (x, norm) = (noise([1, 4, 4, 8]), GroupNorm(scope, 8))
        #expect(distance(norm(x, .silu), norm(300 * x, .silu)) < 1e-4)
    }

    @Test func aLinearLayerIsAffine() {
        let linear = Linear(scope, 6, 5, biasInitial: .constant(2))
        let (a, b) = (noise([3, 6], "a"), noise([3, 6], "b"))
        let zero = linear(.zeros([3, 6]))
        #expect(zero.values.allSatisfy { $0 == 2 })
        #expect(distance(linear(a + b) + zero, linear(a) + linear(b)) < 1e-5)
    }

    /// A convolution commutes with shifts, away from its borders.
    @Test(arguments: [1, 3])
    func aConvolutionMovesWithItsInput(kernel: Int) {
        let convolution = Convolution(scope, 3, 4, kernel: kernel)
        let x = noise([1, 9, 11, 3])
        var moved = x.values
        for row in 0..<9 {
            for column in stride(from: 10, to: 0, by: -1) {
                for channel in 0..<3 {
                    moved[(row * 11 + column) * 3 + channel] = moved[(row * 11 + column - 1) * 3 + channel]
                }
            }
        }
        let (y, z) = (convolution(x).values, convolution(Tensor(moved, shape: x.shape)).values)
        for row in 1..<8 {
            for column in 3..<9 {
                let (here, before) = ((row * 11 + column) * 4, (row * 11 + column - 1) * 4)
                for channel in 0..<4 { #expect(abs(z[here + channel] - y[before + channel]) < 1e-5) }
            }
        }
    }

    @Test func aNetworkInNetworkIsAOneByOneConvolution() {
        let (inner, outer) = (NetworkInNetwork(scope.scope("a"), 3, 5), Convolution(scope.scope("b"), 3, 5, kernel: 1))
        let columns = inner.weight.tensor.values
        outer.weight.assign(Tensor((0..<5).flatMap { f in (0..<3).map { columns[$0 * 5 + f] } }, shape: [5, 3, 1, 1]))
        let x = noise([2, 4, 3, 3])
        #expect(distance(inner(x), outer(x)) < 1e-5)
    }

    /// sin² + cos² = 1 for each frequency, and frequencies are no parameters of training.
    @Test func fourierFeaturesLieOnTheUnitCircle() {
        let features = FourierFeatures(scope, count: 8, scale: 16)
        let values = features([0, 0.3, 1]).values
        for time in 0..<3 {
            for place in 0..<8 {
                let (s, c) = (values[time * 16 + place], values[time * 16 + 8 + place])
                #expect(abs(s * s + c * c - 1) < 1e-5)
            }
        }
        #expect(values[0..<8].allSatisfy { $0 == 0 } && values[8..<16].allSatisfy { $0 == 1 })
        #expect(!features.frequencies.isTrained)
    }

    @Test(arguments: [7, 8]) func positionalFeaturesFallFromOneToATenthOfAThousandth(dimension: Int) {
        let values = positionalFeatures([1, 10_000], dimension: dimension).values
        let half = dimension / 2
        #expect(abs(values[0] - sin(Float(1))) < 1e-6 && abs(values[dimension + half - 1] - sin(Float(1))) < 1e-3)
        if dimension % 2 == 1 { #expect(values[dimension - 1] == 0) }
    }

    // MARK: Dropout

    @Test func dropoutKeepsTheMeanAndDropsItsShare() {
        let dropout = Dropout(scope, rate: 0.3)
        let x = Tensor(repeating: 1, shape: [2, 50, 50, 8])
        let y = dropout(x, .training(streams(2))).values
        let dropped = Double(y.count { $0 == 0 }) / Double(y.count)
        #expect(abs(dropped - 0.3) < 0.01)  // 40,000 draws: a standard deviation of 0.0023
        #expect(y.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-5 })
        #expect(distance(dropout(x, .evaluation), x) == 0)
    }

    /// What is dropped of a sample depends on its stream and the layer, and not on the batch around it.
    @Test func aMaskBelongsToItsSampleAndItsLayer() {
        let (first, second) = (Dropout(scope, rate: 0.5), Dropout(scope, rate: 0.5))
        let (x, all) = (Tensor(repeating: 1, shape: [3, 8, 8, 4]), streams(3))
        let whole = first(x, .training(all))
        #expect(distance(whole.samples(1..<2), first(x.samples(1..<2), .training([all[1]]))) == 0)
        #expect(distance(whole, second(x, .training(all))) > 0)
    }

    // MARK: Initial values

    @Test func initialValuesDependOnSeedAndNameAlone() {
        let (a, b) = (ParameterScope(seed: 1), ParameterScope(seed: 1))
        _ = Linear(b.scope("other"), 3, 3)
        let (x, y) = (Linear(a.scope("part"), 4, 6), Linear(b.scope("part"), 4, 6))
        #expect(x.weight.tensor.values == y.weight.tensor.values && x.weight.name == "part.weight")
        #expect(Linear(ParameterScope(seed: 2).scope("part"), 4, 6).weight.tensor.values != x.weight.tensor.values)
    }

    /// Uniform within ±√(3 scale / average), whose variance is scale / average.
    @Test func aFanAverageHasItsVariance() {
        let values = Convolution(scope, 32, 64, initial: .fanAverage(scale: 2)).weight.tensor.values.map(Double.init)
        let average = Double((32 + 64) * 9) / 2
        let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
        #expect(abs(variance * average / 2 - 1) < 0.03)
        #expect(values.allSatisfy { abs($0) <= (6 / average).squareRoot() })
    }
}
