/// Builds a message of Protocol Buffers, with the fields in the order in which they are added.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    /// The ways a field is laid out.
    private enum Wire: UInt64 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    mutating func add(_ field: UInt64, _ value: Int) {
        key(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func add(_ field: UInt64, _ value: Double) {
        key(field, .fixed64)
        bytes += value.bitPattern.littleEndian8
    }

    mutating func add(_ field: UInt64, _ value: Float) {
        key(field, .fixed32)
        bytes += value.bitPattern.littleEndian8
    }

    mutating func add(_ field: UInt64, _ value: [UInt8]) {
        key(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes += value
    }

    mutating func add(_ field: UInt64, _ value: String) { add(field, Array(value.utf8)) }

    mutating func add(_ field: UInt64, _ value: ProtobufMessage) { add(field, value.bytes) }

    private mutating func key(_ field: UInt64, _ wire: Wire) { varint(field << 3 | wire.rawValue) }

    /// Seven bits a byte, the lowest first.
    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
