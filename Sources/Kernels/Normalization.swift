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
public func groupStatistics(_ x: FloatBuffer, shape: GroupShape, epsilon: Float) -> FloatBuffer {
    precondition(x.count == shape.count, "groupStatistics: x has \(x.count) elements, wants \(shape.count)")
    let stats = FloatBuffer(count: shape.batch * shape.groups * 2)
    unsafe sg_group_stats(
        x.base, Int64(shape.batch), Int64(shape.pixels), Int64(shape.channels), Int64(shape.groups), epsilon, stats.base)
    return stats
}

/// `act(gamma · (x − mean) · rstd + beta)`.
public func normalize(
    _ x: FloatBuffer, statistics: FloatBuffer, gamma: FloatBuffer?, beta: FloatBuffer?, activation: Activation, shape: GroupShape
) -> FloatBuffer {
    precondition(x.count == shape.count, "normalize: x has \(x.count) elements, wants \(shape.count)")
    precondition(statistics.count == shape.batch * shape.groups * 2, "normalize: statistics of another shape")
    precondition(gamma.map { $0.count == shape.channels } ?? true, "normalize: gamma of another shape")
    precondition(beta.map { $0.count == shape.channels } ?? true, "normalize: beta of another shape")
    let y = FloatBuffer(count: x.count)
    unsafe sg_norm_act(
        x.base, statistics.base, gamma?.base, beta?.base, activation.rawValue, Int64(shape.batch), Int64(shape.pixels),
        Int64(shape.channels), Int64(shape.groups), y.base)
    return y
}

/// The gradients of ``normalize(_:statistics:gamma:beta:activation:shape:)``, through the statistics too.
public func normalizeGradient(
    _ x: FloatBuffer, statistics: FloatBuffer, gamma: FloatBuffer?, beta: FloatBuffer?, activation: Activation,
    shape: GroupShape, dy: FloatBuffer
) -> (x: FloatBuffer, gamma: FloatBuffer, beta: FloatBuffer) {
    precondition(x.count == shape.count && dy.count == shape.count, "normalizeGradient: x \(x.count), dy \(dy.count)")
    precondition(statistics.count == shape.batch * shape.groups * 2, "normalizeGradient: statistics of another shape")
    precondition(gamma.map { $0.count == shape.channels } ?? true, "normalizeGradient: gamma of another shape")
    precondition(beta.map { $0.count == shape.channels } ?? true, "normalizeGradient: beta of another shape")
    let dx = FloatBuffer(count: x.count)
    let (dgamma, dbeta) = (FloatBuffer(count: shape.channels), FloatBuffer(count: shape.channels))
    unsafe sg_norm_act_backward(
        x.base, statistics.base, gamma?.base, beta?.base, activation.rawValue, dy.base, Int64(shape.batch),
        Int64(shape.pixels), Int64(shape.channels), Int64(shape.groups), dx.base, dgamma.base, dbeta.base)
    return (dx, dgamma, dbeta)
}

public func activate(_ x: FloatBuffer, _ activation: Activation) -> FloatBuffer {
    let y = FloatBuffer(count: x.count)
    unsafe sg_activation(activation.rawValue, x.base, y.base, Int64(x.count))
    return y
}

public func activateGradient(_ x: FloatBuffer, _ activation: Activation, dy: FloatBuffer) -> FloatBuffer {
    precondition(x.count == dy.count, "activateGradient: x has \(x.count) elements, dy \(dy.count)")
    let dx = FloatBuffer(count: x.count)
    unsafe sg_activation_backward(activation.rawValue, x.base, dy.base, dx.base, Int64(x.count))
    return dx
}

/// Softmax over the last of `rows × columns`.
public func softmax(_ x: FloatBuffer, rows: Int, columns: Int) -> FloatBuffer {
    precondition(x.count == rows * columns, "softmax: \(x.count) elements are not \(rows)×\(columns)")
    let y = FloatBuffer(count: x.count)
    unsafe sg_softmax(x.base, Int64(rows), Int64(columns), y.base)
    return y
}

/// The gradient of ``softmax(_:rows:columns:)`` from its output `y`.
public func softmaxGradient(_ y: FloatBuffer, dy: FloatBuffer, rows: Int, columns: Int) -> FloatBuffer {
    precondition(y.count == rows * columns && dy.count == y.count, "softmaxGradient: y \(y.count), dy \(dy.count)")
    let dx = FloatBuffer(count: y.count)
    unsafe sg_softmax_backward(y.base, dy.base, Int64(rows), Int64(columns), dx.base)
    return dx
}
