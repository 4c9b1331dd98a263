import Kernels

extension Tensor {
    /// Means over a grid of windows that cover the map: `[B, H, W, C]` to `[B, height, width, C]`.
    ///
    /// Window `i` of `n` along an extent `H` is `⌊iH/n⌋ ..< ⌈(i+1)H/n⌉`, so neighbours may share a row.
    public func averagePooled(height: Int, width: Int) -> Tensor {
        let m = map
        precondition(height > 0 && width > 0, "pooling of \(shape) to \(height)×\(width)")
        let grid = PoolingGrid(rows: windows(m.height, height), columns: windows(m.width, width), map: m)
        let out = FloatBuffer(repeating: 0, count: m.batch * height * width * m.channels)
        buffer.withSpan { x in
            out.withMutableSpan { y in
                grid.forEach { from, to, weight in
                    for c in 0..<m.channels { y[to + c] += weight * x[from + c] }
                }
            }
        }
        let inShape = shape
        return Tensor(buffer: out, shape: [m.batch, height, width, m.channels], from: [self]) { dy, sink in
            let dx = FloatBuffer(repeating: 0, count: inShape.reduce(1, *))
            dy.buffer.withSpan { dy in
                dx.withMutableSpan { dx in
                    grid.forEach { from, to, weight in
                        for c in 0..<m.channels { dx[from + c] += weight * dy[to + c] }
                    }
                }
            }
            sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
        }
    }

    /// Exchanges the last two axes of `[B, M, N]`.
    public func swappingLastAxes() -> Tensor {
        precondition(rank == 3, "the last axes of a tensor \(shape)")
        let (batch, rows, columns) = (shape[0], shape[1], shape[2])
        let inShape = shape
        return Tensor(
            buffer: transposeMatrices(buffer, batch: batch, rows: rows, columns: columns), shape: [batch, columns, rows],
            from: [self]
        ) { dy, sink in
            let dx = transposeMatrices(dy.buffer, batch: batch, rows: columns, columns: rows)
            sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
        }
    }
}

private func windows(_ size: Int, _ count: Int) -> [Range<Int>] {
    (0..<count).map { $0 * size / count..<(($0 + 1) * size + count - 1) / count }
}

/// The pairs of input and output pixels that a pooling joins.
private struct PoolingGrid: Sendable {
    var rows, columns: [Range<Int>]
    var map: (batch: Int, height: Int, width: Int, channels: Int)

    /// Calls `body(input offset, output offset, weight)` for every pixel of every window.
    func forEach(_ body: (Int, Int, Float) -> Void) {
        for b in 0..<map.batch {
            for (i, ys) in rows.enumerated() {
                for (j, xs) in columns.enumerated() {
                    let to = ((b * rows.count + i) * columns.count + j) * map.channels
                    let weight = 1 / Float(ys.count * xs.count)
                    for y in ys {
                        for x in xs { body(((b * map.height + y) * map.width + x) * map.channels, to, weight) }
                    }
                }
            }
        }
    }
}
