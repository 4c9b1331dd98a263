import Foundation

extension ContentHash {
    /// The hash of a file's bytes, read by pieces: that of the same bytes in memory.
    ///
    /// - Parameter check: Called between pieces; what it throws ends the reading.
    /// - Throws: `CorpusError` for a file that cannot be read; what `check` throws.
    public init(ofFile path: String, check: () throws -> Void = {}) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CorpusError(path, .disk(String(cString: strerror(errno)))) }
        defer { close(descriptor) }
        var hasher = ContentHasher()
        var total = 0
        var word: UInt64 = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            try check()
            var count = 0
            while count < buffer.count {  // a piece is whole words, but for the last
                let step = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, $0.count - count) }
                guard step >= 0 else { throw CorpusError(path, .disk(String(cString: strerror(errno)))) }
                if step == 0 { break }
                count += step
            }
            buffer.withUnsafeBytes { bytes in
                for place in stride(from: 0, to: count & ~7, by: 8) {
                    word = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                    hasher.combine(word)
                }
                for place in (count & ~7)..<count { word = word << 8 | UInt64(bytes[place]) }
            }
            total += count
            if count < buffer.count { break }
        }
        hasher.combine(word)
        hasher.combine(UInt64(total))
        self = hasher.finish()
    }
}
