import CZlib

/// The CRC-32 of zip archives and PNG (ISO 3309), fed piece by piece.
public struct CRC32: Sendable {
    private var state = UInt(0)

    public init() {}

    public var value: UInt32 { UInt32(truncatingIfNeeded: state) }

    public mutating func update(_ bytes: [UInt8]) { unsafe state = crc32_z(state, bytes, bytes.count) }
}
