import AtomicFiles
import CSndFile
import Foundation

extension SoundFile {
    /// How samples are stored.
    public enum Encoding: String, Hashable, Sendable, Codable, CaseIterable {
        /// 16-bit integers, full scale 32768; larger samples saturate.
        case pcm16
        /// 32-bit floats, exactly as given; in a FLAC file, which has none, 24-bit integers.
        case float32
    }

    /// Writes a WAV file, or a FLAC file where the name ends so, whole or not at all.
    ///
    /// The audio goes to a hidden temporary file in the same folder, reaches the disk, and is then renamed: a reader
    /// finds the old file, the new one, or none. When writing fails, the temporary file is removed.
    ///
    /// - Parameters:
    ///   - durable: Whether to wait until the disk has the file; a caller that writes a whole folder and renames it
    ///     waits once, at the end.
    /// - Returns: The number of samples that saturated.
    @discardableResult
    public static func write(
        _ sound: Sound, to path: String, as encoding: Encoding = .pcm16, durable: Bool = true
    ) throws(SoundFileError) -> Int {
        precondition(!sound.channels.isEmpty, "a sound without channels cannot be written")
        precondition(sound.sampleRate > 0, "a sample rate of \(sound.sampleRate) Hz")
        for (channel, samples) in sound.channels.enumerated() {
            guard let frame = firstNotFinite(samples) else { continue }
            throw SoundFileError(path, .notFinite(frame: frame, channel: channel))
        }
        do {
            let file = try PendingFile(at: path)
            let clipped = try encode(sound, as: encoding, into: file.descriptor, for: path)
            try file.commit(isDurable: durable)
            return clipped
        } catch let failure as FileFailure {
            throw SoundFileError(path, .unwritable(failure.reason))
        } catch {
            throw error as? SoundFileError ?? SoundFileError(path, .unwritable("\(error)"))
        }
    }

    /// Writes one channel; see ``write(_:to:as:durable:)``.
    @discardableResult
    public static func write(
        _ samples: [Float], sampleRate: Int, to path: String, as encoding: Encoding = .pcm16, durable: Bool = true
    ) throws(SoundFileError) -> Int {
        try write(Sound(samples, sampleRate: sampleRate), to: path, as: encoding, durable: durable)
    }

    private static func encode(
        _ sound: Sound, as encoding: Encoding, into descriptor: Int32, for path: String
    ) throws(SoundFileError) -> Int {
        let isFLAC = path.lowercased().hasSuffix(".flac")
        let wide = isFLAC ? SF_FORMAT_PCM_24 : SF_FORMAT_FLOAT
        let container = isFLAC ? SF_FORMAT_FLAC : SF_FORMAT_WAV
        let subtype = encoding == .pcm16 ? SF_FORMAT_PCM_16 : wide
        var info = SF_INFO(
            frames: 0, samplerate: Int32(sound.sampleRate), channels: Int32(sound.channels.count),
            format: Int32(container) | Int32(subtype), sections: 0, seekable: 0)
        guard let handle = sf_open_fd(descriptor, Int32(SFM_WRITE), &info, Int32(SF_FALSE)) else {
            throw SoundFileError(path, .unwritable(String(cString: sf_strerror(nil))))
        }
        // Floats beyond full scale saturate where they become integers, rather than wrap.
        sf_command(handle, Int32(SFC_SET_CLIPPING), nil, Int32(SF_TRUE))
        // The time stamp of a PEAK chunk would make two writings of the same audio differ.
        sf_command(handle, Int32(SFC_SET_ADD_PEAK_CHUNK), nil, Int32(SF_FALSE))
        let samples = interleave(sound.channels)
        var clipped = 0
        errno = 0
        let written =
            switch encoding {
            case .pcm16: sf_write_short(handle, quantised(samples, clipped: &clipped), sf_count_t(samples.count))
            case .float32: sf_write_float(handle, samples, sf_count_t(samples.count))
            }
        let failed = Int(written) != samples.count ? unwritable(path) : nil
        let closed = sf_close(handle)
        if let failed { throw failed }
        guard closed == 0 else { throw SoundFileError(path, .unwritable(String(cString: sf_error_number(closed)))) }
        return clipped
    }

    /// Rounds to 16 bits, to the nearest step of 1/32768.
    static func quantised(_ samples: [Float], clipped: inout Int) -> [Int16] {
        var outside = 0
        let steps = samples.map { sample in
            let step = (sample * 32768).rounded(.toNearestOrEven)
            if step < -32768 || step > 32767 { outside += 1 }
            return Int16(max(-32768, min(32767, step)))
        }
        clipped += outside
        return steps
    }

    private static func interleave(_ channels: [[Float]]) -> [Float] {
        guard channels.count > 1 else { return channels[0] }
        var samples = [Float](repeating: 0, count: channels[0].count * channels.count)
        for (channel, values) in channels.enumerated() {
            for (frame, value) in values.enumerated() { samples[frame * channels.count + channel] = value }
        }
        return samples
    }

    private static func unwritable(_ path: String) -> SoundFileError {
        SoundFileError(path, .unwritable(errno == 0 ? "the disk took only a part" : String(cString: strerror(errno))))
    }
}
