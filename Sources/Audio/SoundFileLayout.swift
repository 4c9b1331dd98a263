import Foundation
import SystemCalls

/// The chunk table of a RIFF WAVE file, read only to find out whether the file ends too early.
///
/// Source: IBM and Microsoft, *Multimedia Programming Interface and Data Specifications 1.0*, 1991; the 64-bit
/// form (`RF64`, sizes in a `ds64` chunk) is EBU Tech 3306.
enum WAVLayout {
    /// How a file's header states its length.
    enum Length: Equatable {
        /// It states a length, and the file has it; or the file is not WAVE.
        case stated
        /// The file was written to a pipe: the size of its audio, at that byte, is a placeholder.
        case open(sizePlace: Int)
        /// The file is shorter than its header states, both in bytes.
        case cutShort(promised: Int, found: Int)

        var isOpen: Bool { if case .open = self { true } else { false } }
    }

    /// So many bytes at a place of the file; `nil` where it ends before.
    private typealias Reader = (_ count: Int, _ place: Int) -> [UInt8]?

    /// Compares the sizes in a header with the size of the file.
    static func length(of path: String, fileSize: Int) -> Length {
        let descriptor = POSIX.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .stated }
        defer { close(descriptor) }
        return length(fileSize: fileSize) { count, place in
            let bytes = POSIX.pread(descriptor, count: count, at: place)
            return bytes.count == count ? bytes : nil
        }
    }

    /// The same of a file in memory.
    static func length(of bytes: [UInt8]) -> Length {
        length(fileSize: bytes.count) { count, place in
            place <= bytes.count - count ? Array(bytes[place..<place + count]) : nil
        }
    }

    private static func length(fileSize: Int, _ bytes: Reader) -> Length {
        guard let riff = bytes(12, 0) else { return .stated }
        let form = name(riff, 0)
        guard form == "RIFF" || form == "RF64", name(riff, 8) == "WAVE" else { return .stated }

        var offset = 12
        var longDataSize: Int?
        while let chunk = bytes(8, offset) {
            let size = Int(littleEndian(chunk, 4, width: 4))
            switch name(chunk, 0) {
            case "ds64":
                longDataSize = bytes(24, offset).map { Int(clamping: littleEndian($0, 16, width: 8)) }
            case "data":
                let found = fileSize - offset - 8
                let promised = form == "RF64" && size == 0xFFFF_FFFF ? longDataSize ?? 0 : size
                if promised == 0 {
                    return isAudio(at: offset + 8, fileSize, bytes) ? .open(sizePlace: offset + 4) : .stated
                }
                guard found < promised else { return .stated }
                return isPlaceholder(promised)
                    ? .open(sizePlace: offset + 4) : .cutShort(promised: promised, found: found)
            default: break
            }
            offset += 8 + size + size % 2  // chunks are padded to an even length
        }
        return .cutShort(promised: fileSize + 1, found: fileSize)  // the file ends before its audio begins
    }

    /// Sizes that programs write when they cannot know the length: the largest that a number of 31, 32 or 63 bits
    /// holds, in whole blocks or less a header, and 2,000,000,000. A file that is shorter by accident hardly has one of
    /// them.
    private static func isPlaceholder(_ size: Int) -> Bool {
        let slack = 65_536
        return abs(size - 0x8000_0000) <= slack || (0xFFFF_FFFF - slack...0xFFFF_FFFF).contains(size)
            || abs(size - 2_000_000_000) <= slack || size >= Int.max - slack
    }

    /// Whether the bytes at `offset`, after a data chunk of stated length 0, are audio and not further chunks.
    private static func isAudio(at offset: Int, _ fileSize: Int, _ bytes: Reader) -> Bool {
        var offset = offset
        guard offset < fileSize else { return false }
        while offset < fileSize {
            guard let chunk = bytes(8, offset),
                chunk[..<4].allSatisfy({ (0x20...0x7E).contains($0) })
            else { return true }
            let size = Int(littleEndian(chunk, 4, width: 4))
            offset += 8 + size + size % 2
        }
        return offset > fileSize + 1
    }

    private static func name(_ bytes: [UInt8], _ at: Int) -> String {
        String(decoding: bytes[at..<at + 4], as: UTF8.self)
    }

    private static func littleEndian(_ bytes: [UInt8], _ at: Int, width: Int) -> UInt64 {
        bytes[at..<at + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
