import Kernels

extension Tensor {
    /// `(1 + scale) ⊙ self + shift` at every pixel of `[B, …, C]`, with one scale and one shift `[B, C]` for each
    /// channel of each sample.
    ///
    /// Zeros leave the map as it is. Perez et al., *FiLM*, AAAI 2018.
    public func modulated(scale: Tensor, shift: Tensor) -> Tensor {
        let (batch, channels) = (shape[0], shape[rank - 1])
        precondition(
            scale.shape == [batch, channels] && shift.shape == scale.shape,
            "a tensor \(shape) modulated by a scale \(scale.shape) and a shift \(shift.shape)")
        let pixels = count / max(1, batch * channels)
        let out = FloatBuffer(repeating: 0, count: count)
        buffer.withSpan { x in
            scale.buffer.withSpan { scale in
                shift.buffer.withSpan { shift in
                    out.withMutableSpan { y in
                        for sample in 0..<batch {
                            let row = sample * channels
                            for pixel in 0..<pixels {
                                let first = (sample * pixels + pixel) * channels
                                for c in 0..<channels { y[first + c] = x[first + c] * (1 + scale[row + c]) + shift[row + c] }
                            }
                        }
                    }
                }
            }
        }
        let (x, s) = (Kept(self), Kept(scale))
        let (inShape, rows) = (shape, scale.shape)
        return Tensor(buffer: out, shape: inShape, from: [self, scale, shift]) { dy, sink in
            if sink.wants(0) {
                let factors = Tensor(buffer: s.restored(), shape: rows)
                sink.add(dy.modulated(scale: factors, shift: .zeros(rows)), to: 0)
            }
            if sink.wants(1) {
                let products = multiplyElements(dy.buffer, x.restored())
                let sums = channelSums(products, batch: batch, pixels: pixels, channels: channels)
                sink.add(Tensor(buffer: sums, shape: rows), to: 1)
            }
            if sink.wants(2) {
                let sums = channelSums(dy.buffer, batch: batch, pixels: pixels, channels: channels)
                sink.add(Tensor(buffer: sums, shape: rows), to: 2)
            }
        }
    }
}
