import CSndFile
import Foundation
import SystemCalls

/// A sound file that libsndfile reads through calls: one in memory, or one from a pipe as if its header stated the
/// length of its audio, since libsndfile takes a stated size of 0 for no audio at all.
final class VirtualFile {
    private enum Storage {
        case descriptor(Int32)
        case memory([UInt8])
    }

    private let storage: Storage
    private let size: Int
    /// Bytes that stand in place of the file's own, and where they begin.
    private let replaced: (place: Int, bytes: [UInt8])?
    private var position = 0

    /// A file in memory.
    ///
    /// - Parameter sizePlace: The byte at which the size of the `data` chunk stands, for a file from a pipe; its audio
    ///   follows.
    init(_ bytes: [UInt8], sizePlace: Int? = nil) {
        (storage, size) = (.memory(bytes), bytes.count)
        replaced = sizePlace.map { ($0, Self.word(bytes.count, $0)) }
    }

    /// A file from a pipe.
    init?(_ path: String, size: Int, sizePlace: Int) {
        let descriptor = POSIX.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        (storage, self.size, replaced) = (.descriptor(descriptor), size, (sizePlace, Self.word(size, sizePlace)))
    }

    deinit { if case .descriptor(let descriptor) = storage { close(descriptor) } }

    /// The size that the header should have stated.
    private static func word(_ size: Int, _ place: Int) -> [UInt8] {
        let stated = UInt32(clamping: size - place - 4)
        return (0..<4).map { UInt8(truncatingIfNeeded: stated >> (8 * $0)) }
    }

    /// Opens it; the file must outlive the handle.
    func handle(_ info: inout SF_INFO) -> OpaquePointer? {
        var calls = unsafe SF_VIRTUAL_IO(
            get_filelen: { unsafe VirtualFile.from($0).map { sf_count_t($0.size) } ?? 0 },
            seek: { unsafe VirtualFile.from($2)?.seek(Int($0), $1) ?? -1 },
            read: { unsafe VirtualFile.from($2)?.read($0, Int($1)) ?? 0 },
            write: { _, _, _ in 0 },
            tell: { unsafe VirtualFile.from($0).map { sf_count_t($0.position) } ?? 0 })
        return unsafe sf_open_virtual(&calls, Int32(SFM_READ), &info, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> VirtualFile? {
        unsafe pointer.map { unsafe Unmanaged<VirtualFile>.fromOpaque($0).takeUnretainedValue() }
    }

    private func seek(_ offset: Int, _ origin: Int32) -> sf_count_t {
        let base = origin == SEEK_SET ? 0 : origin == SEEK_CUR ? position : size
        position = max(0, min(size, base + offset))
        return sf_count_t(position)
    }

    private func read(_ target: UnsafeMutableRawPointer?, _ count: Int) -> sf_count_t {
        guard let target = unsafe target, count > 0 else { return 0 }
        let done = unsafe copy(min(count, size - position), to: target)
        if let replaced {
            let bytes = unsafe target.assumingMemoryBound(to: UInt8.self)
            for (index, byte) in replaced.bytes.enumerated()
            where (position..<position + done).contains(replaced.place + index) {
                unsafe bytes[replaced.place + index - position] = byte
            }
        }
        position += done
        return sf_count_t(done)
    }

    /// Copies bytes from the position on, as many as there are.
    private func copy(_ count: Int, to target: UnsafeMutableRawPointer) -> Int {
        switch storage {
        case .memory(let bytes):
            unsafe bytes.withUnsafeBytes { bytes in
                guard count > 0, let start = bytes.baseAddress else { return }
                unsafe target.copyMemory(from: start + position, byteCount: count)
            }
            return count
        case .descriptor(let descriptor):
            var done = 0
            while done < count {
                let step = unsafe pread(descriptor, target + done, count - done, off_t(position + done))
                guard step > 0 else { break }
                done += step
            }
            return done
        }
    }
}
