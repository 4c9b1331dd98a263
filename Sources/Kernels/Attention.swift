import CDevice
import CKernels

/// `softmax(α Q Kᵀ) V` for a batch of row-major matrices: Q `[B, M, C]`, K `[B, L, C]`, V `[B, L, D]`.
///
/// The `M·L` weights of a map are made for some rows of Q at a time, and again for the gradients, so that a long
/// recording takes no more memory than a short one. How many rows does not depend on `B`, nor do a map's bits.
public struct Attention: Hashable, Sendable {
    /// The extents `B`, `M`, `L`, `C` and `D`.
    public var batch, rows, length, width, depth: Int
    /// The factor `α` of the products, usually `1/√C`.
    public var alpha: Float
    /// The number of attention weights stored at once; 16 MiB fit into the caches of most machines.
    public var mostWeights = 1 << 22

    public init(batch: Int, rows: Int, length: Int, width: Int, depth: Int, alpha: Float) {
        (self.batch, self.rows, self.length, self.width, self.depth, self.alpha) = (
            batch, rows, length, width, depth, alpha
        )
    }

    private var onDevice: sgd_attention {
        sgd_attention(
            batch: Int64(batch), rows: Int64(rows), length: Int64(length), width: Int64(width), depth: Int64(depth),
            alpha: alpha)
    }

    /// Rows of Q whose weights are made at once.
    private var block: Int { min(rows, max(1, mostWeights / max(1, length))) }
    /// Maps whose weights are made at once.
    private var maps: Int { min(batch, max(1, mostWeights / max(1, block * length))) }

    private func check(_ q: FloatBuffer, _ k: FloatBuffer, _ v: FloatBuffer) {
        precondition(q.count == batch * rows * width, "attention: Q has \(q.count) elements, \(self)")
        precondition(k.count == batch * length * width, "attention: K has \(k.count) elements, \(self)")
        precondition(v.count == batch * length * depth, "attention: V has \(v.count) elements, \(self)")
    }

    /// Rows of Q in neighbouring maps: `count` of each from `first` on, in the maps from `map` on.
    private struct Block {
        let map, maps, first, count: Int
    }

    /// The weights of a block, in `[maps, count, L]`.
    private func weights(_ q: FloatBuffer, _ k: FloatBuffer, of b: Block, into w: FloatBuffer) {
        WorkCounter.add(2 * Double(b.maps * b.count * length) * Double(width))
        unsafe sg_gemm(
            Int64(b.maps), Int64(b.count), Int64(length), Int64(width), alpha,
            q.base + (b.map * rows + b.first) * width, Int64(width), 1, Int64(rows * width),
            k.base + b.map * length * width, 1, Int64(width), Int64(length * width),
            w.base, Int64(length), Int64(b.count * length), 0)
        applySoftmax(w, rows: b.maps * b.count, columns: length)
    }

    private func forEachBlock(_ body: (Block) -> Void) {
        for map in stride(from: 0, to: batch, by: maps) {
            for first in stride(from: 0, to: rows, by: block) {
                body(
                    Block(
                        map: map, maps: min(maps, batch - map), first: first, count: min(block, rows - first)))
            }
        }
    }

    /// `[B, M, D]`.
    public func callAsFunction(_ q: FloatBuffer, _ k: FloatBuffer, _ v: FloatBuffer) -> FloatBuffer {
        check(q, k, v)
        if let device = Device.current {
            WorkCounter.add(2 * Double(batch * rows * length) * Double(width + depth))
            return device.made("attention", batch * rows * depth) {
                var shape = onDevice
                return unsafe $0.attention(&shape, q.on(device), k.on(device), v.on(device))
            }
        }
        let out = FloatBuffer(count: batch * rows * depth)
        let w = FloatBuffer(count: maps * block * length)
        forEachBlock { b in
            weights(q, k, of: b, into: w)
            WorkCounter.add(2 * Double(b.maps * b.count * length) * Double(depth))
            unsafe sg_gemm(
                Int64(b.maps), Int64(b.count), Int64(depth), Int64(length), 1,
                w.base, Int64(length), 1, Int64(b.count * length),
                v.base + b.map * length * depth, Int64(depth), 1, Int64(length * depth),
                out.base + (b.map * rows + b.first) * depth, Int64(depth), Int64(rows * depth), 0)
        }
        return out
    }

    /// The gradients with respect to Q, K and V.
    ///
    /// With `W` the weights and `S = W ∘ (dO Vᵀ − rowsum(W ∘ dO Vᵀ))`: `dQ = α S K`, `dK = α Sᵀ Q`, `dV = Wᵀ dO`.
    public func gradients(
        _ q: FloatBuffer, _ k: FloatBuffer, _ v: FloatBuffer, dy: FloatBuffer
    ) -> (q: FloatBuffer, k: FloatBuffer, v: FloatBuffer) {
        check(q, k, v)
        precondition(dy.count == batch * rows * depth, "attention: the gradient has \(dy.count) elements, \(self)")
        if let device = Device.current {
            WorkCounter.add(2 * Double(batch * rows * length) * Double(2 * depth + 3 * width))
            let d = device.made("attention gradients", [q.count, k.count, v.count]) {
                var shape = onDevice
                return unsafe $0.attention_backward(&shape, q.on(device), k.on(device), v.on(device), dy.on(device), $1)
            }
            return (d[0], d[1], d[2])
        }
        let (dq, dk, dv) = (FloatBuffer(count: q.count), FloatBuffer(count: k.count), FloatBuffer(count: v.count))
        let (w, s) = (FloatBuffer(count: maps * block * length), FloatBuffer(count: maps * block * length))
        forEachBlock { b in
            weights(q, k, of: b, into: w)
            WorkCounter.add(2 * Double(b.maps * b.count * length) * Double(2 * depth + 2 * width))
            let (map, maps, count) = (b.map, Int64(b.maps), b.count)
            let accumulates: Int32 = b.first == 0 ? 0 : 1
            let ofBlock = Int64(count * length)
            let row = map * rows + b.first
            unsafe sg_gemm(
                maps, Int64(length), Int64(depth), Int64(count), 1,
                w.base, 1, Int64(length), ofBlock,
                dy.base + row * depth, Int64(depth), 1, Int64(rows * depth),
                dv.base + map * length * depth, Int64(depth), Int64(length * depth), accumulates)
            unsafe sg_gemm(
                maps, Int64(count), Int64(length), Int64(depth), 1,
                dy.base + row * depth, Int64(depth), 1, Int64(rows * depth),
                v.base + map * length * depth, 1, Int64(depth), Int64(length * depth),
                s.base, Int64(length), ofBlock, 0)
            applySoftmaxGradient(w, dy: s, rows: b.maps * count, columns: length)
            unsafe sg_gemm(
                maps, Int64(count), Int64(width), Int64(length), alpha,
                s.base, Int64(length), 1, ofBlock,
                k.base + map * length * width, Int64(width), 1, Int64(length * width),
                dq.base + row * width, Int64(width), Int64(rows * width), 0)
            unsafe sg_gemm(
                maps, Int64(length), Int64(width), Int64(count), alpha,
                s.base, 1, Int64(length), ofBlock,
                q.base + row * width, Int64(width), 1, Int64(rows * width),
                dk.base + map * length * width, Int64(width), Int64(length * width), accumulates)
        }
        return (dq, dk, dv)
    }
}
