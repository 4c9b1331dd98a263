import AtomicFiles
import CSndFile
import Foundation

/// Writes a sound file piece by piece, whole or not at all.
///
/// The audio goes to a `PendingFile`, reaches the disk, and is then renamed: a reader finds the old file, the new one,
/// or none. A writer that goes out of scope before ``finish()`` leaves nothing behind.
@safe public final class SoundFileWriter {
    /// The file that is being made.
    public let path: String
    /// The hidden file that holds what was written so far.
    public let temporaryPath: String
    /// Samples that were beyond full scale and saturated.
    public private(set) var clipped = 0
    private let channels: Int
    private let encoding: SoundFile.Encoding
    private let durable: Bool
    private var file: PendingFile?
    private var handle: OpaquePointer?  // made, used and closed here alone

    /// - Parameters:
    ///   - frames: Samples per channel that are to come, which decide whether a WAV file needs 64-bit sizes.
    ///   - durable: Whether to wait until the disk has the file; a caller that writes a whole folder and renames it
    ///     waits once, at the end.
    public init(
        to path: String, sampleRate: Int, channels: Int, frames: Int, as encoding: SoundFile.Encoding = .pcm16,
        durable: Bool = true
    ) throws(SoundFileError) {
        precondition(channels > 0, "a sound without channels cannot be written")
        precondition(sampleRate > 0, "a sample rate of \(sampleRate) Hz")
        (self.path, self.channels, self.encoding, self.durable) = (path, channels, encoding, durable)
        let file: PendingFile
        do { file = try PendingFile(at: path) } catch { throw SoundFileError(path, .unwritable(error.reason)) }
        let descriptor = file.descriptor
        temporaryPath = file.temporary
        self.file = consume file
        var info = SF_INFO(
            frames: 0, samplerate: Int32(sampleRate), channels: Int32(channels),
            format: Self.format(path, channels: channels, frames: frames, encoding), sections: 0, seekable: 0)
        guard let handle = unsafe sf_open_fd(descriptor, Int32(SFM_WRITE), &info, Int32(SF_FALSE)) else {
            throw SoundFileError(path, .unwritable(unsafe String(cString: sf_strerror(nil))))
        }
        // Floats beyond full scale saturate where they become integers, rather than wrap.
        unsafe sf_command(handle, Int32(SFC_SET_CLIPPING), nil, Int32(SF_TRUE))
        // The time stamp of a PEAK chunk would make two writings of the same audio differ.
        unsafe sf_command(handle, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
        unsafe self.handle = handle
    }

    /// Adds samples, one array per channel, all of one length.
    public func append(_ samples: [[Float]]) throws(SoundFileError) {
        precondition(samples.count == channels, "\(samples.count) channels for a file of \(channels)")
        guard let handle = unsafe handle else { preconditionFailure("\(path) is finished") }
        let samples = Self.interleaved(samples)
        errno = 0
        if encoding == .pcm24 { clipped += SoundFile.saturating(samples, scale: 8_388_608) }
        let written =
            switch encoding {
            case .pcm16:
                unsafe sf_write_short(
                    handle, SoundFile.quantised(samples, clipped: &clipped), sf_count_t(samples.count))
            case .pcm24, .float32: unsafe sf_write_float(handle, samples, sf_count_t(samples.count))
            }
        if Int(written) != samples.count { throw Self.unwritable(path) }
    }

    /// Closes the file and renames it to its path.
    public func finish() throws(SoundFileError) {
        try close()
        try publish()
    }

    /// Closes the file, which is then complete under its temporary name.
    public func close() throws(SoundFileError) {
        let closed = unsafe sf_close(handle)
        unsafe handle = nil
        guard closed == 0 else {
            throw SoundFileError(path, .unwritable(unsafe String(cString: sf_error_number(closed))))
        }
    }

    /// Renames a closed file to its path.
    public func publish() throws(SoundFileError) {
        precondition(unsafe handle == nil, "\(path) is not closed")
        guard let file = file.take() else { preconditionFailure("\(path) has its name already") }
        do { try file.commit(isDurable: durable) } catch { throw SoundFileError(path, .unwritable(error.reason)) }
    }

    deinit { if let handle = unsafe handle { unsafe sf_close(handle) } }

    private static func format(_ path: String, channels: Int, frames: Int, _ encoding: SoundFile.Encoding) -> Int32 {
        let isFLAC = path.lowercased().hasSuffix(".flac")
        let (bytes, overflows) = frames.multipliedReportingOverflow(by: channels * (encoding == .pcm16 ? 2 : 4))
        let isLong = overflows || bytes > 0xFFFF_0000
        let wide = isFLAC || encoding == .pcm24 ? SF_FORMAT_PCM_24 : SF_FORMAT_FLOAT
        let container = isFLAC ? SF_FORMAT_FLAC : isLong ? SF_FORMAT_RF64 : SF_FORMAT_WAV
        return Int32(container) | Int32(encoding == .pcm16 ? SF_FORMAT_PCM_16 : wide)
    }

    private static func interleaved(_ channels: [[Float]]) -> [Float] {
        guard channels.count > 1 else { return channels[0] }
        precondition(Set(channels.map(\.count)).count == 1, "channels differ in length: \(channels.map(\.count))")
        var samples = [Float](repeating: 0, count: channels[0].count * channels.count)
        for (channel, values) in channels.enumerated() {
            for (frame, value) in values.enumerated() { samples[frame * channels.count + channel] = value }
        }
        return samples
    }

    private static func unwritable(_ path: String) -> SoundFileError {
        SoundFileError(path, .unwritable(FileFailure(path: path, code: errno).reason))
    }
}
