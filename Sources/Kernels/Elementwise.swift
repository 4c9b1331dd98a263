import CDevice
import CKernels

/// `a·x + b·y`.
public func combine(_ a: Float, _ x: FloatBuffer, _ b: Float, _ y: FloatBuffer) -> FloatBuffer {
    precondition(x.count == y.count, "combine: x has \(x.count) elements, y \(y.count)")
    if let device = Device.current {
        return device.made("combine", x.count) { unsafe $0.axpby(a, x.on(device), b, y.on(device)) }
    }
    let z = FloatBuffer(count: x.count)
    unsafe sg_axpby(a, x.base, b, y.base, z.base, Int64(x.count))
    return z
}

/// `y ← y + x`, for a `y` that is not shared.
public func accumulate(_ x: FloatBuffer, into y: FloatBuffer) {
    precondition(x.count == y.count, "accumulate: x has \(x.count) elements, y \(y.count)")
    if let device = Device.current {
        device.run("accumulate") { unsafe $0.accumulate(x.on(device), y.on(device)) }
        return y.forgetHost()
    }
    unsafe sg_axpby(1, x.base, 1, y.base, y.base, Int64(x.count))
}

/// `a·x + b`.
public func scale(_ x: FloatBuffer, by a: Float, plus b: Float = 0) -> FloatBuffer {
    if let device = Device.current { return device.map(x, SGD_AFFINE, a, b) }
    let z = FloatBuffer(count: x.count)
    unsafe sg_scale(a, x.base, b, z.base, Int64(x.count))
    return z
}

/// `x ⊙ y`.
public func multiplyElements(_ x: FloatBuffer, _ y: FloatBuffer) -> FloatBuffer {
    precondition(x.count == y.count, "multiplyElements: x has \(x.count) elements, y \(y.count)")
    if let device = Device.current {
        return device.made("multiplyElements", x.count) { unsafe $0.multiply(x.on(device), y.on(device)) }
    }
    let z = FloatBuffer(count: x.count)
    unsafe sg_mul(x.base, y.base, z.base, Int64(x.count))
    return z
}

/// Adds `bias` (`[C]`, or `[B, C]` for one per sample) to every pixel.
public func addToPixels(_ x: FloatBuffer, _ bias: FloatBuffer, batch: Int, pixels: Int, channels: Int) -> FloatBuffer {
    precondition(x.count == batch * pixels * channels, "addToPixels: x has \(x.count) elements")
    precondition(
        bias.count == channels || bias.count == batch * channels, "addToPixels: bias has \(bias.count) elements")
    let rows = bias.count == channels ? 1 : batch
    if let device = Device.current {
        return device.made("addToPixels", x.count) {
            unsafe $0.add_rows(x.on(device), bias.on(device), Int64(rows), Int64(batch), Int64(pixels), Int64(channels))
        }
    }
    let y = FloatBuffer(count: x.count)
    unsafe sg_add_rows(x.base, bias.base, Int64(rows), Int64(batch), Int64(pixels), Int64(channels), y.base)
    return y
}

/// Multiplies sample `b` by `factors[b]`.
public func scaleSamples(_ x: FloatBuffer, by factors: FloatBuffer) -> FloatBuffer {
    let batch = factors.count
    precondition(batch > 0 && x.count % batch == 0, "scaleSamples: \(x.count) by \(batch)")
    if let device = Device.current {
        return device.made("scaleSamples", x.count) {
            unsafe $0.scale_samples(x.on(device), factors.on(device), Int64(batch))
        }
    }
    let y = FloatBuffer(count: x.count)
    unsafe sg_scale_samples(x.base, factors.base, Int64(batch), Int64(x.count / batch), y.base)
    return y
}

/// Every element times the only one of `factor`, which may be on a device and stays there.
public func scale(_ x: FloatBuffer, by factor: FloatBuffer) -> FloatBuffer {
    precondition(factor.count == 1, "scale: \(factor.count) factors")
    return Device.current == nil ? scale(x, by: factor[0]) : scaleSamples(x, by: factor)
}

/// `Σ x·y` as a buffer of one element, which stays on a device.
public func inner(_ x: FloatBuffer, _ y: FloatBuffer) -> FloatBuffer {
    if Device.current == nil { return FloatBuffer([Float(dot(x, y))]) }
    return channelSums(multiplyElements(x, y), batch: 1, pixels: x.count, channels: 1)
}

/// Sums over the pixels of each sample: `[B, C]`.
public func channelSums(_ x: FloatBuffer, batch: Int, pixels: Int, channels: Int) -> FloatBuffer {
    precondition(x.count == batch * pixels * channels, "channelSums: x has \(x.count) elements")
    if let device = Device.current {
        return device.made("channelSums", batch * channels) {
            unsafe $0.channel_sums(x.on(device), Int64(batch), Int64(pixels), Int64(channels))
        }
    }
    let sums = FloatBuffer(count: batch * channels)
    unsafe sg_channel_sums(x.base, Int64(batch), Int64(pixels), Int64(channels), sums.base)
    return sums
}

