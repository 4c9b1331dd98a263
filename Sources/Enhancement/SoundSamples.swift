import AtomicFiles
import Audio
import Foundation
import Models

/// One channel of a sound file.
struct FileSamples: SampleSource {
    let path: String
    let channel: Int
    let count: Int

    func samples(in range: Range<Int>) throws -> [Float] {
        try SoundFile.read(path, frames: range).channels[channel]
    }
}

/// Samples on the disk in a file without a name, which is gone when the process ends, whatever ends it.
final class ScratchSamples: SampleSource {
    private let descriptor: Int32
    private let folder: String
    private(set) var count = 0

    /// - Parameter folder: Where there is space for it.
    init(in folder: String) throws(SoundFileError) {
        let path = TemporaryName.path(for: folder + "/samples")
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        self.folder = folder
        guard descriptor >= 0 else { throw failure }
        unlink(path)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func append(_ samples: [Float]) throws(SoundFileError) {
        let isWritten = samples.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let step = pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(4 * count + done))
                guard step > 0 else { return false }
                done += step
            }
            return true
        }
        guard isWritten else { throw failure }
        count += samples.count
    }

    func samples(in range: Range<Int>) throws -> [Float] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "samples \(range) of \(count)")
        var isRead = true
        let samples = [Float](unsafeUninitializedCapacity: range.count) { buffer, filled in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            var done = 0
            while done < 4 * range.count {
                let place = off_t(4 * range.lowerBound + done)
                let step = pread(descriptor, bytes.baseAddress! + done, 4 * range.count - done, place)
                guard step > 0 else { break }
                done += step
            }
            isRead = done == 4 * range.count
            filled = done / 4
        }
        guard isRead else { throw failure }
        return samples
    }

    private var failure: SoundFileError {
        SoundFileError(folder, .unwritable("no temporary file can be kept there: \(String(cString: strerror(errno)))"))
    }
}
