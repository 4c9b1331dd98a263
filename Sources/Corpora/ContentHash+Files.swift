import Digests
import Foundation
import SystemCalls

extension ContentHash {
    /// The hash of a file's bytes, read in blocks; equal to that of the same bytes in memory.
    ///
    /// - Parameter check: Called between blocks; an error that it throws ends the reading.
    /// - Throws: `CorpusError` for a file that cannot be read; what `check` throws.
    public init(ofFile path: String, check: () throws -> Void = {}) throws {
        let descriptor = POSIX.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CorpusError(path, .disk(POSIX.lastMessage)) }
        defer { close(descriptor) }
        var hasher = ContentHasher()
        var total = 0
        var word: UInt64 = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            try check()
            var count = 0
            while count < buffer.count {  // a piece is whole words, but for the last
                let step = POSIX.read(descriptor, into: &buffer, from: count)
                guard step >= 0 else { throw CorpusError(path, .disk(POSIX.lastMessage)) }
                if step == 0 { break }
                count += step
            }
            buffer[..<(count & ~7)].forEachWord {
                word = UInt64(bigEndian: $0)
                hasher.combine(word)
            }
            for place in (count & ~7)..<count { word = word << 8 | UInt64(buffer[place]) }
            total += count
            if count < buffer.count { break }
        }
        hasher.combine(word)
        hasher.combine(UInt64(total))
        self = hasher.finish()
    }
}
