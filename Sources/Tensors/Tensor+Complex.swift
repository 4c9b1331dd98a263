import Kernels

/// How the real and imaginary channels of complex maps lie behind one another.
///
/// A map made of parts of `n₁, n₂, …` complex channels has `n₁` real and `n₁` imaginary ones, then those of
/// the second part, and so on. So maps are set side by side without any reordering.
public struct ComplexChannels: Hashable, Sendable {
    /// The complex channels of each part: `n₁, n₂, …`.
    public var parts: [Int]

    public init(_ parts: Int...) { self.parts = parts }

    /// All complex channels, half of the real ones.
    public var count: Int { parts.reduce(0, +) }

    /// For every real channel, its place where all real parts stand before all imaginary ones.
    var order: [Int] {
        var (order, start): ([Int], Int) = ([], 0)
        for part in parts {
            order += start..<start + part
            order += count + start..<count + start + part
            start += part
        }
        return order
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
            rows: rows.order, columns: columns.order, width: re.count / rows.count,
            taps: re.shape.dropFirst(2).reduce(1, *),
            sign: adjoint ? 1 : -1)
        let inShape = re.shape
        let shape = [2 * inShape[0], 2 * inShape[1]] + inShape.dropFirst(2)
        return Tensor(
            buffer: blocks.joined(re.buffer, im.buffer), shape: shape, from: [re, im],
            forward: {
                .complex(
                    $0[0] ?? .zeros(inShape), $0[1] ?? .zeros(inShape), rows: rows, columns: columns, adjoint: adjoint)
            }
        ) { dy, sink in
            let (dre, dim) = blocks.parts(of: dy.buffer)
            sink.add(Tensor(buffer: dre, shape: inShape), to: 0)
            sink.add(Tensor(buffer: dim, shape: inShape), to: 1)
        }
    }
}

/// The four real blocks of a complex matrix, or filter, and the order in which its rows and columns lie.
private struct ComplexBlocks: Sendable {
    /// For every real row or column, the one of the plain order: all real ones, then all imaginary ones.
    var rows, columns: [Int]
    /// Elements in a row of one part, and those of one entry.
    var width, taps: Int
    var sign: Float

    /// `[[re, s·im], [−s·im, re]]`, in the order of rows and columns.
    func joined(_ re: FloatBuffer, _ im: FloatBuffer) -> FloatBuffer {
        func beside(_ left: FloatBuffer, _ right: FloatBuffer) -> FloatBuffer {
            concatenateChannels([(left, width), (right, width)], pixels: rows.count / 2)
        }
        let blocks = [beside(re, scale(im, by: sign)), beside(scale(im, by: -sign), re)]
        let whole = concatenateChannels(blocks.map { ($0, $0.count) }, pixels: 1)
        return reordered(whole, rows, columns)
    }

    /// The gradients of both parts: `d_rr + d_ii` and `s (d_ri − d_ir)`.
    func parts(of dy: FloatBuffer) -> (re: FloatBuffer, im: FloatBuffer) {
        let whole = reordered(dy, inverse(rows), inverse(columns))
        let half = whole.count / 2
        func block(_ row: Int, _ column: Int) -> FloatBuffer {
            let rows = sliceChannels(whole, pixels: 1, channels: 2 * half, range: row * half..<(row + 1) * half)
            return sliceChannels(
                rows, pixels: half / (2 * width), channels: 2 * width, range: column * width..<(column + 1) * width)
        }
        return (combine(1, block(0, 0), 1, block(1, 1)), combine(sign, block(0, 1), -sign, block(1, 0)))
    }

    private func reordered(_ x: FloatBuffer, _ rows: [Int], _ columns: [Int]) -> FloatBuffer {
        let isPlain = { (order: [Int]) in order == Array(order.indices) }
        let y = isPlain(rows) ? x : selectEntries(x, rows: 1, entries: rows.count, width: 2 * width, at: rows)
        return isPlain(columns)
            ? y : selectEntries(y, rows: rows.count, entries: columns.count, width: taps, at: columns)
    }

    private func inverse(_ order: [Int]) -> [Int] {
        order.enumerated().reduce(into: [Int](repeating: 0, count: order.count)) { $0[$1.element] = $1.offset }
    }
}
