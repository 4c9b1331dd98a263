import CDevice
import CKernels

/// Up-sampling by zeros, a separable FIR filter along height and width, down-sampling.
///
/// - Parameters:
///   - padBefore, padAfter: Zeros around the up-sampled map, on either side of both axes; negative ones crop.
public struct Resampling: Hashable, Sendable {
    /// The filter along one axis, at most 8 taps.
    public var taps: [Float]
    /// The factors of up- and down-sampling, and the zeros around the up-sampled map.
    public var up, down, padBefore, padAfter: Int

    public init(taps: [Float], up: Int, down: Int, padBefore: Int, padAfter: Int) {
        precondition(!taps.isEmpty && taps.count <= 8 && up >= 1 && down >= 1, "resampling with \(taps.count) taps")
        self.taps = taps
        self.up = up
        self.down = down
        self.padBefore = padBefore
        self.padAfter = padAfter
    }

    /// Elements along an axis for an input of `size`.
    public func outputSize(_ size: Int) -> Int { (size * up + padBefore + padAfter - taps.count) / down + 1 }
}

/// The map `[B, H, W, C]` resampled along height and width.
public func resample(_ x: FloatBuffer, _ r: Resampling, batch: Int, height: Int, width: Int, channels: Int)
    -> FloatBuffer
{
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
    let outCount = batch * outHeight * outWidth * channels
    if let device = Device.current {
        return device.made("resample", outCount) { table in
            unsafe r.taps.withUnsafeBufferPointer { taps in
                var shape = unsafe sgd_resampling(
                    batch: Int64(batch), height: Int64(height), width: Int64(width), channels: Int64(channels),
                    up: Int64(r.up),
                    down: Int64(r.down), before: Int64(r.padBefore), out_height: Int64(outHeight),
                    out_width: Int64(outWidth),
                    count: Int64(taps.count), taps: taps.baseAddress)
                return unsafe table.resample(&shape, x.on(device))
            }
        }
    }
    let y = FloatBuffer(count: outCount)
    unsafe r.taps.withUnsafeBufferPointer { taps in
        unsafe sg_upfirdn(
            x.base, Int64(batch), Int64(height), Int64(width), Int64(channels), taps.baseAddress, Int64(taps.count),
            Int32(r.up), Int32(r.down), Int64(r.padBefore), Int64(r.padAfter), y.base, Int64(outHeight), Int64(outWidth)
        )
    }
    return y
}
