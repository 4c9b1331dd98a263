import CDevice
import CKernels

/// Rows scaled to one magnitude: `gain · x / (ε + rms(x))`, with `rms` the root mean square of a row.
///
/// - Parameter columns: The length of a row.
public func normalizeRows(_ x: FloatBuffer, columns: Int, epsilon: Double, gain: Double) -> FloatBuffer {
    precondition(columns > 0 && x.count % columns == 0, "normalizeRows: \(x.count) elements in rows of \(columns)")
    let rows = x.count / columns
    if let device = Device.current {
        return device.made("normalizeRows", x.count) {
            unsafe $0.rms_rows(x.on(device), Int64(rows), Int64(columns), epsilon, gain)
        }
    }
    let y = FloatBuffer(count: x.count)
    unsafe sg_rms_rows(x.base, Int64(rows), Int64(columns), Float(epsilon), Float(gain), y.base)
    return y
}

/// The gradient of ``normalizeRows(_:columns:epsilon:gain:)``; a row of zeros takes the limit from any direction.
public func normalizeRowsGradient(_ x: FloatBuffer, dy: FloatBuffer, columns: Int, epsilon: Double, gain: Double)
    -> FloatBuffer
{
    precondition(
        columns > 0 && x.count % columns == 0 && dy.count == x.count,
        "normalizeRowsGradient: \(x.count) and \(dy.count)")
    let rows = x.count / columns
    if let device = Device.current {
        return device.made("normalizeRowsGradient", x.count) {
            unsafe $0.rms_rows_backward(x.on(device), dy.on(device), Int64(rows), Int64(columns), epsilon, gain)
        }
    }
    let dx = FloatBuffer(count: x.count)
    unsafe sg_rms_rows_backward(
        x.base, dy.base, Int64(rows), Int64(columns), Float(epsilon), Float(gain), dx.base)
    return dx
}

/// Every element, but no further from 0 than `limit`; `nil` where none is.
///
/// A device does not look: it always gives the elements.
public func clip(_ x: FloatBuffer, to limit: Float) -> FloatBuffer? {
    if let device = Device.current { return device.map(x, SGD_CLIP, limit, 0) }
    if unsafe sg_largest(x.base, Int64(x.count)) <= limit { return nil }
    return FloatBuffer(x.withSpan { x in x.indices.map { min(max(x[$0], -limit), limit) } })
}

/// `dy` where `|x|` is at most `limit`, else 0.
public func clipGradient(_ x: FloatBuffer, to limit: Float, dy: FloatBuffer) -> FloatBuffer {
    if let device = Device.current { return multiplyElements(dy, device.map(x, SGD_INSIDE, limit, 0)) }
    return FloatBuffer(
        x.withSpan { x in dy.withSpan { dy in x.indices.map { abs(x[$0]) <= limit ? dy[$0] : 0 } } })
}

/// The pairs (0, `factor`), statistics that a normalisation multiplies by the factors alone; factors of 1 if `nil`.
public func scalingStatistics(_ factors: FloatBuffer?, count: Int) -> FloatBuffer {
    precondition(factors.map { $0.count == count } ?? true, "scalingStatistics: \(count) of another number of factors")
    if Device.current != nil {
        let zeros = FloatBuffer(repeating: 0, count: count)
        let factors = factors ?? FloatBuffer(repeating: 1, count: count)
        return concatenateChannels([(zeros, 1), (factors, 1)], pixels: count)
    }
    return FloatBuffer((factors?.values ?? [Float](repeating: 1, count: count)).flatMap { [0, $0] })
}

extension FloatBuffer {
    /// A value derived from these weights, cached until they change.
    ///
    /// - Parameter name: The name of the computation: equal names must mean equal computations.
    public func derived(_ name: String, make: () -> FloatBuffer) -> FloatBuffer { packed.derived(name, make: make) }
}
