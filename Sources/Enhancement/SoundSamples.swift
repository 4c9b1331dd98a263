import AtomicFiles
import Audio
import Foundation
import Models
import SystemCalls

/// One channel of a sound file.
struct FileSamples: SampleSource {
    let path: String
    let channel: Int
    let count: Int

    func samples(in range: Range<Int>) throws -> [Float] {
        try SoundFile.read(path, frames: range).channels[channel]
    }
}

/// Samples on the disk in a file without a name, which the system deletes when the process ends, also after a crash.
final class ScratchSamples: SampleSource {
    private let descriptor: Int32
    private let folder: String
    private(set) var count = 0

    /// - Parameter folder: Where there is space for it.
    init(in folder: String) throws(SoundFileError) {
        let path = TemporaryName.path(for: folder + "/samples")
        descriptor = POSIX.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        self.folder = folder
        guard descriptor >= 0 else { throw failure }
        POSIX.unlink(path)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func append(_ samples: [Float]) throws(SoundFileError) {
        let isWritten = POSIX.pwrite(descriptor, samples.span, at: MemoryLayout<Float>.size * count)
        guard isWritten else { throw failure }
        count += samples.count
    }

    func samples(in range: Range<Int>) throws -> [Float] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "samples \(range) of \(count)")
        let samples = POSIX.preadSamples(
            descriptor, count: range.count, at: MemoryLayout<Float>.size * range.lowerBound)
        guard samples.count == range.count else { throw failure }
        return samples
    }

    private var failure: SoundFileError {
        SoundFileError(folder, .unwritable("no temporary file can be kept there: \(POSIX.lastMessage)"))
    }
}
