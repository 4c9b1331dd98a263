import Kernels
import Tensors
import Testing

func noise(_ shape: [Int], _ name: String = "x", offset: Float = 0) -> Tensor {
    let count = shape.reduce(1, *)
    let values = RandomStream(seed: 11, purpose: name, indices: shape).normals(count)
    return Tensor(values.map { $0 + offset }, shape: shape)
}

/// Compares the gradients of `Σ w ⊙ body(inputs)`, with a fixed random `w`, with central differences; and with them the
/// derivative in forward mode, `Σ w ⊙ J ẋ = Σ (Jᵀ w) ⊙ ẋ`, for random directions of all inputs and of each alone.
///
/// The difference of single-precision sums limits what can be asked: `tolerance` is relative to the largest entry.
func checkGradients(
    of inputs: [Tensor], tolerance: Float = 3e-3, step: Float = 1e-2, inForwardMode: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: ([Tensor]) -> Tensor
) {
    let leaves = inputs.map { $0.tracked() }
    let result = body(leaves)
    let weights = noise(result.shape, "weights")
    let table = result.gradients(seed: weights)
    func value(_ inputs: [Tensor]) -> Double {
        Gradients.off { zip(body(inputs).values, weights.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }
    }
    if inForwardMode {
        let directions = inputs.enumerated().map { noise($0.element.shape, "direction \($0.offset)") }
        for chosen in [Array(inputs.indices)] + inputs.indices.map({ [$0] }) {
            let moving = inputs.indices.map { chosen.contains($0) ? directions[$0] : nil }
            let carrying = zip(inputs, moving).map { input, direction in direction.map { input.carrying($0) } ?? input }
            let derivative = Gradients.off { body(carrying) }.tangent
            let rise = derivative.map { $0.dot(weights).item } ?? 0
            let products = chosen.map { (table[leaves[$0]] ?? .zeros(inputs[$0].shape)).dot(directions[$0]).item }
            let size =
                max(1, derivative.map { Float($0.squaredNorm.squareRoot()) } ?? 0)
                * Float(weights.squaredNorm.squareRoot())
            #expect(
                abs(rise - products.reduce(0, +)) <= 1e-4 * size, "forward mode along \(chosen)",
                sourceLocation: sourceLocation)
        }
    }
    for (index, leaf) in leaves.enumerated() {
        guard let gradient = table[leaf] else {
            Issue.record("input \(index) has no gradient", sourceLocation: sourceLocation)
            continue
        }
        #expect(gradient.shape == leaf.shape, sourceLocation: sourceLocation)
        let found = gradient.values
        let scale = max(1e-3, found.map(abs).max() ?? 0)
        // At most 40 elements, spread over the input.
        for element in stride(from: 0, to: leaf.count, by: max(1, leaf.count / 40)) {
            let sides = [step, -step].map { shift in
                var moved = inputs
                var values = moved[index].values
                values[element] += shift
                moved[index] = Tensor(values, shape: moved[index].shape)
                return value(moved)
            }
            let expected = Float((sides[0] - sides[1]) / Double(2 * step))
            #expect(
                abs(found[element] - expected) <= tolerance * scale,
                "input \(index), element \(element): \(found[element]), by differences \(expected)",
                sourceLocation: sourceLocation)
        }
    }
}
