import Kernels

extension Tensor {
    /// The product of matrices `[M, K]·[K, N]`, or of a batch `[B, M, K]·[B, K, N]`, times `alpha`.
    ///
    /// - Parameter transposed: Whether `other` holds the transposed matrices, `[N, K]`.
    public func matrixProduct(_ other: Tensor, transposed: Bool = false, alpha: Double = 1) -> Tensor {
        precondition(rank == other.rank && (rank == 2 || rank == 3), "a matrix product of \(shape) and \(other.shape)")
        precondition(rank == 2 || shape[0] == other.shape[0], "a batched product of \(shape) and \(other.shape)")
        let batch = rank == 3 ? shape[0] : 1
        let a = MatrixLayout(rows: shape[rank - 2], columns: shape[rank - 1])
        let stored = MatrixLayout(rows: other.shape[rank - 2], columns: other.shape[rank - 1])
        let b = transposed ? stored.transposed : stored
        let factor = Float(alpha)
        let out = multiply(buffer, a, other.buffer, b, batch: batch, alpha: factor)
        let (x, y) = (Kept(self), Kept(other))
        let (aShape, bShape) = (shape, other.shape)
        let c = MatrixLayout(rows: a.rows, columns: b.columns)
        return Tensor(
            buffer: out, shape: aShape.dropLast(2) + [a.rows, b.columns], from: [self, other],
            forward: { tangents in
                Self.total([
                    tangents[0]?.matrixProduct(other.detached, transposed: transposed, alpha: alpha),
                    tangents[1].map { self.detached.matrixProduct($0, transposed: transposed, alpha: alpha) },
                ])
            }
        ) { dy, sink in
            if sink.wants(0) {
                let da = multiply(dy.buffer, c, y.restored(), b.transposed, batch: batch, alpha: factor)
                sink.add(Tensor(buffer: da, shape: aShape), to: 0)
            }
            if sink.wants(1) {
                let x = x.restored()
                let db =
                    transposed
                    ? multiply(dy.buffer, c.transposed, x, a, batch: batch, alpha: factor)
                    : multiply(x, a.transposed, dy.buffer, c, batch: batch, alpha: factor)
                sink.add(Tensor(buffer: db, shape: bShape), to: 1)
            }
        }
    }
}
