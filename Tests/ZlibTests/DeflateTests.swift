import Testing
import Zlib

@Suite struct DeflateTests {
    /// "abc" six times, by RFC 1951: one block of fixed codes, literals and a match.
    private static let deflated: [UInt8] = [0x4B, 0x4C, 0x4A, 0x4E, 0x44, 0x45, 0x00]
    private static let text = Array(String(repeating: "abc", count: 6).utf8)

    @Test func dataComeBack() throws {
        #expect(try Deflate.decompress(Self.deflated, size: 18) == Self.text)
        // zlib's frame: two bytes before, four behind.
        for count in [0, 1, 255, 70_000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) }
            let stream = Deflate.compressed(bytes)
            #expect(try Deflate.decompress(Array(stream.dropFirst(2).dropLast(4)), size: count) == bytes)
        }
    }

    @Test func otherSizesAreRefusedBeforeTheyTakeMemory() {
        for size in [0, 17, 19] {
            #expect(throws: Deflate.Failure.otherSize) { try Deflate.decompress(Self.deflated, size: size) }
        }
        #expect(throws: Deflate.Failure.otherSize) { try Deflate.decompress(Self.deflated, size: 1 << 40) }
        let bomb = Array(Deflate.compressed([UInt8](repeating: 0, count: 10_000_000)).dropFirst(2))
        #expect(throws: Deflate.Failure.otherSize) { try Deflate.decompress(bomb, size: 100) }
    }

    @Test func damagedDataAreRefused() {
        for count in 0..<Self.deflated.count - 1 {
            #expect(throws: Deflate.Failure.damaged) {
                try Deflate.decompress(Array(Self.deflated.prefix(count)), size: 18)
            }
        }
        #expect(throws: Deflate.Failure.damaged) { try Deflate.decompress([0x07, 0xFF], size: 9) }
    }

    @Test func checksumsAreThoseOfTheStandard() {
        var whole = CRC32()
        var parts = CRC32()
        whole.update(Array("123456789".utf8))
        for part in ["1234", "", "56789"] { parts.update(Array(part.utf8)) }
        #expect(whole.value == 0xCBF4_3926 && parts.value == whole.value && CRC32().value == 0)
    }
}
