import Foundation

/// The chunk table of a RIFF WAVE file, read only to find out whether the file ends too early.
///
/// Source: IBM and Microsoft, *Multimedia Programming Interface and Data Specifications 1.0*, 1991; the 64-bit
/// form (`RF64`, sizes in a `ds64` chunk) is EBU Tech 3306.
enum WAVLayout {
    /// What the `data` chunk promises and what the file holds, in bytes, if the file is the shorter.
    ///
    /// A size of `0xFFFFFFFF` is what programs that write to a pipe leave; it promises nothing.
    /// Files that are not WAVE have no shortfall here.
    static func shortfall(of path: String, fileSize: Int) -> (promised: Int, found: Int)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let riff = bytes(12, at: 0, of: descriptor) else { return nil }
        let form = name(riff, 0)
        guard form == "RIFF" || form == "RF64", name(riff, 8) == "WAVE" else { return nil }

        var offset = 12
        var longDataSize: Int?
        while let chunk = bytes(8, at: offset, of: descriptor) {
            let size = Int(littleEndian(chunk, 4, width: 4))
            switch name(chunk, 0) {
            case "ds64":
                longDataSize = bytes(24, at: offset, of: descriptor).map { Int(clamping: littleEndian($0, 16, width: 8)) }
            case "data":
                let unknown = size == 0xFFFF_FFFF
                guard let promised = unknown ? longDataSize : size else { return nil }
                let found = fileSize - offset - 8
                return found < promised ? (promised, found) : nil
            default: break
            }
            offset += 8 + size + size % 2  // chunks are padded to an even length
        }
        return (fileSize + 1, fileSize)  // the file ends before its audio begins
    }

    private static func bytes(_ count: Int, at offset: Int, of descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        return pread(descriptor, &buffer, count, off_t(offset)) == count ? buffer : nil
    }

    private static func name(_ bytes: [UInt8], _ at: Int) -> String {
        String(decoding: bytes[at..<at + 4], as: UTF8.self)
    }

    private static func littleEndian(_ bytes: [UInt8], _ at: Int, width: Int) -> UInt64 {
        bytes[at..<at + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
