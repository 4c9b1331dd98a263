import CDevice

/// Keeps an element with probability `1 − rate`, divided by it; sample `b` is decided by `streams[b]` alone.
///
/// Element `i` of a sample is dropped where word `i` of its stream, four from each block, lies below `rate · 2³²`: the
/// same ones on every device.
public func dropElements(_ x: FloatBuffer, rate: Double, streams: [RandomStream]) -> FloatBuffer {
    let each = x.count / max(1, streams.count)
    precondition(x.count == each * streams.count, "dropElements: \(x.count) elements of \(streams.count) samples")
    let (threshold, kept) = (UInt32(rate * 0x1p32), Float(1 / (1 - rate)))
    if let device = Device.current, x.count > 0 {
        let keys = streams.map(\.key)
        return device.made("dropElements", x.count) {
            unsafe $0.dropout(x.on(device), keys, Int64(keys.count), threshold, kept)
        }
    }
    return multiplyElements(x, mask(threshold, kept, streams, each))
}

private func mask(_ threshold: UInt32, _ kept: Float, _ streams: [RandomStream], _ each: Int) -> FloatBuffer {
    let mask = FloatBuffer(count: each * streams.count)
    mask.withMutableSpan { span in
        for (sample, stream) in streams.enumerated() {
            let first = sample * each
            for block in 0..<(each + 3) / 4 {
                let words = stream.block(UInt64(block))
                let at = 4 * block
                span[first + at] = words.0 < threshold ? 0 : kept
                if at + 1 < each { span[first + at + 1] = words.1 < threshold ? 0 : kept }
                if at + 2 < each { span[first + at + 2] = words.2 < threshold ? 0 : kept }
                if at + 3 < each { span[first + at + 3] = words.3 < threshold ? 0 : kept }
            }
        }
    }
    return mask
}
