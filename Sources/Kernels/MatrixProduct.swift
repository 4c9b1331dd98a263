import CDevice
import CKernels

/// A matrix, or a batch of them, lying in a buffer: element `(i, j)` of matrix `b` is at
/// `b·batchStride + i·rowStride + j·columnStride`.
public struct MatrixLayout: Hashable, Sendable {
    /// The extents of a matrix, and the distances in the buffer between rows, columns and matrices.
    public var rows, columns, rowStride, columnStride, batchStride: Int

    /// Row-major matrices, one after the other.
    public init(rows: Int, columns: Int) {
        self.init(rows: rows, columns: columns, rowStride: columns, columnStride: 1, batchStride: rows * columns)
    }

    public init(rows: Int, columns: Int, rowStride: Int, columnStride: Int, batchStride: Int) {
        self.rows = rows
        self.columns = columns
        self.rowStride = rowStride
        self.columnStride = columnStride
        self.batchStride = batchStride
    }

    /// The same elements with rows as columns.
    public var transposed: MatrixLayout {
        MatrixLayout(
            rows: columns, columns: rows, rowStride: columnStride, columnStride: rowStride, batchStride: batchStride)
    }

    /// Of rows, columns and matrices.
    var strides: [Int64] { [Int64(rowStride), Int64(columnStride), Int64(batchStride)] }

    func fits(_ count: Int, batch: Int) -> Bool {
        rows == 0 || columns == 0
            || (batch - 1) * batchStride + (rows - 1) * rowStride + (columns - 1) * columnStride < count
    }
}

/// `C[b] = alpha · A[b] B[b]` for every matrix of the batch; `C` is dense and row-major.
public func multiply(
    _ a: FloatBuffer, _ aLayout: MatrixLayout, _ b: FloatBuffer, _ bLayout: MatrixLayout, batch: Int = 1,
    alpha: Float = 1
) -> FloatBuffer {
    precondition(
        aLayout.columns == bLayout.rows,
        "multiply: \(aLayout.rows)×\(aLayout.columns) by \(bLayout.rows)×\(bLayout.columns)")
    precondition(aLayout.fits(a.count, batch: batch), "multiply: A does not lie in its \(a.count) elements")
    precondition(bLayout.fits(b.count, batch: batch), "multiply: B does not lie in its \(b.count) elements")
    let (M, N, K) = (aLayout.rows, bLayout.columns, aLayout.columns)
    WorkCounter.add(2 * Double(batch * M * N) * Double(K))
    if let device = Device.current, batch * M * N * K > 0 {
        return device.made("multiply", batch * M * N) {
            unsafe $0.gemm(
                Int64(batch), Int64(M), Int64(N), Int64(K), alpha, a.on(device), aLayout.strides, b.on(device),
                bLayout.strides)
        }
    }
    let c = FloatBuffer(count: batch * M * N)
    unsafe sg_gemm(
        Int64(batch), Int64(M), Int64(N), Int64(K), alpha,
        a.base, Int64(aLayout.rowStride), Int64(aLayout.columnStride), Int64(aLayout.batchStride),
        b.base, Int64(bLayout.rowStride), Int64(bLayout.columnStride), Int64(bLayout.batchStride),
        c.base, Int64(N), Int64(M * N), 0)
    return c
}

/// The transposes of a batch of row-major matrices `rows × columns`.
public func transposeMatrices(_ x: FloatBuffer, batch: Int, rows: Int, columns: Int) -> FloatBuffer {
    precondition(x.count == batch * rows * columns, "transposeMatrices: x has \(x.count) elements")
    if let device = Device.current {
        return device.made("transposeMatrices", x.count) {
            unsafe $0.transpose(x.on(device), Int64(batch), Int64(rows), Int64(columns))
        }
    }
    let y = FloatBuffer(count: x.count)
    for b in 0..<batch {
        unsafe sg_transpose(x.base + b * rows * columns, Int64(rows), Int64(columns), y.base + b * rows * columns)
    }
    return y
}
