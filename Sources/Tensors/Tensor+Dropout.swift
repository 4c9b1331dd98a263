public import Kernels

extension Tensor {
    /// Keeps an element with probability `1 − rate`, divided by it; sample `b` is decided by `streams[b]` alone.
    ///
    /// The mask is not kept: the backward pass draws it again.
    public func dropped(rate: Double, streams: [RandomStream]) -> Tensor {
        precondition(rate >= 0 && rate < 1, "a dropout rate of \(rate)")
        precondition(shape.first == streams.count, "\(streams.count) random streams for a tensor \(shape)")
        let apply: @Sendable (FloatBuffer) -> FloatBuffer = { dropElements($0, rate: rate, streams: streams) }
        let x = Kept(self)
        let shape = shape
        return Tensor(
            buffer: apply(buffer), shape: shape, from: [self], recipe: { apply(x.restored()) },
            forward: Self.linearly { Tensor(buffer: apply($0.buffer), shape: shape) }
        ) { dy, sink in
            sink.add(Tensor(buffer: apply(dy.buffer), shape: shape), to: 0)
        }
    }
}
