import Backbones
import Kernels
import Layers
import Tensors
import Testing

func noise(_ shape: [Int], _ name: String = "x") -> Tensor {
    Tensor(RandomStream(seed: 21, purpose: name, indices: shape).normals(shape.reduce(1, *)), shape: shape)
}

/// Checks a network's gradients: along the gradient itself, the loss must rise by the gradient's norm.
///
/// All parameters move together, and so do the inputs; the rise is a central difference.
func checkGradients(
    of network: some Backbone, bins: Int, frames: Int, _ mode: ForwardMode? = nil, tolerance: Double = 0.01,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let (x, y) = (noise([2, bins, frames, 2], "x").tracked(), noise([2, bins, frames, 2], "y").tracked())
    let (t, w) = ([0.3, 0.8] as [Float], noise([2, bins, frames, 2], "w"))
    let mode = mode ?? .evaluation
    let result = network(x, y, t, mode)
    #expect(result.shape == x.shape && result.values.allSatisfy { $0.isFinite }, sourceLocation: sourceLocation)
    let gradients = result.dot(w).gradients()
    let trained = network.parameters.filter(\.isTrained)
    let loss = { (x: Tensor, y: Tensor) in
        Gradients.off { zip(network(x, y, t, mode).values, w.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }
    }

    let slopes = trained.map { gradients[$0]?.detached }
    let norm = slopes.reduce(0.0) { $0 + ($1?.squaredNorm ?? 0) }.squareRoot()
    let start = trained.map { Tensor($0.tensor.values, shape: $0.shape) }
    let step = 0.005
    let sides = [step, -step].map { step in
        for (index, parameter) in trained.enumerated() {
            if let slope = slopes[index] { parameter.assign(.weighted(1, start[index], step / norm, slope)) }
        }
        return loss(x, y)
    }
    for (index, parameter) in trained.enumerated() { parameter.assign(start[index]) }
    let rise = (sides[0] - sides[1]) / (2 * step)
    #expect(abs(rise - norm) <= tolerance * norm, "parameters: \(rise), norm \(norm)", sourceLocation: sourceLocation)

    let (dx, dy) = (try #require(gradients[x]), try #require(gradients[y]))
    let inputNorm = (dx.squaredNorm + dy.squaredNorm).squareRoot()
    let moved = [step, -step].map {
        loss(.weighted(1, x.detached, $0 / inputNorm, dx), .weighted(1, y.detached, $0 / inputNorm, dy))
    }
    let inputRise = (moved[0] - moved[1]) / (2 * step)
    #expect(
        abs(inputRise - inputNorm) <= tolerance * inputNorm, "inputs: \(inputRise), norm \(inputNorm)",
        sourceLocation: sourceLocation)
}
