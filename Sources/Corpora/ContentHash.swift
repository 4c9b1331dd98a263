public import Foundation

/// A 128-bit hash of content, to distinguish equal data from different data; not a defence against an adversary. Audio
/// is identified by ``AudioDigest``; this hash of audio is only for stores of earlier versions.
///
/// Two 64-bit accumulators take every word in turn, each by a bijection of its state (xor or sum with the word, odd
/// multiplication, shifted xor), with different constants; the length and a final avalanche close it. Two different
/// contents among 10⁵ collide with a probability near 10⁻²⁸.
public struct ContentHash: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The upper 64 bits: the first 16 digits of ``description``.
    public var high: UInt64
    /// The lower 64 bits: the last 16 digits of ``description``.
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The hash of samples, by their bits.
    public init(of samples: [Float]) {
        var hasher = ContentHasher()
        var index = 0
        while index + 1 < samples.count {
            hasher.combine(UInt64(samples[index].bitPattern) << 32 | UInt64(samples[index + 1].bitPattern))
            index += 2
        }
        if index < samples.count { hasher.combine(UInt64(samples[index].bitPattern)) }
        hasher.combine(UInt64(samples.count))
        self = hasher.finish()
    }

    /// The hash by which earlier versions identified a recording.
    init(ofChannels channels: [[Float]]) {
        var hasher = ContentHasher()
        for samples in channels { hasher.combine(ContentHash(of: samples)) }
        self = hasher.finish()
    }

    /// The hash of a text's UTF-8 bytes.
    public init(of text: String) {
        var hasher = ContentHasher()
        hasher.combine(text)
        self = hasher.finish()
    }

    /// The hash of bytes, such as a file's.
    public init(ofBytes data: Data) {
        var hasher = ContentHasher()
        var (word, count): (UInt64, UInt64) = (0, 0)
        for byte in data {
            word = word << 8 | UInt64(byte)
            count += 1
            if count % 8 == 0 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(count)
        self = hasher.finish()
    }

    /// 32 hexadecimal digits.
    public var description: String { Self.hex(high) + Self.hex(low) }

    public init?(_ description: String) {
        guard description.utf8.count == 32, let high = UInt64(description.prefix(16), radix: 16),
            let low = UInt64(description.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    /// The order of the 128-bit numbers, which is that of their ``description``.
    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Takes words one after the other; see ``ContentHash``.
public struct ContentHasher: Sendable {
    private var first: UInt64 = 0x243F_6A88_85A3_08D3  // digits of π
    private var second: UInt64 = 0x1319_8A2E_0370_7344

    public init() {}

    /// Adds one word; a sequence in another order gives another hash.
    @inline(__always)
    public mutating func combine(_ word: UInt64) {
        first = (first ^ word) &* 0x9E37_79B9_7F4A_7C15
        first ^= first >> 32
        second = (second &+ word) &* 0xD1B5_4A32_D192_ED03
        second ^= second >> 29
    }

    /// Adds both words of a hash, the upper one first.
    public mutating func combine(_ hash: ContentHash) {
        combine(hash.high)
        combine(hash.low)
    }

    /// Adds the UTF-8 bytes, eight to a word, and then their number, so that `"ab", "c"` differs from `"a", "bc"`.
    public mutating func combine(_ text: String) {
        var word: UInt64 = 0
        var count: UInt64 = 0
        for byte in text.utf8 {
            word = word << 8 | UInt64(byte)
            count += 1
            if count % 8 == 0 {
                combine(word)
                word = 0
            }
        }
        combine(word)
        combine(count)
    }

    /// The hash of all words so far; more may follow.
    public func finish() -> ContentHash {
        func avalanche(_ word: UInt64) -> UInt64 {
            var z = word
            z = (z ^ (z >> 33)) &* 0xFF51_AFD7_ED55_8CCD
            z = (z ^ (z >> 29)) &* 0xC4CE_B9FE_1A85_EC53
            return z ^ (z >> 32)
        }
        return ContentHash(
            high: avalanche(first &+ avalanche(second)), low: avalanche(second ^ avalanche(first &+ 1)))
    }
}
