/// A reflected cyclic redundancy check of 32 bits, byte by byte.
package struct CyclicRedundancyCheck: Sendable {
    private let table: [UInt32]

    /// - Parameter polynomial: Reflected: its lowest power in the highest bit.
    init(polynomial: UInt32) {
        table = (0..<256).map { byte in
            (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? polynomial : 0) }
        }
    }

    /// Castagnoli's: RFC 3720.
    package static let castagnoli = CyclicRedundancyCheck(polynomial: 0x82F6_3B78)

    package func callAsFunction(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    }
}

extension FixedWidthInteger {
    /// The bytes of the number, the lowest first.
    var littleEndian8: [UInt8] { (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> Self(8 * $0)) } }
    /// The bytes of the number, the highest first.
    var bigEndian8: [UInt8] { littleEndian8.reversed() }
}
