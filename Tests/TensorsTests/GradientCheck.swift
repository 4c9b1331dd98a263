import Kernels
import Tensors
import Testing

func noise(_ shape: [Int], _ name: String = "x", offset: Float = 0) -> Tensor {
    let count = shape.reduce(1, *)
    let values = RandomStream(seed: 11, purpose: name, indices: shape).normals(count)
    return Tensor(values.map { $0 + offset }, shape: shape)
}

/// Compares the gradients of `Σ w ⊙ body(inputs)`, with a fixed random `w`, with central differences.
///
/// The difference of single-precision sums limits what can be asked: `tolerance` is relative to the largest entry.
func checkGradients(
    of inputs: [Tensor], tolerance: Float = 3e-3, step: Float = 1e-2, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: ([Tensor]) -> Tensor
) {
    let leaves = inputs.map { $0.tracked() }
    let result = body(leaves)
    let weights = noise(result.shape, "weights")
    let table = result.gradients(seed: weights)
    func value(_ inputs: [Tensor]) -> Double {
        Gradients.off { zip(body(inputs).values, weights.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }
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
