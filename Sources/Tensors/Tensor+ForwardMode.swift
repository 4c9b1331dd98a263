import Kernels

// Differentiation in forward mode: a tensor `x` that carries a tangent `ẋ` goes through an operation `f` together with
// `ḟ = J_f(x) ẋ`, whatever the operation's other inputs are. One pass gives the product of a network's Jacobian with
// one direction (JVP), and keeps nothing for a way back.
//
// Griewank and Walther, *Evaluating Derivatives*, 2008, Sec. 3.1.
extension Tensor {
    /// How the tangents of an operation's inputs, `nil` for zeros, make that of its result. Linear operations apply
    /// themselves to them.
    package typealias Forward = (_ tangents: [Tensor?]) -> Tensor?

    /// The derivative that the tensor carries; `nil` for none.
    public var tangent: Tensor? { node?.tangent }

    /// The node that gradients go to; `nil` for a constant.
    var recordedNode: GraphNode? { node.flatMap { $0.isConstant ? nil : $0 } }

    /// The same elements, carrying a derivative of their shape.
    public func carrying(_ tangent: Tensor) -> Tensor {
        precondition(tangent.shape == shape, "a tangent \(tangent.shape) of a tensor \(shape)")
        let carried = tangent.detached
        guard let recordedNode else { return Tensor(contents, shape: shape, node: GraphNode(tangent: carried)) }
        let node = GraphNode(parents: [recordedNode], backward: { dy, sink in sink.add(dy, to: 0) }, tangent: carried)
        return Tensor(contents, shape: shape, node: node)
    }

    /// The derivative of an operation's result; `nil` where no input carries one.
    ///
    /// - Precondition: The operation has a rule.
    static func tangent(from inputs: [Tensor], _ forward: Forward?) -> Tensor? {
        guard inputs.contains(where: { $0.tangent != nil }) else { return nil }
        guard let forward else { preconditionFailure("an operation without a rule of forward mode met a tangent") }
        return Gradients.off { forward(inputs.map(\.tangent)) }?.detached
    }

    /// The rule of an operation that is linear in its only input.
    static func linearly(_ operation: @escaping (Tensor) -> Tensor) -> Forward { { $0[0].map(operation) } }

    /// The sum of what is there.
    static func total(_ parts: [Tensor?]) -> Tensor? {
        parts.compactMap(\.self).reduce(nil) { sum, part in sum.map { $0 + part } ?? part }
    }
}

/// The value of `f` at `x` and its derivative along `direction`, `J_f(x) ẋ`.
///
/// - Parameter x: Inputs with their directions; what `f` uses besides is a constant.
/// - Returns: The derivative is zeros where `f` does not depend on the inputs.
public func pushforward(
    _ x: [(value: Tensor, direction: Tensor)], _ f: ([Tensor]) -> Tensor
) -> (value: Tensor, derivative: Tensor) {
    let result = f(x.map { $0.value.carrying($0.direction) })
    return (result, result.tangent ?? .zeros(result.shape))
}
