import Zlib

/// The directory and the entries of a zip archive, stored or deflated, zip64 included.
///
/// Every entry's checksum is verified when it is read. Overlapping or doubly named entries, encryption and
/// claims beyond the limits are refused. Source: PKWARE's APPNOTE 6.3.
package struct ZipArchive: Sendable {
    struct Entry: Sendable {
        var name: String
        var isDeflated: Bool
        var checksum: UInt32
        var compressedSize: Int
        var size: Int
        var headerOffset: Int
    }

    let source: ByteSource
    let entries: [String: Entry]
    /// The sum of the entries' uncompressed sizes.
    let totalSize: Int

    private static let directoryLimit = 64 << 20

    /// Opens a file and reads its directory.
    package init(path: String) throws(WeightFileError) { try self.init(ByteSource(path: path)) }

    /// The names of all entries.
    package var names: [String] { Array(entries.keys) }

    /// Bytes of an entry once it is inflated; `nil` where there is none of the name.
    package func size(of name: String) -> Int? { entries[name]?.size }

    static func begins(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) }

    init(_ source: ByteSource) throws(WeightFileError) {
        let directory = try Self.locateDirectory(in: source)
        guard directory.size <= Self.directoryLimit else {
            throw WeightFileError(.tooLarge, file: source.name, "a directory of \(directory.size) bytes")
        }
        let (end, overflow) = directory.offset.addingReportingOverflow(directory.size)
        guard directory.offset >= 0, directory.size >= 0, !overflow, end <= source.count else {
            throw WeightFileError(.malformed, file: source.name, "its directory lies outside of the file")
        }
        let bytes = try source.read(directory.offset..<end, place: "directory")
        var list: [Entry] = []
        var position = 0
        while position < bytes.count {
            let (entry, next) = try Self.entry(in: bytes, at: position, file: source.name)
            list.append(entry)
            position = next
        }
        guard list.count == directory.count else {
            throw WeightFileError(
                .malformed, file: source.name, "its directory has \(list.count) entries and claims \(directory.count)")
        }
        try Self.checkExtents(list, directoryStart: directory.offset, source: source)
        self.source = source
        totalSize = list.reduce(0) { $0 + $1.size }
        entries = Dictionary(list.map { ($0.name, $0) }) { first, _ in first }
        guard entries.count == list.count else {
            throw WeightFileError(.malformed, file: source.name, "two entries have the same name")
        }
    }

    /// Reads a whole entry of at most `limit` bytes.
    package func read(_ name: String, limit: Int) throws(WeightFileError) -> [UInt8] {
        let entry = try entry(name)
        guard entry.size <= limit else {
            throw WeightFileError(
                .tooLarge, file: source.name, place: name, "\(entry.size) bytes, of which at most \(limit) are read")
        }
        let start = try dataStart(of: entry)
        let stored = try source.read(start..<start + entry.compressedSize, place: name)
        let bytes = try entry.isDeflated ? inflate(stored, entry) : stored
        var checksum = CRC32()
        checksum.update(bytes)
        try verify(checksum, of: entry)
        return bytes
    }

    /// Decodes an entry as `count` elements of `type`.
    func elements(
        _ name: String, as type: ElementType, count: Int
    ) throws(WeightFileError) -> ElementType.Elements {
        let entry = try entry(name)
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: type.byteCount)
        guard count >= 0, !overflow, byteCount == entry.size else {
            throw WeightFileError(
                .malformed, file: source.name, place: name,
                "\(entry.size) bytes, where \(count) elements of \(type) are announced")
        }
        var elements = ElementType.Elements()
        if type.isInteger { elements.integers = [] }
        if entry.isDeflated {
            type.decode(try read(name, limit: entry.size), onto: &elements)
            return elements
        }
        elements.values.reserveCapacity(type.isComplex ? 2 * count : count)
        let start = try dataStart(of: entry)
        var checksum = CRC32()
        for offset in stride(from: 0, to: byteCount, by: 1 << 22) {
            let chunk = start + offset..<start + min(offset + 1 << 22, byteCount)
            let bytes = try source.read(chunk, place: name)
            checksum.update(bytes)
            type.decode(bytes, onto: &elements)
        }
        try verify(checksum, of: entry)
        return elements
    }

    func entry(_ name: String) throws(WeightFileError) -> Entry {
        guard let entry = entries[name] else {
            throw WeightFileError(.malformed, file: source.name, "the archive has no entry '\(name)'")
        }
        return entry
    }

    private func inflate(_ stored: [UInt8], _ entry: Entry) throws(WeightFileError) -> [UInt8] {
        do { return try Deflate.decompress(stored, size: entry.size) } catch {
            throw WeightFileError(
                .malformed, file: source.name, place: entry.name, "its compressed data are damaged",
                hint: "copy or download the file again")
        }
    }

    private func verify(_ checksum: CRC32, of entry: Entry) throws(WeightFileError) {
        guard checksum.value == entry.checksum else {
            throw WeightFileError(
                .malformed, file: source.name, place: entry.name, "its checksum does not match: the data are damaged",
                hint: "copy or download the file again")
        }
    }

    /// Where the data of an entry begin, from its local header.
    private func dataStart(of entry: Entry) throws(WeightFileError) -> Int {
        let header = try source.read(entry.headerOffset..<entry.headerOffset + 30, place: entry.name)
        let nameLength = Int(header[26...].littleEndian(UInt16.self))
        let start = entry.headerOffset + 30 + nameLength + Int(header[28...].littleEndian(UInt16.self))
        let nameRange = entry.headerOffset + 30..<entry.headerOffset + 30 + nameLength
        guard header.littleEndian(UInt32.self) == 0x0403_4B50,
            try source.read(nameRange, place: entry.name) == Array(entry.name.utf8)
        else {
            throw WeightFileError(.malformed, file: source.name, place: entry.name, "its header is damaged")
        }
        return start
    }
}

