/// The CRC-32 of zip archives (polynomial 0xEDB88320, reflected), fed piece by piece.
struct Checksum {
    private var state: UInt32 = .max
    var value: UInt32 { ~state }

    /// Eight tables: table `k` advances a byte that lies `k` bytes before the end of a group of eight.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            tables[byte] = (0..<8).reduce(UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        for entry in 256..<tables.count {
            let previous = tables[entry - 256]
            tables[entry] = previous >> 8 ^ tables[Int(previous & 0xFF)]
        }
        return tables
    }()

    mutating func update(_ bytes: [UInt8]) {
        var crc = state
        let whole = bytes.count / 8 * 8
        Self.tables.withUnsafeBufferPointer { table in
            bytes.withUnsafeBytes { raw in
                for start in stride(from: 0, to: whole, by: 8) {
                    let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                    let low = UInt32(truncatingIfNeeded: word) ^ crc
                    let high = UInt32(truncatingIfNeeded: word >> 32)
                    crc = table[1792 + Int(low & 0xFF)] ^ table[1536 + Int(low >> 8 & 0xFF)]
                    crc ^= table[1280 + Int(low >> 16 & 0xFF)] ^ table[1024 + Int(low >> 24)]
                    crc ^= table[768 + Int(high & 0xFF)] ^ table[512 + Int(high >> 8 & 0xFF)]
                    crc ^= table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                }
                for index in whole..<raw.count {
                    crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ raw[index])]
                }
            }
        }
        state = crc
    }
}
