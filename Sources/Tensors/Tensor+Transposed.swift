public import Kernels

extension Tensor {
    /// The transposed convolution: the adjoint of a convolution that takes maps of `height × width` to this one's.
    ///
    /// - Parameters:
    ///   - weight: `[C, F, kH, kW]`, from the channels of this map to those of the result.
    ///   - bias: `[F]`.
    ///   - vertical, horizontal: The windows of the convolution whose adjoint this is.
    public func transposeConvolved(
        _ weight: Tensor, bias: Tensor? = nil, height: Int, width: Int, vertical: ConvolutionWindow,
        horizontal: ConvolutionWindow
    ) -> Tensor {
        let m = map
        precondition(
            weight.rank == 4 && weight.shape[0] == m.channels
                && weight.shape[2...] == [vertical.kernel, horizontal.kernel],
            "a transposed convolution of \(shape) with a filter \(weight.shape)")
        let adjoint = ConvolutionShape(
            batch: m.batch, height: height, width: width, channels: weight.shape[1], filters: m.channels,
            vertical: vertical, horizontal: horizontal)
        precondition(
            adjoint.outHeight == m.height && adjoint.outWidth == m.width,
            "a transposed convolution from \(m.height)×\(m.width) to \(height)×\(width)")
        let out = convolveInputGradient(buffer, weight.buffer, shape: adjoint)
        let (x, w) = (Kept(self), Kept(weight))
        let (inShape, weightShape) = (shape, weight.shape)
        let result = Tensor(
            buffer: out, shape: [m.batch, height, width, adjoint.channels], from: [self, weight],
            forward: { tangents in
                func adjointOf(_ x: Tensor, _ weight: Tensor) -> Tensor {
                    x.transposeConvolved(
                        weight, height: height, width: width, vertical: vertical, horizontal: horizontal)
                }
                return Self.total([
                    tangents[0].map { adjointOf($0, weight.detached) },
                    tangents[1].map { adjointOf(self.detached, $0) },
                ])
            }
        ) { dy, sink in
            if sink.wants(0) {
                let dx = convolve(dy.source, w.restored(), bias: nil, residual: nil, scale: 1, shape: adjoint)
                sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
            }
            if sink.wants(1) {
                let dw = convolveWeightGradient(dy.source, x.restored(), shape: adjoint)
                sink.add(Tensor(buffer: dw, shape: weightShape), to: 1)
            }
        }
        return bias.map { result.addingToPixels($0) } ?? result
    }

    /// The first `frames` frames of a map `[B, H, W, C]`, or zeros behind its own.
    public func withFrames(_ frames: Int) -> Tensor {
        let m = map
        if frames == m.width { return self }
        let rows = reshaped([m.batch * m.height, m.width * m.channels])
        let resized =
            frames < m.width
            ? rows.channels(0..<frames * m.channels)
            : .concatenated([rows, .zeros([m.batch * m.height, (frames - m.width) * m.channels])])
        return resized.reshaped([m.batch, m.height, frames, m.channels])
    }
}
