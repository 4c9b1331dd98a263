import CDevice
import CKernels

/// A pointwise nonlinearity.
public enum Activation: Int32, CaseIterable, Sendable {
    case identity = 0
    /// `x · σ(x)`, also called swish.
    case silu = 1
    case relu = 2
    /// Slope 0.2 below zero, as the score networks use it.
    case leakyReLU = 3
    /// `eˣ − 1` below zero.
    case elu = 4
    /// Slope 0.01 below zero, as the complex U-Nets use it.
    case leakyReLU001 = 5
}

/// The extents of a normalised map: `batch` samples of `pixels × channels`, in `groups` of channels.
public struct GroupShape: Hashable, Sendable {
    /// Samples; pixels and channels of each; groups that the channels are divided into.
    public var batch, pixels, channels, groups: Int

    public init(batch: Int, pixels: Int, channels: Int, groups: Int) {
        precondition(groups > 0 && channels % groups == 0, "\(channels) channels do not divide into \(groups) groups")
        self.batch = batch
        self.pixels = pixels
        self.channels = channels
        self.groups = groups
    }

    var count: Int { batch * pixels * channels }
}

/// Mean and `1/√(var + eps)` of every sample and group, `[B, G, 2]`.
public func groupStatistics(_ x: MapSource, shape: GroupShape, epsilon: Float) -> FloatBuffer {
    x.check(shape)
    if let device = Device.current {
        return device.made("groupStatistics", shape.batch * shape.groups * 2) { table in
            unsafe x.withDevice(device) {
                unsafe table.group_stats($0, Int64(shape.batch), Int64(shape.pixels), Int64(shape.groups), epsilon)
            }
        }
    }
    let stats = FloatBuffer(count: shape.batch * shape.groups * 2)
    unsafe x.withC {
        unsafe sg_group_stats($0, Int64(shape.batch), Int64(shape.pixels), Int64(shape.groups), epsilon, stats.base)
    }
    return stats
}

/// `act(gamma · (x − mean) · rstd + beta)`.
public func normalize(
    _ x: FloatBuffer, statistics: FloatBuffer, gamma: FloatBuffer?, beta: FloatBuffer?, activation: Activation,
    shape: GroupShape
) -> FloatBuffer {
    MapSource(x, channels: shape.channels)
        .normalized(statistics: statistics, gamma: gamma, beta: beta, activation: activation, shape: shape)
        .read(batch: shape.batch, pixels: shape.pixels)
}

/// The gradients of ``normalize(_:statistics:gamma:beta:activation:shape:)``, through the statistics too.
public func normalizeGradient(
    _ x: MapSource, statistics: FloatBuffer, gamma: FloatBuffer?, beta: FloatBuffer?, activation: Activation,
    shape: GroupShape, dy: FloatBuffer
) -> (x: FloatBuffer, gamma: FloatBuffer, beta: FloatBuffer) {
    precondition(dy.count == shape.count, "normalizeGradient: dy has \(dy.count) elements, wants \(shape.count)")
    let source = x.normalized(statistics: statistics, gamma: gamma, beta: beta, activation: activation, shape: shape)
    if let device = Device.current {
        let d = device.made("normalizeGradient", [shape.count, shape.channels, shape.channels]) { table, d in
            unsafe source.withDevice(device) {
                unsafe table.norm_act_backward(
                    $0, statistics.on(device), gamma?.on(device), dy.on(device), Int64(shape.batch),
                    Int64(shape.pixels),
                    Int64(shape.groups), d)
            }
        }
        return (d[0], d[1], d[2])
    }
    let dx = FloatBuffer(count: shape.count)
    let (dgamma, dbeta) = (FloatBuffer(count: shape.channels), FloatBuffer(count: shape.channels))
    unsafe source.withC {
        unsafe sg_norm_act_backward(
            $0, statistics.base, gamma?.base, dy.base, Int64(shape.batch), Int64(shape.pixels), Int64(shape.groups),
            dx.base,
            dgamma.base, dbeta.base)
    }
    return (dx, dgamma, dbeta)
}

/// The activation of each element.
public func activate(_ x: FloatBuffer, _ activation: Activation) -> FloatBuffer {
    if let device = Device.current {
        return device.made("activate", x.count) { unsafe $0.activate(x.on(device), activation.rawValue) }
    }
    let y = FloatBuffer(count: x.count)
    unsafe sg_activation(activation.rawValue, x.base, y.base, Int64(x.count))
    return y
}

/// The gradient of ``activate(_:_:)``: `dy · activation′(x)`, element by element.
public func activateGradient(_ x: FloatBuffer, _ activation: Activation, dy: FloatBuffer) -> FloatBuffer {
    precondition(x.count == dy.count, "activateGradient: x has \(x.count) elements, dy \(dy.count)")
    if let device = Device.current {
        return device.made("activateGradient", x.count) {
            unsafe $0.activate_backward(x.on(device), dy.on(device), activation.rawValue)
        }
    }
    let dx = FloatBuffer(count: x.count)
    unsafe sg_activation_backward(activation.rawValue, x.base, dy.base, dx.base, Int64(x.count))
    return dx
}

/// Softmax over the last of `rows × columns`, in place; the buffer may be longer.
public func applySoftmax(_ x: FloatBuffer, rows: Int, columns: Int) {
    precondition(x.count >= rows * columns, "softmax: \(rows)×\(columns) in \(x.count) elements")
    if let device = Device.current, rows * columns > 0 {
        device.run("softmax") { unsafe $0.softmax(x.on(device), Int64(rows), Int64(columns)) }
        return x.forgetHost()
    }
    unsafe sg_softmax(x.base, Int64(rows), Int64(columns), x.base)
    x.forgetDevice()
}

/// The gradient of ``applySoftmax(_:rows:columns:)`` from its output `y`, in the place of the gradient of that output.
public func applySoftmaxGradient(_ y: FloatBuffer, dy: FloatBuffer, rows: Int, columns: Int) {
    precondition(
        y.count >= rows * columns && dy.count >= rows * columns,
        "softmax: \(rows)×\(columns) in \(y.count) and \(dy.count) elements")
    if let device = Device.current, rows * columns > 0 {
        device.run("softmax gradient") {
            unsafe $0.softmax_backward(y.on(device), dy.on(device), Int64(rows), Int64(columns))
        }
        return dy.forgetHost()
    }
    unsafe sg_softmax_backward(y.base, dy.base, Int64(rows), Int64(columns), dy.base)
    dy.forgetDevice()
}
