/// Four dot products at once: `Σ_i a_i b_{start + m·step + i}` for `m` = 0…3, as a filter that decimates needs them.
///
/// - Precondition: `start ≥ 0`, and all elements that are needed lie in `b`.
public func dotProducts(_ a: [Double], _ b: [Double], from start: Int, step: Int) -> SIMD4<Double> {
    precondition(
        start >= 0 && start + 3 * step + a.count <= b.count,
        "dotProducts: elements \(start)... of \(b.count) for \(a.count), apart by \(step)")
    typealias Four = SIMD4<Double>
    let (taps, samples) = unsafe (a.span.bytes, b.span.bytes)
    let stride = MemoryLayout<Double>.stride
    let (first, apart) = (start * stride, step * stride)
    func load(_ values: borrowing RawSpan, _ offset: Int) -> Four {
        // In bounds by the precondition; a check for each load would take longer than the sum.
        unsafe values.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Four.self)
    }
    var (s0, s1, s2, s3) = (Four.zero, Four.zero, Four.zero, Four.zero)
    var index = 0
    while index + Four.scalarCount <= a.count {
        let tap = load(taps, index &* stride)
        let offset = first &+ index &* stride
        s0 += tap * load(samples, offset)
        s1 += tap * load(samples, offset &+ apart)
        s2 += tap * load(samples, offset &+ 2 &* apart)
        s3 += tap * load(samples, offset &+ 3 &* apart)
        index += Four.scalarCount
    }
    var sums = Four(s0.sum(), s1.sum(), s2.sum(), s3.sum())
    while index < a.count {
        for lane in 0..<Four.scalarCount { sums[lane] += a[index] * b[start + lane * step + index] }
        index += 1
    }
    return sums
}
