import Foundation
import SystemCalls

/// Bytes that are read by range: a file, or memory.
///
/// A file is never held whole; its size is fixed at opening, and every range is checked against it.
final class ByteSource: Sendable {
    private enum Storage: Sendable {
        case descriptor(Int32)
        case memory([UInt8])
    }

    let name: String
    let count: Int
    private let storage: Storage

    init(path: String) throws(WeightFileError) {
        let descriptor = POSIX.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw WeightFileError(.unreadable, file: path, Self.lastError())
        }
        guard let facts = FileFacts(of: descriptor), facts.kind == .file else {
            close(descriptor)
            throw WeightFileError(.unreadable, file: path, "not a regular file")
        }
        (name, count, storage) = (path, facts.bytes, .descriptor(descriptor))
    }

    init(_ bytes: [UInt8], name: String) {
        (self.name, count, storage) = (name, bytes.count, .memory(bytes))
    }

    deinit {
        if case .descriptor(let descriptor) = storage { close(descriptor) }
    }

    /// The bytes of `range`.
    ///
    /// - Throws: `.truncated` where the range does not lie in the file.
    func read(_ range: Range<Int>, place: @autoclosure () -> String) throws(WeightFileError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw WeightFileError(
                .truncated, file: name, place: place(),
                "bytes \(range.lowerBound)..<\(range.upperBound) are needed, the file has \(count)",
                hint: "copy or download the file again")
        }
        switch storage {
        case .memory(let bytes): return Array(bytes[range])
        case .descriptor(let descriptor):
            let bytes = POSIX.pread(descriptor, count: range.count, at: range.lowerBound)
            guard bytes.count == range.count else {
                throw WeightFileError(.unreadable, file: name, place: place(), Self.lastError())
            }
            return bytes
        }
    }

    /// Decodes `elementCount` elements of `type` from `offset`, a few megabytes at a time.
    func elements(
        _ type: ElementType, count elementCount: Int, at offset: Int, place: @autoclosure () -> String
    ) throws(WeightFileError) -> ElementType.Elements {
        let (byteCount, overflow) = elementCount.multipliedReportingOverflow(by: type.byteCount)
        guard !overflow, elementCount >= 0, offset >= 0, byteCount <= count, offset <= count - byteCount else {
            throw WeightFileError(
                .truncated, file: name, place: place(),
                "\(elementCount) elements of \(type) do not fit into the file's \(count) bytes",
                hint: "copy or download the file again")
        }
        var elements = ElementType.Elements()
        elements.values.reserveCapacity(type.isComplex ? 2 * elementCount : elementCount)
        if type.isInteger { elements.integers = [] }
        let step = (1 << 22) / type.byteCount * type.byteCount
        for start in stride(from: 0, to: byteCount, by: step) {
            let chunk = offset + start..<offset + min(start + step, byteCount)
            type.decode(try read(chunk, place: place()), onto: &elements)
        }
        return elements
    }

    static func lastError() -> String { POSIX.lastMessage }
}

extension Collection where Element == UInt8 {
    /// The first bytes as a little-endian number.
    func littleEndian<Word: FixedWidthInteger>(_ word: Word.Type = Word.self) -> Word {
        var value: Word = 0
        for (index, byte) in prefix(MemoryLayout<Word>.size).enumerated() {
            value |= Word(truncatingIfNeeded: byte) << (8 * index)
        }
        return value
    }
}
