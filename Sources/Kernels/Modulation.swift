import CDevice

/// `(1 + scale) ⊙ x + shift` at every pixel of `[B, pixels, C]`, with scale and shift `[B, C]`.
public func modulate(
    _ x: FloatBuffer, scale: FloatBuffer, shift: FloatBuffer?, batch: Int, pixels: Int, channels: Int
) -> FloatBuffer {
    precondition(
        x.count == batch * pixels * channels && scale.count == batch * channels
            && shift?.count ?? scale.count == scale.count,
        "modulate: \(x.count) elements by \(scale.count)")
    if let device = Device.current, x.count > 0 {
        return device.made("modulate", x.count) {
            unsafe $0.modulate(
                x.on(device), scale.on(device), shift?.on(device), Int64(batch), Int64(pixels), Int64(channels))
        }
    }
    let shift = shift ?? FloatBuffer(repeating: 0, count: scale.count)
    let out = FloatBuffer(count: x.count)
    x.withSpan { x in
        scale.withSpan { scale in
            shift.withSpan { shift in
                out.withMutableSpan { y in
                    for sample in 0..<batch {
                        let row = sample * channels
                        for pixel in 0..<pixels {
                            let first = (sample * pixels + pixel) * channels
                            for c in 0..<channels {
                                y[first + c] = x[first + c] * (1 + scale[row + c]) + shift[row + c]
                            }
                        }
                    }
                }
            }
        }
    }
    return out
}
