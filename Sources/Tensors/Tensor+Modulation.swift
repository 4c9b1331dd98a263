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
        let out = modulate(
            buffer, scale: scale.buffer, shift: shift.buffer, batch: batch, pixels: pixels, channels: channels)
        let (x, s) = (Kept(self), Kept(scale))
        let (inShape, rows) = (shape, scale.shape)
        return Tensor(
            buffer: out, shape: inShape, from: [self, scale, shift],
            forward: { tangents in
                let zeros = Tensor.zeros(rows)
                return Self.total([
                    tangents[0].map { $0.modulated(scale: scale.detached, shift: zeros) },
                    tangents[1].map { self.detached.modulated(scale: $0 + -1, shift: zeros) },
                    tangents[2].map { Tensor.zeros(inShape).addingToPixels($0) },
                ])
            }
        ) { dy, sink in
            if sink.wants(0) {
                let dx = modulate(
                    dy.buffer, scale: s.restored(), shift: nil, batch: batch, pixels: pixels, channels: channels)
                sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
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
