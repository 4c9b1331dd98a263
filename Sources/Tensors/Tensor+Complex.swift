import Kernels

/// How the real and imaginary channels of complex maps lie behind one another.
///
/// A map made of parts of `n₁, n₂, …` complex channels has `n₁` real and `n₁` imaginary ones, then those of
/// the second part, and so on. So maps are set side by side without any reordering.
public struct ComplexChannels: Hashable, Sendable {
    public var parts: [Int]

    public init(_ parts: Int...) { self.parts = parts }

    public var count: Int { parts.reduce(0, +) }

    /// The places of the real and the imaginary channel of each complex one.
    var places: [(re: Int, im: Int)] {
        var (places, start): ([(re: Int, im: Int)], Int) = ([], 0)
        for part in parts {
            places += (0..<part).map { (re: start + $0, im: start + part + $0) }
            start += 2 * part
        }
        return places
    }
}

extension Tensor {
    /// The real matrix, or filter, of a complex one: `[[re, −im], [im, re]]` over `[rows, columns, …]`.
    ///
    /// - Parameter adjoint: Takes `[[re, im], [−im, re]]`, which as a transposed convolution is the same map.
    public static func complex(
        _ re: Tensor, _ im: Tensor, rows: ComplexChannels, columns: ComplexChannels, adjoint: Bool = false
    ) -> Tensor {
        precondition(
            re.shape == im.shape && re.rank >= 2 && re.shape[0] == rows.count && re.shape[1] == columns.count,
            "a complex filter of \(re.shape) and \(im.shape) for \(rows.count)×\(columns.count) channels")
        let blocks = ComplexBlocks(
            rows: rows.places, columns: columns.places, taps: re.shape.dropFirst(2).reduce(1, *), sign: adjoint ? 1 : -1)
        let out = FloatBuffer(count: 4 * re.count)
        re.buffer.withSpan { re in
            im.buffer.withSpan { im in
                out.withMutableSpan { out in
                    blocks.forEach { from, rr, ri, ir, ii in
                        for t in 0..<blocks.taps {
                            out[rr + t] = re[from + t]
                            out[ii + t] = re[from + t]
                            out[ri + t] = blocks.sign * im[from + t]
                            out[ir + t] = -blocks.sign * im[from + t]
                        }
                    }
                }
            }
        }
        let inShape = re.shape
        let shape = [2 * inShape[0], 2 * inShape[1]] + inShape.dropFirst(2)
        return Tensor(buffer: out, shape: shape, from: [re, im]) { dy, sink in
            let count = inShape.reduce(1, *)
            let (dre, dim) = (FloatBuffer(count: count), FloatBuffer(count: count))
            dy.buffer.withSpan { dy in
                dre.withMutableSpan { dre in
                    dim.withMutableSpan { dim in
                        blocks.forEach { to, rr, ri, ir, ii in
                            for t in 0..<blocks.taps {
                                dre[to + t] = dy[rr + t] + dy[ii + t]
                                dim[to + t] = blocks.sign * (dy[ri + t] - dy[ir + t])
                            }
                        }
                    }
                }
            }
            sink.add(Tensor(buffer: dre, shape: inShape), to: 0)
            sink.add(Tensor(buffer: dim, shape: inShape), to: 1)
        }
    }
}

/// Where the four real entries of each complex one lie.
private struct ComplexBlocks: Sendable {
    var rows, columns: [(re: Int, im: Int)]
    var taps: Int
    var sign: Float

    func forEach(_ body: (_ entry: Int, _ rr: Int, _ ri: Int, _ ir: Int, _ ii: Int) -> Void) {
        let width = 2 * columns.count
        for (r, row) in rows.enumerated() {
            for (c, column) in columns.enumerated() {
                body(
                    (r * columns.count + c) * taps, (row.re * width + column.re) * taps,
                    (row.re * width + column.im) * taps, (row.im * width + column.re) * taps,
                    (row.im * width + column.im) * taps)
            }
        }
    }
}
