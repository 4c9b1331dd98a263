import Kernels
import Layers
import Tensors
import Testing

func noise(_ shape: [Int], _ name: String = "x") -> Tensor {
    Tensor(RandomStream(seed: 3, purpose: name, indices: shape).normals(shape.reduce(1, *)), shape: shape)
}

func streams(_ count: Int) -> [RandomStream] {
    (0..<count).map { RandomStream(seed: 3, purpose: "mask", $0) }
}

/// The largest difference of two tensors of one shape.
func distance(_ a: Tensor, _ b: Tensor) -> Float {
    #expect(a.shape == b.shape)
    return zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
}

/// Every parameter of a scope gets values at which nothing is zero.
func shuffle(_ scope: ParameterScope) {
    for parameter in scope.collector.parameters where parameter.isTrained {
        parameter.assign(0.5 * noise(parameter.shape, parameter.name))
    }
}

/// Compares the slope of `Σ w ⊙ body()` along a random direction of all parameters with a central difference.
///
/// - Parameter tolerance: Relative to the slope; sums of `Float` limit it.
func checkSlope(
    of scope: ParameterScope, tolerance: Double = 1e-2, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () -> Tensor
) {
    let trained = scope.collector.parameters.filter(\.isTrained)
    let start = trained.map { $0.tensor.copied() }
    let directions = trained.map { noise($0.shape, "direction " + $0.name) }
    let result = body()
    let weights = noise(result.shape, "weights")
    let table = result.gradients(seed: weights)
    let found = zip(trained, directions).reduce(0.0) { sum, pair in
        sum + (table[pair.0].map { zip($0.values, pair.1.values).reduce(0.0) { $0 + Double($1.0 * $1.1) } } ?? 0)
    }
    func value(_ step: Double) -> Double {
        for (index, parameter) in trained.enumerated() {
            parameter.assign(.weighted(1, start[index], step, directions[index]))
        }
        return Gradients.off { zip(body().values, weights.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } }
    }
    let step = 2e-3
    let expected = (value(step) - value(-step)) / (2 * step)
    _ = value(0)
    #expect(
        abs(found - expected) <= tolerance * max(1, abs(expected)), "\(found), by differences \(expected)",
        sourceLocation: sourceLocation)
}