// MARK: The directory

extension ZipArchive {
    private struct Directory {
        var count: Int
        var size: Int
        var offset: Int
    }

    /// Finds the end record, which is the last thing in the file but for a comment.
    private static func locateDirectory(in source: ByteSource) throws(WeightFileError) -> Directory {
        let tailStart = max(0, source.count - 22 - 65535)
        let tail = try source.read(tailStart..<source.count, place: "end")
        let signature: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
        let start = stride(from: tail.count - 22, through: 0, by: -1).first { start -> Bool in
            guard tail[start..<start + 4].elementsEqual(signature) else { return false }
            let comment = Int(tail[(start + 20)...].littleEndian(UInt16.self))
            return start + 22 + comment == tail.count
        }
        guard let start else {
            throw WeightFileError(
                .truncated, file: source.name, "the archive's end is missing", hint: "copy or download the file again")
        }
        let record = tail[start...]
        let directory = Directory(
            count: Int(record.dropFirst(10).littleEndian(UInt16.self)),
            size: Int(record.dropFirst(12).littleEndian(UInt32.self)),
            offset: Int(record.dropFirst(16).littleEndian(UInt32.self)))
        let isZip64 = directory.count == 0xFFFF || directory.size == 0xFFFF_FFFF || directory.offset == 0xFFFF_FFFF
        return isZip64 ? try zip64Directory(in: source, before: tailStart + start) : directory
    }

    private static func zip64Directory(
        in source: ByteSource, before end: Int
    ) throws(WeightFileError) -> Directory {
        let malformed = WeightFileError(.malformed, file: source.name, "its zip64 end record is damaged")
        let locator = try source.read(max(0, end - 20)..<end, place: "zip64 locator")
        guard locator.count == 20, locator.littleEndian(UInt32.self) == 0x0706_4B50,
            let offset = Int(exactly: locator[8...].littleEndian(UInt64.self)), offset <= end - 20 - 56
        else { throw malformed }
        let record = try source.read(offset..<offset + 56, place: "zip64 end")
        guard record.littleEndian(UInt32.self) == 0x0606_4B50,
            let count = Int(exactly: record[32...].littleEndian(UInt64.self)),
            let size = Int(exactly: record[40...].littleEndian(UInt64.self)),
            let start = Int(exactly: record[48...].littleEndian(UInt64.self))
        else { throw malformed }
        return Directory(count: count, size: size, offset: start)
    }

