import Kernels

extension Tensor {
    /// `softmax(α Q Kᵀ) V`: how much each of the rows Q `[B, M, C]` takes of the values V `[B, L, D]` with keys K
    /// `[B, L, C]`; `[B, M, D]`.
    ///
    /// - Parameter mostWeights: Weights that are held at once; those of a whole batch, `B·M·L`, may not fit into
    ///   memory.
    public func attention(
        to keys: Tensor, _ values: Tensor, alpha: Double, mostWeights: Int? = nil
    ) -> Tensor {
        precondition(
            rank == 3 && keys.rank == 3 && values.rank == 3, "attention of \(shape) to \(keys.shape), \(values.shape)")
        precondition(
            keys.shape[0] == shape[0] && keys.shape[2] == shape[2] && values.shape[0] == shape[0]
                && values.shape[1] == keys.shape[1],
            "attention of \(shape) to \(keys.shape), \(values.shape)")
        var attention = Attention(
            batch: shape[0], rows: shape[1], length: keys.shape[1], width: shape[2], depth: values.shape[2],
            alpha: Float(alpha))
        if let mostWeights { attention.mostWeights = mostWeights }
        let out = attention(buffer, keys.buffer, values.buffer)
        let (q, k, v) = (Kept(self), Kept(keys), Kept(values))
        let (qShape, kShape, vShape) = (shape, keys.shape, values.shape)
        return Tensor(
            buffer: out, shape: [shape[0], shape[1], values.shape[2]], from: [self, keys, values],
            forward: { attentionTangent(self.detached, keys.detached, values.detached, alpha, $0) }
        ) { [attention] dy, sink in
            let found = attention.gradients(q.restored(), k.restored(), v.restored(), dy: dy.buffer)
            sink.add(Tensor(buffer: found.q, shape: qShape), to: 0)
            sink.add(Tensor(buffer: found.k, shape: kShape), to: 1)
            sink.add(Tensor(buffer: found.v, shape: vShape), to: 2)
        }
    }
}

/// With `P = softmax(S)` and `S = α Q Kᵀ`, row by row: `Ṗ = P ∘ (Ṡ − Σ P ∘ Ṡ)`, and the result `P V` moves by `Ṗ V + P
/// V̇`.
private func attentionTangent(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ alpha: Double, _ tangents: [Tensor?]
) -> Tensor? {
    let scores = q.matrixProduct(k, transposed: true, alpha: alpha).copied()
    let (rows, columns) = (scores.shape[0] * scores.shape[1], scores.shape[2])
    applySoftmax(scores.buffer, rows: rows, columns: columns)
    let moved = Tensor.total([
        tangents[0]?.matrixProduct(k, transposed: true, alpha: alpha),
        tangents[1].map { q.matrixProduct($0, transposed: true, alpha: alpha) },
    ])
    let weights = moved.map { moved in
        let change = moved.copied()
        applySoftmaxGradient(scores.buffer, dy: change.buffer, rows: rows, columns: columns)
        return change.matrixProduct(v)
    }
    return .total([weights, tangents[2].map { scores.matrixProduct($0) }])
}
