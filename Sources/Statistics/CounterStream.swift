/// Random words addressed by (seed, stream, position): any of them at any time, on any thread, and always the same.
///
/// The words are SplitMix64's (Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014),
/// whose state is a counter.
struct CounterStream {
    private let key: UInt64

    init(seed: UInt64, stream: Int) {
        key = Self.mixed(Self.mixed(seed &+ Self.golden) &+ UInt64(bitPattern: Int64(stream)) &* Self.golden)
    }

    @inline(__always)
    func word(at position: Int) -> UInt64 {
        Self.mixed(key &+ UInt64(truncatingIfNeeded: position &+ 1) &* Self.golden)
    }

    /// `count` numbers from 0 to `bound − 1`, two from each word.
    @inline(__always)
    func forEachIndex(count: Int, below bound: Int, _ body: (Int) -> Void) {
        let bound = UInt64(bound)
        for position in 0..<(count + 1) / 2 {
            let word = word(at: position)
            body(Int(((word >> 32) &* bound) >> 32))
            if 2 * position + 1 < count { body(Int(((word & 0xFFFF_FFFF) &* bound) >> 32)) }
        }
    }

    private static let golden: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always)
    private static func mixed(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
