import CKernels

/// `a·x + b·y`.
public func combine(_ a: Float, _ x: FloatBuffer, _ b: Float, _ y: FloatBuffer) -> FloatBuffer {
    precondition(x.count == y.count, "combine: x has \(x.count) elements, y \(y.count)")
    let z = FloatBuffer(count: x.count)
    unsafe sg_axpby(a, x.base, b, y.base, z.base, Int64(x.count))
    return z
}

/// `y ← y + x`, for a `y` that nobody else holds.
public func accumulate(_ x: FloatBuffer, into y: FloatBuffer) {
    precondition(x.count == y.count, "accumulate: x has \(x.count) elements, y \(y.count)")
    unsafe sg_axpby(1, x.base, 1, y.base, y.base, Int64(x.count))
}

/// `a·x + b`.
public func scale(_ x: FloatBuffer, by a: Float, plus b: Float = 0) -> FloatBuffer {
    let z = FloatBuffer(count: x.count)
    unsafe sg_scale(a, x.base, b, z.base, Int64(x.count))
    return z
}

/// `x ⊙ y`.
public func multiplyElements(_ x: FloatBuffer, _ y: FloatBuffer) -> FloatBuffer {
    precondition(x.count == y.count, "multiplyElements: x has \(x.count) elements, y \(y.count)")
    let z = FloatBuffer(count: x.count)
    unsafe sg_mul(x.base, y.base, z.base, Int64(x.count))
    return z
}

/// Adds `bias` (`[C]`, or `[B, C]` for one per sample) to every pixel.
public func addToPixels(_ x: FloatBuffer, _ bias: FloatBuffer, batch: Int, pixels: Int, channels: Int) -> FloatBuffer {
    precondition(x.count == batch * pixels * channels, "addToPixels: x has \(x.count) elements")
    precondition(bias.count == channels || bias.count == batch * channels, "addToPixels: bias has \(bias.count) elements")
    let y = FloatBuffer(count: x.count)
    let rows = bias.count == channels ? 1 : batch
    unsafe sg_add_rows(x.base, bias.base, Int64(rows), Int64(batch), Int64(pixels), Int64(channels), y.base)
    return y
}

/// Multiplies sample `b` by `factors[b]`.
public func scaleSamples(_ x: FloatBuffer, by factors: [Float]) -> FloatBuffer {
    precondition(!factors.isEmpty && x.count % factors.count == 0, "scaleSamples: \(x.count) by \(factors.count)")
    let y = FloatBuffer(count: x.count)
    unsafe factors.withUnsafeBufferPointer { factors in
        unsafe sg_scale_samples(
            x.base, factors.baseAddress, Int64(factors.count), Int64(x.count / factors.count), y.base)
    }
    return y
}

/// Sums over the pixels of each sample: `[B, C]`.
public func channelSums(_ x: FloatBuffer, batch: Int, pixels: Int, channels: Int) -> FloatBuffer {
    precondition(x.count == batch * pixels * channels, "channelSums: x has \(x.count) elements")
    let sums = FloatBuffer(count: batch * channels)
    unsafe sg_channel_sums(x.base, Int64(batch), Int64(pixels), Int64(channels), sums.base)
    return sums
}

/// `Σ x`, in double precision between short runs.
public func sum(_ x: FloatBuffer) -> Double { unsafe sg_sum(x.base, Int64(x.count)) }

/// `Σ x·y`.
public func dot(_ x: FloatBuffer, _ y: FloatBuffer) -> Double {
    precondition(x.count == y.count, "dot: x has \(x.count) elements, y \(y.count)")
    return unsafe sg_dot(x.base, y.base, Int64(x.count))
}

/// The maps side by side along the channels.
public func concatenateChannels(_ parts: [(buffer: FloatBuffer, channels: Int)], pixels: Int) -> FloatBuffer {
    let channels = parts.reduce(0) { $0 + $1.channels }
    let y = FloatBuffer(count: pixels * channels)
    var offset = 0
    for part in parts where part.channels > 0 {
        precondition(part.buffer.count == pixels * part.channels, "concatenateChannels: \(part.buffer.count) elements")
        unsafe sg_copy_channels(
            part.buffer.base, Int64(pixels), Int64(part.channels), 0, y.base, Int64(channels), Int64(offset),
            Int64(part.channels), 0)
        offset += part.channels
    }
    return y
}