    private static func entry(
        in bytes: [UInt8], at position: Int, file: String
    ) throws(WeightFileError) -> (Entry, next: Int) {
        let malformed = WeightFileError(.malformed, file: file, place: "directory", "damaged at byte \(position)")
        let record = bytes[position...]
        guard record.count >= 46, record.littleEndian(UInt32.self) == 0x0201_4B50 else { throw malformed }
        func number(_ offset: Int) -> Int { Int(record.dropFirst(offset).littleEndian(UInt16.self)) }
        func long(_ offset: Int) -> Int { Int(record.dropFirst(offset).littleEndian(UInt32.self)) }
        let (nameLength, extraLength) = (number(28), number(30))
        let next = position + 46 + nameLength + extraLength + number(32)
        guard next <= bytes.count else { throw malformed }
        let nameStart = position + 46
        let name = String(decoding: bytes[nameStart..<nameStart + nameLength], as: UTF8.self)
        guard number(8) & 1 == 0 else {
            throw WeightFileError(.unsupported, file: file, place: name, "is encrypted")
        }
        let method = number(10)
        guard method == 0 || method == 8 else {
            throw WeightFileError(.unsupported, file: file, place: name, "compression method \(method)")
        }
        var entry = Entry(
            name: name, isDeflated: method == 8, checksum: UInt32(long(16)), compressedSize: long(20), size: long(24),
            headerOffset: long(42))
        let extra = bytes[nameStart + nameLength..<nameStart + nameLength + extraLength]
        guard widen(&entry, from: Array(extra)), entry.isDeflated || entry.compressedSize == entry.size else {
            throw malformed
        }
        return (entry, next)
    }

    /// Replaces saturated 32-bit fields by those of the zip64 extra field; false where it lacks them.
    private static func widen(_ entry: inout Entry, from extra: [UInt8]) -> Bool {
        let saturated = 0xFFFF_FFFF
        guard [entry.size, entry.compressedSize, entry.headerOffset].contains(saturated) else { return true }
        var position = 0
        while position + 4 <= extra.count {
            let (tag, length) = (
                extra[position...].littleEndian(UInt16.self), Int(extra[(position + 2)...].littleEndian(UInt16.self))
            )
            guard position + 4 + length <= extra.count else { return false }
            defer { position += 4 + length }
            guard tag == 1 else { continue }
            var field = extra[(position + 4)..<(position + 4 + length)]
            for path in [\Entry.size, \.compressedSize, \.headerOffset] where entry[keyPath: path] == saturated {
                guard field.count >= 8, let value = Int(exactly: field.littleEndian(UInt64.self)) else { return false }
                entry[keyPath: path] = value
                field = field.dropFirst(8)
            }
            return true
        }
        return false
    }

    /// Entries lie one after another before the directory, and deflated ones claim no absurd size.
    private static func checkExtents(
        _ entries: [Entry], directoryStart: Int, source: ByteSource
    ) throws(WeightFileError) {
        var end = 0
        for entry in entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
            let overhead = 30 + entry.name.utf8.count
            guard entry.headerOffset >= end, entry.headerOffset <= directoryStart - overhead,
                entry.compressedSize <= directoryStart - overhead - entry.headerOffset
            else {
                throw WeightFileError(
                    .malformed, file: source.name, place: entry.name, "overlaps another entry or the directory")
            }
            end = entry.headerOffset + overhead + entry.compressedSize
        }
        var inflated = 0
        for entry in entries where entry.isDeflated {
            // DEFLATE cannot gain more than 1032 : 1; weights and recordings gain far less than 64 : 1 over a whole
            // file.
            let (sum, overflow) = inflated.addingReportingOverflow(entry.size)
            inflated = sum
            guard !overflow, entry.size / 1032 <= entry.compressedSize,
                inflated <= (64 << 20) + 64 * min(source.count, .max >> 8)
            else {
                throw WeightFileError(
                    .tooLarge, file: source.name, place: entry.name,
                    "claims \(entry.size) bytes from \(entry.compressedSize)", hint: "this looks like a zip bomb")
            }
        }
    }
}
