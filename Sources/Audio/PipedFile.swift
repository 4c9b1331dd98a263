import CSndFile
import Foundation

/// A WAVE file from a pipe as if its header stated the length of its audio, for libsndfile, which takes a stated size of 0
/// for no audio at all.
final class PipedFile {
    private let descriptor: Int32
    private let size: Int
    /// Where the size of the audio stands in the header, and what stands there now.
    private let place: Int
    private let word: [UInt8]
    private var position = 0

    /// - Parameters:
    ///   - sizePlace: The byte at which the size of the `data` chunk stands; its audio follows.
    init?(_ path: String, size: Int, sizePlace: Int) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        (self.size, place) = (size, sizePlace)
        word = withUnsafeBytes(of: UInt32(clamping: size - sizePlace - 4).littleEndian) { Array($0) }
        guard descriptor >= 0 else { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Opens it; the file must outlive the handle.
    func handle(_ info: inout SF_INFO) -> OpaquePointer? {
        var calls = SF_VIRTUAL_IO(
            get_filelen: { PipedFile.from($0).map { sf_count_t($0.size) } ?? 0 },
            seek: { PipedFile.from($2)?.seek(Int($0), $1) ?? -1 },
            read: { PipedFile.from($2)?.read($0, Int($1)) ?? 0 },
            write: { _, _, _ in 0 },
            tell: { PipedFile.from($0).map { sf_count_t($0.position) } ?? 0 })
        return sf_open_virtual(&calls, Int32(SFM_READ), &info, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> PipedFile? {
        pointer.map { Unmanaged<PipedFile>.fromOpaque($0).takeUnretainedValue() }
    }

    private func seek(_ offset: Int, _ origin: Int32) -> sf_count_t {
        let base = origin == SEEK_SET ? 0 : origin == SEEK_CUR ? position : size
        position = max(0, min(size, base + offset))
        return sf_count_t(position)
    }

    private func read(_ target: UnsafeMutableRawPointer?, _ count: Int) -> sf_count_t {
        guard let target else { return 0 }
        let bytes = target.assumingMemoryBound(to: UInt8.self)
        var done = 0
        while done < count {
            let step = pread(descriptor, bytes + done, count - done, off_t(position + done))
            guard step > 0 else { break }
            done += step
        }
        for (index, byte) in word.enumerated() where (position..<position + done).contains(place + index) {
            bytes[place + index - position] = byte
        }
        position += done
        return sf_count_t(done)
    }
}