/// Channels `range` of a map.
public func sliceChannels(_ x: FloatBuffer, pixels: Int, channels: Int, range: Range<Int>) -> FloatBuffer {
    precondition(x.count == pixels * channels && range.lowerBound >= 0 && range.upperBound <= channels, "sliceChannels")
    let y = FloatBuffer(count: pixels * range.count)
    if range.isEmpty { return y }
    unsafe sg_copy_channels(
        x.base, Int64(pixels), Int64(channels), Int64(range.lowerBound), y.base, Int64(range.count), 0, Int64(range.count), 0)
    return y
}

/// Up-sampling by zeros, a separable FIR filter along height and width, down-sampling.
///
/// - Parameters:
///   - padBefore, padAfter: Zeros around the up-sampled map, on either side of both axes; negative ones crop.
public struct Resampling: Hashable, Sendable {
    public var taps: [Float]
    public var up, down, padBefore, padAfter: Int

    public init(taps: [Float], up: Int, down: Int, padBefore: Int, padAfter: Int) {
        precondition(!taps.isEmpty && taps.count <= 8 && up >= 1 && down >= 1, "resampling with \(taps.count) taps")
        self.taps = taps
        self.up = up
        self.down = down
        self.padBefore = padBefore
        self.padAfter = padAfter
    }

    public func outputSize(_ size: Int) -> Int { (size * up + padBefore + padAfter - taps.count) / down + 1 }
}

public func resample(_ x: FloatBuffer, _ r: Resampling, batch: Int, height: Int, width: Int, channels: Int) -> FloatBuffer {
    resample(
        x, r, batch: batch, height: height, width: width, channels: channels,
        outHeight: r.outputSize(height), outWidth: r.outputSize(width))
}

/// The gradient of ``resample(_:_:batch:height:width:channels:)`` with respect to its input of `height × width`.
public func resampleGradient(
    _ dy: FloatBuffer, _ r: Resampling, batch: Int, height: Int, width: Int, channels: Int
) -> FloatBuffer {
    let adjoint = Resampling(
        taps: r.taps.reversed(), up: r.down, down: r.up, padBefore: r.taps.count - 1 - r.padBefore, padAfter: 0)
    return resample(
        dy, adjoint, batch: batch, height: r.outputSize(height), width: r.outputSize(width), channels: channels,
        outHeight: height, outWidth: width)
}

private func resample(
    _ x: FloatBuffer, _ r: Resampling, batch: Int, height: Int, width: Int, channels: Int, outHeight: Int, outWidth: Int
) -> FloatBuffer {
    precondition(x.count == batch * height * width * channels, "resample: x has \(x.count) elements")
    let y = FloatBuffer(count: batch * outHeight * outWidth * channels)
    unsafe r.taps.withUnsafeBufferPointer { taps in
        unsafe sg_upfirdn(
            x.base, Int64(batch), Int64(height), Int64(width), Int64(channels), taps.baseAddress, Int64(taps.count),
            Int32(r.up), Int32(r.down), Int64(r.padBefore), Int64(r.padAfter), y.base, Int64(outHeight), Int64(outWidth))
    }
    return y
}

/// The running moments of Adam and its settings for one update.
public struct AdamUpdate: Sendable {
    public var rate, beta1, beta2, epsilon: Double
    /// Updates made, this one included.
    public var count: Int
    /// The moving average's decay at this update.
    public var decay: Double

    public init(rate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, count: Int, decay: Double) {
        self.rate = rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.count = count
        self.decay = decay
    }
}

/// One step of Adam on `weight`, then `average ← average + (1 − decay)(weight − average)`.
///
/// Kingma & Ba, *Adam*, ICLR 2015, Algorithm 1; no weight decay.
public func updateAdam(
    _ weight: FloatBuffer, gradient: FloatBuffer, first: FloatBuffer, second: FloatBuffer, average: FloatBuffer?, _ u: AdamUpdate
) {
    let count = weight.count
    precondition(
        gradient.count == count && first.count == count && second.count == count && average?.count ?? count == count,
        "updateAdam: buffers of different lengths")
    unsafe sg_adam(
        weight.base, gradient.base, first.base, second.base, average?.base, Int64(count), u.rate, u.beta1, u.beta2, u.epsilon,
        1 - power(u.beta1, u.count), 1 - power(u.beta2, u.count), u.decay)
    weight.packed.forget()
    average?.packed.forget()
}

private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, rest) = (1.0, base, exponent)
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
