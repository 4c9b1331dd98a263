import Foundation

/// The hash function of FIPS 180-4, for names that are the same everywhere and forever; fed piece by piece.
package struct SHA256 {
    private static let roundConstants: [UInt32] = fractionalRoots(of: primes(64), power: 3)
    private static let start = SIMD8<UInt32>(fractionalRoots(of: primes(8), power: 2))
    private static let digits = Array("0123456789abcdef".utf8)

    private var state = start
    /// Bytes that do not fill a block yet.
    private var rest: [UInt8] = []
    private var count: UInt64 = 0

    package init() {}

    package static func digest(of message: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(message)
        return hash.finish()
    }

    /// The digest in hexadecimal.
    package static func hex(_ text: String) -> String { hex(digest(of: Array(text.utf8))) }

    /// The digest of a file's bytes in hexadecimal.
    ///
    /// - Throws: What keeps the file from being read.
    package static func hex(ofFile path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var hash = SHA256()
        while let chunk = try file.read(upToCount: 1 << 20), !chunk.isEmpty { hash.update([UInt8](chunk)) }
        return hex(hash.finish())
    }

    private static func hex(_ digest: [UInt8]) -> String {
        var letters: [UInt8] = []
        letters.reserveCapacity(64)
        for byte in digest {
            letters.append(digits[Int(byte >> 4)])
            letters.append(digits[Int(byte & 15)])
        }
        return String(decoding: letters, as: UTF8.self)
    }

    package mutating func update(_ bytes: [UInt8]) {
        count += UInt64(bytes.count)
        var next = 0
        if !rest.isEmpty {
            next = min(64 - rest.count, bytes.count)
            rest += bytes[..<next]
            guard rest.count == 64 else { return }
            Self.compress(rest, at: 0, into: &state)
            rest.removeAll(keepingCapacity: true)
        }
        while bytes.count - next >= 64 {
            Self.compress(bytes, at: next, into: &state)
            next += 64
        }
        rest += bytes[next...]
    }

    package mutating func finish() -> [UInt8] {
        let bitCount = count * 8
        var padding: [UInt8] = [0x80]
        padding += [UInt8](repeating: 0, count: (119 - rest.count) % 64)
        for shift in stride(from: 56, through: 0, by: -8) { padding.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift))) }
        update(padding)
        var digest: [UInt8] = []
        digest.reserveCapacity(32)
        for i in 0..<8 {
            for shift in [UInt32(24), 16, 8, 0] { digest.append(UInt8(truncatingIfNeeded: state[i] >> shift)) }
        }
        return digest
    }

    /// One block of 64 bytes from `block` on.
    private static func compress(_ message: [UInt8], at block: Int, into state: inout SIMD8<UInt32>) {
        var w = InlineArray<64, UInt32>(repeating: 0)
        for i in 0..<16 {
            let at = block + 4 * i
            w[i] = UInt32(message[at]) << 24 | UInt32(message[at + 1]) << 16 | UInt32(message[at + 2]) << 8 | UInt32(message[at + 3])
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

    private static func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }

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
