import Zlib

/// Writes a zip archive of stored entries whose data begin at multiples of 64 bytes, as PyTorch's do.
struct ZipWriter: ~Copyable {
    private var sink: ByteSink
    private var directory: [UInt8] = []
    private var count: UInt16 = 0

    init(path: String) throws(WeightFileError) { sink = try ByteSink(path: path) }

    mutating func add(_ name: String, _ bytes: [UInt8]) throws(WeightFileError) {
        var checksum = CRC32()
        checksum.update(bytes)
        try begin(name, size: bytes.count, checksum: checksum.value)
        try sink.write(bytes)
    }

    mutating func add(_ name: String, _ array: NamedArray) throws(WeightFileError) {
        var checksum = CRC32()
        array.forEachChunk { checksum.update($0) }
        try begin(name, size: array.values.count * array.writtenType.byteCount, checksum: checksum.value)
        try array.forEachChunk { (bytes) throws(WeightFileError) in try sink.write(bytes) }
    }

    consuming func finish() throws(WeightFileError) {
        guard let offset = UInt32(exactly: sink.count), let size = UInt32(exactly: directory.count), count < .max else {
            throw tooLarge()
        }
        try sink.write(directory)
        try sink.write(
            UInt32(0x0605_4B50).littleEndianBytes + [0, 0, 0, 0] + count.littleEndianBytes + count.littleEndianBytes
                + size.littleEndianBytes + offset.littleEndianBytes + [0, 0])
        try sink.commit()
    }

    private mutating func begin(_ name: String, size: Int, checksum: UInt32) throws(WeightFileError) {
        guard let size = UInt32(exactly: size), let offset = UInt32(exactly: sink.count), count < .max else {
            throw tooLarge()
        }
        // An extra field of PyTorch's own kind ("FB") carries the padding.
        let unpadded = sink.count + 30 + name.utf8.count + 4
        let padding = (64 - unpadded % 64) % 64
        let extra = Array("FB".utf8) + UInt16(padding).littleEndianBytes + [UInt8](repeating: 0x5A, count: padding)
        // Version, UTF-8 names, stored, and 1980-01-01 as the time: equal contents give equal files.
        let common: [UInt8] = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0]
        let sizes = checksum.littleEndianBytes + size.littleEndianBytes + size.littleEndianBytes
        let nameLength = UInt16(name.utf8.count).littleEndianBytes
        try sink.write(
            UInt32(0x0403_4B50).littleEndianBytes + common + sizes + nameLength
                + UInt16(extra.count).littleEndianBytes + Array(name.utf8) + extra)
        directory += UInt32(0x0201_4B50).littleEndianBytes + [20, 0] + common + sizes + nameLength
        directory += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + offset.littleEndianBytes + Array(name.utf8)
        count += 1
    }

    private func tooLarge() -> WeightFileError {
        WeightFileError(.tooLarge, file: sink.path, "archives of 4 GiB or 65535 entries are not written")
    }
}
