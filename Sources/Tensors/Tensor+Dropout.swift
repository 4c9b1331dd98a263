import Kernels

extension Tensor {
    /// Keeps an element with probability `1 − rate`, divided by it; sample `b` is decided by `streams[b]` alone.
    ///
    /// The mask is not kept: the backward pass draws it again.
    public func dropped(rate: Double, streams: [RandomStream]) -> Tensor {
        precondition(rate >= 0 && rate < 1, "a dropout rate of \(rate)")
        precondition(shape.first == streams.count, "\(streams.count) random streams for a tensor \(shape)")
        let each = count / max(1, streams.count)
        let apply: @Sendable (FloatBuffer) -> FloatBuffer = { multiplyElements($0, mask(rate, streams, each)) }
        let x = Kept(self)
        let shape = shape
        return Tensor(
            buffer: apply(buffer), shape: shape, from: [self], recipe: { apply(x.restored()) }
        ) { dy, sink in
            sink.add(Tensor(buffer: apply(dy.buffer), shape: shape), to: 0)
        }
    }
}

private func mask(_ rate: Double, _ streams: [RandomStream], _ each: Int) -> FloatBuffer {
    let (threshold, kept) = (UInt32(rate * 0x1p32), Float(1 / (1 - rate)))
    let mask = FloatBuffer(count: each * streams.count)
    mask.withMutableSpan { span in
        for (sample, stream) in streams.enumerated() {
            let first = sample * each
            for block in 0..<(each + 3) / 4 {
                let words = stream.block(UInt64(block))
                let at = 4 * block
                span[first + at] = words.0 < threshold ? 0 : kept
                if at + 1 < each { span[first + at + 1] = words.1 < threshold ? 0 : kept }
                if at + 2 < each { span[first + at + 2] = words.2 < threshold ? 0 : kept }
                if at + 3 < each { span[first + at + 3] = words.3 < threshold ? 0 : kept }
            }
        }
    }
    return mask
}
