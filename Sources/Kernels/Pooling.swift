import CDevice

/// Means over a grid of `rows × columns` windows that cover a map `[B, H, W, C]`.
///
/// Window `i` of `n` along an extent `H` is `⌊iH/n⌋ ..< ⌈(i+1)H/n⌉`, so neighbours may share a row.
public struct Pooling: Hashable, Sendable {
    /// Extents of the map `[B, H, W, C]`, and the number of windows along height and width.
    public var batch, height, width, channels, rows, columns: Int

    public init(batch: Int, height: Int, width: Int, channels: Int, rows: Int, columns: Int) {
        precondition(rows > 0 && columns > 0, "pooling to \(rows)×\(columns)")
        (self.batch, self.height, self.width, self.channels) = (batch, height, width, channels)
        (self.rows, self.columns) = (rows, columns)
    }

    private var inCount: Int { batch * height * width * channels }
    private var outCount: Int { batch * rows * columns * channels }
    private var onDevice: [Int64] { [batch, height, width, channels, rows, columns].map(Int64.init) }

    /// `[B, rows, columns, C]`.
    public func callAsFunction(_ x: FloatBuffer) -> FloatBuffer {
        precondition(x.count == inCount, "pooling of \(x.count) elements as \(self)")
        if let device = Device.current {
            return device.made("pool", outCount) { unsafe $0.pool(x.on(device), onDevice) }
        }
        let out = FloatBuffer(repeating: 0, count: outCount)
        x.withSpan { x in
            out.withMutableSpan { y in
                forEach { from, to, weight in
                    for c in 0..<channels { y[to + c] += weight * x[from + c] }
                }
            }
        }
        return out
    }

    /// The gradient of the map, from that of the means.
    public func gradient(_ dy: FloatBuffer) -> FloatBuffer {
        precondition(dy.count == outCount, "the gradient of a pooling of \(dy.count) elements as \(self)")
        if let device = Device.current {
            return device.made("pool gradient", inCount) { unsafe $0.pool_backward(dy.on(device), onDevice) }
        }
        let dx = FloatBuffer(repeating: 0, count: inCount)
        dy.withSpan { dy in
            dx.withMutableSpan { dx in
                forEach { from, to, weight in
                    for c in 0..<channels { dx[from + c] += weight * dy[to + c] }
                }
            }
        }
        return dx
    }

    /// Calls `body(input offset, output offset, weight)` for every pixel of every window.
    private func forEach(_ body: (Int, Int, Float) -> Void) {
        let (vertical, horizontal) = (windows(height, rows), windows(width, columns))
        for b in 0..<batch {
            for (i, ys) in vertical.enumerated() {
                for (j, xs) in horizontal.enumerated() {
                    let to = ((b * rows + i) * columns + j) * channels
                    let weight = 1 / Float(ys.count * xs.count)
                    for y in ys {
                        for x in xs { body(((b * height + y) * width + x) * channels, to, weight) }
                    }
                }
            }
        }
    }
}

private func windows(_ size: Int, _ count: Int) -> [Range<Int>] {
    (0..<count).map { $0 * size / count..<(($0 + 1) * size + count - 1) / count }
}
