import Kernels
import Tensors
import Testing

/// Operations of magnitude-preserving networks: their laws, and their gradients by differences.
@Suite struct MagnitudeTests {
    @Test(arguments: [1, 7, 8, 16, 33]) func rowsHaveUnitMagnitude(columns: Int) {
        let y = noise([5, columns]).scaled(by: 30).normalizedRows().values
        for row in 0..<5 {
            let square = (0..<columns).reduce(0.0) {
                $0 + Double(y[row * columns + $1]) * Double(y[row * columns + $1])
            }
            // A row of one number may lie near 0, where ε is no small part of it.
            #expect(abs((square / Double(columns)).squareRoot() - 1) < (columns == 1 ? 1e-2 : 1e-4))
        }
    }

    /// A row of zeros has no direction: it stays, and its gradient is finite.
    @Test func aRowOfZerosStays() {
        let x = Tensor.zeros([2, 4]).tracked()
        let y = x.normalizedRows()
        #expect(y.values.allSatisfy { $0 == 0 })
        #expect(y.sum().gradients()[x]?.values.allSatisfy(\.isFinite) == true)
    }

    /// With them the derivatives in forward mode.
    @Test func gradientsAreThoseOfDifferences() {
        checkGradients(of: [noise([3, 9])]) { $0[0].normalizedRows(epsilon: 0.1, gain: 1.7) }
        checkGradients(of: [noise([4, 2, 3, 3])]) { $0[0].magnitudePreserving(gain: 0.8, order: [2, 0, 3, 1]) }
        checkGradients(of: [noise([4, 3])]) { $0[0].rows([1, 1, 3]) }
        checkGradients(of: [noise([2, 5]), noise([], "t", offset: 0.4)]) { $0[0].scaled(by: $0[1]) }
        checkGradients(of: [noise([2, 5]), noise([2, 5], "b"), Tensor([0.3], shape: [])]) {
            $0[0].blended(with: $0[1], by: $0[2])
        }
        checkGradients(of: [noise([2, 3, 2, 4]), noise([2, 4], "c", offset: 1)]) {
            $0[0].activated(.silu, scaling: $0[1])
        }
        checkGradients(of: [noise([1, 3, 2, 4])]) { $0[0].activated(.silu, scaling: nil) }
        // Some lie outside the limit; none so near that a step of the differences crosses it.
        checkGradients(of: [Tensor([-3, -1, 0.5, 2, 9], shape: [5])]) { $0[0].clipped(to: 1.5) }
    }

    /// What lies within the limit is the same map; what lies outside is held, and no gradient passes.
    @Test func clippingHoldsWhatLiesOutside() {
        let x = Tensor([-3, -1, 0.5, 2, 9], shape: [5]).tracked()
        #expect(x.clipped(to: 10).values == x.values)
        let y = x.clipped(to: 2)
        #expect(y.values == [-2, -1, 0.5, 2, 2])
        #expect(y.sum().gradients()[x]?.values == [0, 1, 1, 1, 0])
    }

    /// Weights that are kept without gradients are made again once they change.
    @Test func keptWeightsFollowTheirSource() {
        let weight = Parameter(name: "w", noise([3, 4]))
        let before = Gradients.off { weight.tensor.magnitudePreserving().values }
        weight.assign(noise([3, 4], "other"))
        let after = Gradients.off { weight.tensor.magnitudePreserving().values }
        #expect(before != after)
        #expect(after == weight.tensor.detached.copied().magnitudePreserving().values)
    }
}
