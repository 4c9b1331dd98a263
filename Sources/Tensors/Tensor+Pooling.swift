import Kernels

extension Tensor {
    /// Means over a grid of windows that cover the map: `[B, H, W, C]` to `[B, height, width, C]`.
    ///
    /// Window `i` of `n` along an extent `H` is `⌊iH/n⌋ ..< ⌈(i+1)H/n⌉`, so neighbours may share a row.
    public func averagePooled(height: Int, width: Int) -> Tensor {
        let m = map
        let pooling = Pooling(
            batch: m.batch, height: m.height, width: m.width, channels: m.channels, rows: height, columns: width)
        let inShape = shape
        return Tensor(
            buffer: pooling(buffer), shape: [m.batch, height, width, m.channels], from: [self],
            forward: Self.linearly { $0.averagePooled(height: height, width: width) }
        ) { dy, sink in
            sink.add(Tensor(buffer: pooling.gradient(dy.buffer), shape: inShape), to: 0)
        }
    }

    /// Exchanges the last two axes of `[B, M, N]`.
    public func swappingLastAxes() -> Tensor {
        precondition(rank == 3, "the last axes of a tensor \(shape)")
        let (batch, rows, columns) = (shape[0], shape[1], shape[2])
        let inShape = shape
        return Tensor(
            buffer: transposeMatrices(buffer, batch: batch, rows: rows, columns: columns),
            shape: [batch, columns, rows],
            from: [self], forward: Self.linearly { $0.swappingLastAxes() }
        ) { dy, sink in
            let dx = transposeMatrices(dy.buffer, batch: batch, rows: columns, columns: rows)
            sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
        }
    }
}
