import Kernels

extension Tensor {
    /// `softmax(α Q Kᵀ) V`: how much each of the rows Q `[B, M, C]` takes of the values V `[B, L, D]` with keys K
    /// `[B, L, C]`; `[B, M, D]`.
    ///
    /// - Parameter mostWeights: Weights that are held at once; those of a whole batch, `B·M·L`, may not fit into memory.
    public func attention(
        to keys: Tensor, _ values: Tensor, alpha: Double, mostWeights: Int? = nil
    ) -> Tensor {
        precondition(rank == 3 && keys.rank == 3 && values.rank == 3, "attention of \(shape) to \(keys.shape), \(values.shape)")
        precondition(
            keys.shape[0] == shape[0] && keys.shape[2] == shape[2] && values.shape[0] == shape[0] && values.shape[1] == keys.shape[1],
            "attention of \(shape) to \(keys.shape), \(values.shape)")
        var attention = Attention(
            batch: shape[0], rows: shape[1], length: keys.shape[1], width: shape[2], depth: values.shape[2], alpha: Float(alpha))
        if let mostWeights { attention.mostWeights = mostWeights }
        let out = attention(buffer, keys.buffer, values.buffer)
        let (q, k, v) = (Kept(self), Kept(keys), Kept(values))
        let (qShape, kShape, vShape) = (shape, keys.shape, values.shape)
        return Tensor(buffer: out, shape: [shape[0], shape[1], values.shape[2]], from: [self, keys, values]) { [attention] dy, sink in
            let found = attention.gradients(q.restored(), k.restored(), v.restored(), dy: dy.buffer)
            sink.add(Tensor(buffer: found.q, shape: qShape), to: 0)
            sink.add(Tensor(buffer: found.k, shape: kShape), to: 1)
            sink.add(Tensor(buffer: found.v, shape: vShape), to: 2)
        }
    }
}
