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
