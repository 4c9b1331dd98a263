import CKernels

/// Rows scaled to one magnitude: `gain · x / (ε + rms(x))`, with `rms` the root mean square of a row.
///
/// - Parameter columns: The length of a row.
public func normalizeRows(_ x: FloatBuffer, columns: Int, epsilon: Double, gain: Double) -> FloatBuffer {
    precondition(columns > 0 && x.count % columns == 0, "normalizeRows: \(x.count) elements in rows of \(columns)")
    let y = FloatBuffer(count: x.count)
    unsafe sg_rms_rows(x.base, Int64(x.count / columns), Int64(columns), Float(epsilon), Float(gain), y.base)
    return y
}

/// The gradient of ``normalizeRows(_:columns:epsilon:gain:)``; a row of zeros takes the limit from any direction.
public func normalizeRowsGradient(_ x: FloatBuffer, dy: FloatBuffer, columns: Int, epsilon: Double, gain: Double)
    -> FloatBuffer
{
    precondition(
        columns > 0 && x.count % columns == 0 && dy.count == x.count,
        "normalizeRowsGradient: \(x.count) and \(dy.count)")
    let dx = FloatBuffer(count: x.count)
    unsafe sg_rms_rows_backward(
        x.base, dy.base, Int64(x.count / columns), Int64(columns), Float(epsilon), Float(gain), dx.base)
    return dx
}

/// The largest absolute value; 0 of nothing.
public func largestMagnitude(_ x: FloatBuffer) -> Float { unsafe sg_largest(x.base, Int64(x.count)) }

extension FloatBuffer {
    /// A value derived from these weights, cached until they change.
    ///
    /// - Parameter name: The name of the computation: equal names must mean equal computations.
    public func derived(_ name: String, make: () -> FloatBuffer) -> FloatBuffer { packed.derived(name, make: make) }
}
