package import Kernels

/// A dense array of `Float`, row-major, with the record of how it was computed.
///
/// Maps are channels last: `[B, H, W, C]`. A complex spectrogram is `[B, F, N, 2]`: bins, frames, and the
/// real and imaginary part side by side. A tensor is a value; operations make new ones.
public struct Tensor: Sendable {
    /// The extent of each dimension, outermost first; empty for a scalar.
    public let shape: [Int]
    /// The number of elements, the product of ``shape``.
    public let count: Int
    package let contents: TensorContents
    /// The operation that made this tensor; `nil` for a constant.
    package let node: GraphNode?

    package init(_ contents: TensorContents, shape: [Int], node: GraphNode? = nil) {
        count = shape.reduce(1, *)
        precondition(contents.count == count, "a tensor \(shape) of \(contents.count) elements")
        self.contents = contents
        self.shape = shape
        self.node = node
    }

    package init(buffer: FloatBuffer, shape: [Int], node: GraphNode? = nil) {
        self.init(.made(buffer, recipe: nil), shape: shape, node: node)
    }

    package var buffer: FloatBuffer { contents.buffer }

    /// The tensor with these elements, row by row.
    public init(_ values: [Float], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "a tensor \(shape) of \(values.count) elements")
        self.init(buffer: FloatBuffer(values), shape: shape)
    }

    /// The tensor of a shape with one value everywhere.
    public init(repeating value: Float, shape: [Int]) {
        self.init(buffer: FloatBuffer(repeating: value, count: shape.reduce(1, *)), shape: shape)
    }

    /// The constant tensor of zeros.
    public static func zeros(_ shape: [Int]) -> Tensor { Tensor(repeating: 0, shape: shape) }

    /// The constant tensor of rank 0.
    public static func scalar(_ value: Float) -> Tensor { Tensor([value], shape: []) }

    /// The number of dimensions.
    public var rank: Int { shape.count }

    /// The elements, row by row.
    public var values: [Float] { buffer.values }

    /// The only element.
    public var item: Float {
        precondition(count == 1, "the item of a tensor \(shape)")
        return buffer[0]
    }

    /// Reads the elements in place.
    public func withSpan<Result>(_ body: (Span<Float>) throws -> Result) rethrows -> Result {
        try buffer.withSpan(body)
    }

    /// The same elements as a constant: no gradient flows through it, and it carries no tangent.
    public var detached: Tensor { Tensor(contents, shape: shape) }

    /// The same elements as a leaf, whose gradient ``gradients(seed:)`` reports.
    public func tracked() -> Tensor { Tensor(contents, shape: shape, node: GraphNode(parents: [], backward: nil)) }

    /// The same elements under another shape.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "a tensor \(self.shape) cannot become \(shape)")
        let old = self.shape
        return Tensor(
            buffer: buffer, shape: shape, from: [self], recipe: contents.recipe,
            forward: Self.linearly { $0.reshaped(shape) }
        ) { dy, sink in
            sink.add(dy.reshaped(old), to: 0)
        }
    }

    /// This map as an operation reads it.
    package var source: MapSource { contents.source(channels: map.channels) }

    /// Extents of a map.
    package var map: (batch: Int, height: Int, width: Int, channels: Int) {
        precondition(rank == 4, "a map is [B, H, W, C], not \(shape)")
        return (shape[0], shape[1], shape[2], shape[3])
    }
}
