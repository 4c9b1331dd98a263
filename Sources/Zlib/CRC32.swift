import CZlib

/// The CRC-32 of zip archives and PNG (ISO 3309), fed piece by piece.
public struct CRC32: Sendable {
    private var state = UInt(0)

    public init() {}

    /// The checksum of all bytes up to now; 0 before the first.
    public var value: UInt32 { UInt32(truncatingIfNeeded: state) }

    /// Takes the next bytes; how the data are cut into pieces does not change the checksum.
    public mutating func update(_ bytes: [UInt8]) { unsafe state = crc32_z(state, bytes, bytes.count) }
}
