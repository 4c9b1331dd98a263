import CKernels
import Foundation

/// A counter-based random stream: element `i` of the stream named by `(seed, purpose, indices)`
/// is a pure function of those values.
///
/// Nothing is advanced, so a draw does not depend on what was drawn before, on the number of workers, or
/// on whether a run was interrupted. The generator is Philox-4×32-10 (Salmon et al., *Parallel Random
/// Numbers: As Easy as 1, 2, 3*, SC 2011); the key is a 64-bit hash of the address.
public struct RandomStream: Sendable, Hashable {
    let key: UInt64

    /// The stream at an address.
    ///
    /// - Parameters:
    ///   - seed: The run's or the evaluation's seed.
    ///   - purpose: What the numbers are for, such as `"crop"`; different purposes never share numbers.
    ///   - indices: Further coordinates, such as step and sample.
    public init(seed: UInt64, purpose: String, _ indices: Int...) {
        self.init(seed: seed, purpose: purpose, indices: indices)
    }

    public init(seed: UInt64, purpose: String, indices: [Int]) {
        var hash = Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
        for byte in purpose.utf8 { hash = Self.mixed(hash ^ UInt64(byte) &+ 0x9E37_79B9_7F4A_7C15) }
        for index in indices {
            hash = Self.mixed(hash &+ 0x9E37_79B9_7F4A_7C15 ^ UInt64(bitPattern: Int64(index)))
        }
        key = hash
    }

    /// A stream derived from this one; equal indices give equal streams.
    public func child(_ index: Int) -> RandomStream {
        RandomStream(seed: key, purpose: "child", index)
    }

    /// The four 32-bit words of block `counter`.
    public func block(_ counter: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
        var (c0, c1) = (UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32))
        var (c2, c3): (UInt32, UInt32) = (0, 0)
        var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
        for _ in 0..<10 {
            let p0 = UInt64(c0) &* 0xD251_1F53
            let p1 = UInt64(c2) &* 0xCD9E_8D57
            (c0, c1, c2, c3) = (
                UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
                UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
            )
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return (c0, c1, c2, c3)
    }

    /// Number `index` of the stream, uniform in `[0, 1)` with 53 random bits.
    public func uniform(_ index: Int) -> Double {
        let words = block(UInt64(index))
        let bits = UInt64(words.0) << 32 | UInt64(words.1)
        return Double(bits >> 11) * 0x1p-53
    }

    /// Number `index` of the stream, uniform in `range`.
    public func uniform(_ index: Int, in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform(index)
    }

    /// Number `index` of the stream, a whole number uniform in `0..<bound`.
    public func integer(_ index: Int, below bound: Int) -> Int {
        precondition(bound > 0, "integer below \(bound)")
        return min(bound - 1, Int(uniform(index) * Double(bound)))
    }

    /// Number `index` of the stream, standard normal (Box–Muller).
    public func normal(_ index: Int) -> Double {
        let words = block(UInt64(index))
        let first = (Double(UInt64(words.0) << 21 ^ UInt64(words.1) >> 11) + 0.5) * 0x1p-53
        let second = Double(UInt64(words.2) << 21 ^ UInt64(words.3) >> 11) * 0x1p-53
        return (-2 * log(first)).squareRoot() * cos(2 * .pi * second)
    }

    /// The first `count` standard normals, four per block (Box–Muller, single precision), times `standardDeviation`.
    ///
    /// Element `i` is the same whatever `count`, the number of threads and the instruction set are. Words 0 and 1 of a
    /// block give two numbers, words 2 and 3 two more.
    public func normals(_ count: Int, standardDeviation: Double = 1) -> [Float] {
        unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let base = buffer.baseAddress {
                unsafe sg_normals(key, Float(standardDeviation), base, Int64(count))
            }
            initialized = count
        }
    }

    /// The first `count` numbers uniform in `[−bound, bound)`, four per block, each with 32 random bits.
    ///
    /// Element `i` is the same whatever `count` is; it is not ``uniform(_:)``'s.
    public func uniforms(_ count: Int, bound: Double) -> [Float] {
        unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            let scale = bound * 0x1p-31
            for start in stride(from: 0, to: count, by: 4) {
                let words = block(UInt64(start / 4))
                let values = [words.0, words.1, words.2, words.3] as InlineArray<4, UInt32>
                for offset in 0..<min(4, count - start) {
                    unsafe buffer[start + offset] = Float(Double(values[offset]) * scale - bound)
                }
            }
            initialized = count
        }
    }

    /// The numbers `0..<count` in random order (Fisher–Yates).
    public func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, integer(last, below: last + 1))
        }
        return order
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
