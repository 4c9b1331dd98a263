import Foundation
import Objectives
import Tensors
import Testing

@Suite struct VelocityMatchingTests {
    private func input(_ output: Tensor) -> LossInput {
        let zero = Tensor.zeros(output.shape)
        let velocity = Tensor((0..<output.count).map { Float($0 % 5) / 5 - 0.3 }, shape: output.shape)
        return LossInput(
            output: output, state: zero, noise: zero, mean: zero, clean: zero, sigma: [1, 1], velocity: velocity)
    }

    /// A velocity off by (3, 4) everywhere has a modulus of 5: half of 5, or of 25, for each of 12 points of a sample.
    @Test func bothNormsCountComplexValues() {
        let shape = [2, 3, 4, 2]
        let target = input(.zeros(shape)).velocity
        let off = target + Tensor((0..<48).map { $0 % 2 == 0 ? 3 : 4 }, shape: shape)
        #expect(abs(VelocityMatchingLoss(norm: .mse)(input(off)).total.item - 12 * 12.5) < 1e-3)
        #expect(abs(VelocityMatchingLoss(norm: .mae)(input(off)).total.item - 12 * 2.5) < 1e-4)
        #expect(VelocityMatchingLoss(norm: .mae)(input(target)).total.item == 0)
    }

    @Test(arguments: VelocityMatchingLoss.Norm.allCases) func gradientsAreThoseOfTheLoss(
        norm: VelocityMatchingLoss.Norm
    ) {
        let loss = VelocityMatchingLoss(norm: norm)
        var values = (0..<16).map { Float(sin(Double($0) * 1.7)) }
        let output = Tensor(values, shape: [2, 2, 2, 2]).tracked()
        let gradient = loss(input(output)).total.gradients()[output]?.values ?? []
        for index in values.indices {
            func shifted(_ h: Float) -> Double {
                values[index] += h
                defer { values[index] -= h }
                return Double(loss(input(Tensor(values, shape: [2, 2, 2, 2]))).total.item)
            }
            #expect(abs((shifted(1e-2) - shifted(-1e-2)) / 2e-2 - Double(gradient[index])) < 5e-3)
        }
    }
}
