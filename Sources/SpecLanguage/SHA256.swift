import Foundation

/// The hash function of FIPS 180-4, for names that are the same everywhere and forever; fed piece by piece.
package struct SHA256 {
    private static let roundConstants: [UInt32] = fractionalRoots(of: primes(64), power: 3)
    private static let start = SIMD8<UInt32>(fractionalRoots(of: primes(8), power: 2))
    private static let digits = Array("0123456789abcdef".utf8)

    private var state = start
    /// Bytes that do not fill a block yet.
    private var rest = InlineArray<64, UInt8>(repeating: 0)
    private var count = 0

    package init() {}

    package static func digest(of message: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(message.span)
        return hash.finish()
    }

    /// The digest in hexadecimal.
    ///
    /// - Parameter digits: How many of its 64 digits, from the first on.
    package static func hex(_ text: String, digits: Int = 64) -> String {
        var hash = SHA256()
        hash.update(text.utf8.span)
        return hash.hex(digits)
    }

    /// The digest of a file's bytes in hexadecimal.
    ///
    /// - Throws: What keeps the file from being read.
    package static func hex(ofFile path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var hash = SHA256()
        while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty { hash.update([UInt8](chunk).span) }
        return hash.hex(64)
    }

    package mutating func update(_ bytes: Span<UInt8>) {
        var next = 0
        let filled = count % 64
        count += bytes.count
        if filled > 0 {
            next = min(64 - filled, bytes.count)
            for i in 0..<next { rest[filled + i] = bytes[i] }
            guard filled + next == 64 else { return }
            Self.compress(rest.span, into: &state)
        }
        while bytes.count - next >= 64 {
            Self.compress(bytes.extracting(next..<next + 64), into: &state)
            next += 64
        }
        for i in next..<bytes.count { rest[i - next] = bytes[i] }
    }

    package mutating func finish() -> [UInt8] {
        pad()
        return (0..<32).map { UInt8(truncatingIfNeeded: state[$0 / 4] >> UInt32(24 - $0 % 4 * 8)) }
    }

    private mutating func hex(_ length: Int) -> String {
        pad()
        return String(unsafeUninitializedCapacity: length) { letters in
            for i in 0..<length { letters[i] = Self.digits[Int(state[i / 8] >> UInt32(28 - i % 8 * 4) & 15)] }
            return length
        }
    }

    /// Ends the message: a one, zeros, and its length in bits.
    private mutating func pad() {
        var filled = count % 64
        rest[filled] = 0x80
        filled += 1
        if filled > 56 {
            for i in filled..<64 { rest[i] = 0 }
            Self.compress(rest.span, into: &state)
            filled = 0
        }
        for i in filled..<56 { rest[i] = 0 }
        let bits = UInt64(count) * 8
        for i in 0..<8 { rest[56 + i] = UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * i)) }
        Self.compress(rest.span, into: &state)
    }

    private static func compress(_ block: Span<UInt8>, into state: inout SIMD8<UInt32>) {
        precondition(block.count == 64)
        var w = InlineArray<64, UInt32>(repeating: 0)
        for i in 0..<16 {
            w[i] = UInt32(block[4 * i]) << 24 | UInt32(block[4 * i + 1]) << 16 | UInt32(block[4 * i + 2]) << 8 | UInt32(block[4 * i + 3])
        }
        for i in 16..<64 {
            let s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ (w[i - 15] >> 3)
            let s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ (w[i - 2] >> 10)
            w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
        }
        let constants = roundConstants
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for i in 0..<64 {
            let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ constants[i] &+ w[i]
            let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
            let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
        }
        state &+= SIMD8(a, b, c, d, e, f, g, h)
    }

    private static func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x &>> n | x &<< (32 &- n) }

    private static func primes(_ count: Int) -> [UInt64] {
        var found: [UInt64] = []
        var candidate: UInt64 = 2
        while found.count < count {
            if !found.contains(where: { candidate.isMultiple(of: $0) }) { found.append(candidate) }
            candidate += 1
        }
        return found
    }

    /// The first 32 bits of the fractional parts of the roots, by which the standard defines its constants:
    /// the largest `r` with `r^power ≤ p · 2^(32 · power)`, without its whole part.
    private static func fractionalRoots(of primes: [UInt64], power: Int) -> [UInt32] {
        primes.map { prime in
            var root: UInt64 = 0
            for bit in stride(from: UInt64(36), through: 0, by: -1) {
                let trial = root | 1 << bit
                if isPower(trial, power, atMost: prime) { root = trial }
            }
            return UInt32(truncatingIfNeeded: root)
        }
    }

    /// Whether `(x / 2³²)^power ≤ limit`, exactly.
    private static func isPower(_ x: UInt64, _ power: Int, atMost limit: UInt64) -> Bool {
        let x = UInt128(x)
        let square = x * x
        guard power == 3 else { return square <= UInt128(limit) << 64 }
        // x³ has up to 111 bits: it fits.
        return square * x <= UInt128(limit) << 96
    }
}
