import Kernels

/// A weight that training adjusts: a leaf with a name.
public final class Parameter: Sendable {
    /// The dotted name, as a checkpoint of the reference spells it.
    public let name: String
    public let tensor: Tensor
    /// `false` for a constant that is stored with the weights, such as Fourier frequencies.
    public let isTrained: Bool

    public init(name: String, _ tensor: Tensor, isTrained: Bool = true) {
        self.name = name
        self.isTrained = isTrained
        self.tensor = isTrained ? tensor.tracked() : tensor.detached
    }

    public var shape: [Int] { tensor.shape }
    public var count: Int { tensor.count }

    /// Replaces the values in place.
    public func assign(_ values: Tensor) {
        precondition(values.shape == shape, "values \(values.shape) for \(name), which is \(shape)")
        tensor.buffer.copy(from: values.buffer)
    }
}

extension GradientTable {
    public subscript(parameter: Parameter) -> Tensor? { self[parameter.tensor] }
}

extension Tensor {
    /// The same elements in a buffer of their own.
    public func copied() -> Tensor { Tensor(buffer: scale(buffer, by: 1), shape: shape) }

    /// One step of Adam in place, with the moving average; see ``Kernels/updateAdam(_:gradient:first:second:average:_:)``.
    public func applyAdam(gradient: Tensor, first: Tensor, second: Tensor, average: Tensor?, _ update: AdamUpdate) {
        updateAdam(
            buffer, gradient: gradient.buffer, first: first.buffer, second: second.buffer, average: average?.buffer, update)
    }
}