/// `Σ x`, in double precision between short runs.
public func sum(_ x: FloatBuffer) -> Double {
    if let device = Device.current {
        return device.sum(SGD_SUM, x)
    }
    return unsafe sg_sum(x.base, Int64(x.count))
}

/// `Σ |x|`, in double precision.
public func absoluteSum(_ x: FloatBuffer) -> Double {
    if let device = Device.current {
        return device.sum(SGD_ABSOLUTE_SUM, x)
    }
    return x.withSpan { x in
        var sum = 0.0
        for index in x.indices { sum += Double(abs(x[index])) }
        return sum
    }
}

/// `a` where `x` is positive, `−a` where it is negative, 0 where it is 0.
public func signs(of x: FloatBuffer, times a: Float) -> FloatBuffer {
    if let device = Device.current { return device.map(x, SGD_SIGN, a, 0) }
    return FloatBuffer(x.withSpan { x in x.indices.map { x[$0] > 0 ? a : x[$0] < 0 ? -a : 0 } })
}

/// `1/√(x + offset)`.
public func inverseRoots(_ x: FloatBuffer, plus offset: Float) -> FloatBuffer {
    if let device = Device.current { return device.map(x, SGD_INVERSE_ROOT, offset, 0) }
    return FloatBuffer(x.withSpan { x in x.indices.map { 1 / (x[$0] + offset).squareRoot() } })
}

/// `max(0, 1/x² − offset) · factor`, in double precision.
public func inverseSquares(_ x: FloatBuffer, less offset: Double, times factor: Double) -> FloatBuffer {
    if let device = Device.current { return device.map(x, SGD_INVERSE_SQUARE, Float(offset), Float(factor)) }
    return FloatBuffer(
        x.withSpan { x in
            x.indices.map { Float(max(0, 1 / (Double(x[$0]) * Double(x[$0])) - offset) * factor) }
        })
}

/// `Σ x²` of each of `parts` equal pieces of every buffer, in double precision: `[buffers, parts]`.
public func squares(_ buffers: [FloatBuffer], parts: Int = 1) -> [Double] {
    if let device = Device.current { return device.sums(SGD_SQUARE_SUM, buffers, parts: parts) }
    guard parts > 1 else { return buffers.map { dot($0, $0) } }
    return sums(of: buffers, parts: parts) { $0 * $0 }
}

/// `Σ |x|` of each of `parts` equal pieces, in double precision.
public func absoluteSums(_ x: FloatBuffer, parts: Int) -> [Double] {
    if let device = Device.current { return device.sums(SGD_ABSOLUTE_SUM, [x], parts: parts) }
    return sums(of: [x], parts: parts) { abs($0) }
}

/// `Σ x` of each of `parts` equal pieces, in double precision.
public func sums(_ x: FloatBuffer, parts: Int) -> [Double] {
    if let device = Device.current { return device.sums(SGD_SUM, [x], parts: parts) }
    return sums(of: [x], parts: parts) { $0 }
}

private func sums(of buffers: [FloatBuffer], parts: Int, _ term: (Double) -> Double) -> [Double] {
    precondition(buffers.allSatisfy { parts > 0 && $0.count % parts == 0 }, "sums of \(parts) parts")
    return buffers.flatMap { buffer in
        let each = buffer.count / parts
        return buffer.withSpan { x in
            (0..<parts).map { part in
                var sum = 0.0
                for index in part * each..<(part + 1) * each { sum += term(Double(x[index])) }
                return sum
            }
        }
    }
}

/// `Σ x·y`.
public func dot(_ x: FloatBuffer, _ y: FloatBuffer) -> Double {
    precondition(x.count == y.count, "dot: x has \(x.count) elements, y \(y.count)")
    if let device = Device.current { return device.scalar("dot") { unsafe $0.dot(x.on(device), y.on(device), $1) } }
    return unsafe sg_dot(x.base, y.base, Int64(x.count))
}

/// The maps side by side along the channels.
public func concatenateChannels(_ parts: [(buffer: FloatBuffer, channels: Int)], pixels: Int) -> FloatBuffer {
    let channels = parts.reduce(0) { $0 + $1.channels }
    let filled = parts.filter { $0.channels > 0 }
    if let device = Device.current, !filled.isEmpty, pixels > 0 {
        let (handles, widths) = unsafe (
            filled.map { unsafe Optional($0.buffer.on(device)) }, filled.map { Int64($0.channels) }
        )
        return device.made("concatenateChannels", pixels * channels) {
            unsafe $0.concatenate(handles, widths, Int64(filled.count), Int64(pixels))
        }
    }
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
    if let device = Device.current, pixels > 0, !range.isEmpty {
        return device.made("sliceChannels", pixels * range.count) {
            unsafe $0.slice(x.on(device), Int64(pixels), Int64(channels), Int64(range.lowerBound), Int64(range.count))
        }
    }
    let y = FloatBuffer(count: pixels * range.count)
    if range.isEmpty { return y }
    unsafe sg_copy_channels(
        x.base, Int64(pixels), Int64(channels), Int64(range.lowerBound), y.base, Int64(range.count), 0,
        Int64(range.count), 0)
    return y
}
