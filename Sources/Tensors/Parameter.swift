package import Kernels

/// A weight that training adjusts: a leaf with a name.
public final class Parameter: Sendable {
    /// The dotted name, as a checkpoint of the reference spells it.
    public let name: String
    /// The values; ``assign(_:)`` replaces them in place.
    public let tensor: Tensor
    /// `false` for a constant that is stored with the weights, such as Fourier frequencies.
    public let isTrained: Bool

    public init(name: String, _ tensor: Tensor, isTrained: Bool = true) {
        self.name = name
        self.isTrained = isTrained
        self.tensor = isTrained ? tensor.tracked() : tensor.detached
    }

    /// The shape of ``tensor``.
    public var shape: [Int] { tensor.shape }
    /// The number of its elements.
    public var count: Int { tensor.count }

    /// Replaces the values in place.
    public func assign(_ values: Tensor) {
        precondition(values.shape == shape, "values \(values.shape) for \(name), which is \(shape)")
        tensor.buffer.copy(from: values.buffer)
    }
}

extension Parameter {
    /// What a step of Adam on this weight takes; without a gradient it is zero.
    package func forAdam(gradient: Tensor?, first: Tensor, second: Tensor, average: Tensor?) -> AdamBuffers {
        AdamBuffers(
            weight: tensor.buffer, gradient: (gradient ?? .zeros(shape)).buffer, first: first.buffer,
            second: second.buffer,
            average: average?.buffer)
    }
}

extension GradientTable {
    /// The gradient of the loss with respect to a parameter, of its shape; `nil` where the loss does not depend on it.
    public subscript(parameter: Parameter) -> Tensor? { self[parameter.tensor] }
}

extension Tensor {
    /// The same elements in a buffer of their own.
    public func copied() -> Tensor { Tensor(buffer: scale(buffer, by: 1), shape: shape) }

    /// `Σ x²` of each tensor, in double precision.
    public static func squaredNorms(_ tensors: [Tensor]) -> [Double] { squares(tensors.map(\.buffer)) }
}
