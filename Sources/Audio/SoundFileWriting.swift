import Foundation

extension SoundFile {
    /// How samples are stored.
    public enum Encoding: String, Hashable, Sendable, Codable, CaseIterable {
        /// 16-bit integers, full scale 32768; larger samples saturate.
        case pcm16
        /// 24-bit integers, full scale 2²³; larger samples saturate.
        case pcm24
        /// 32-bit floats, exactly as given; in a FLAC file, which has none, 24-bit integers.
        case float32
    }

    /// Writes a WAV file, or a FLAC file where the name ends so, whole or not at all, as ``SoundFileWriter`` does.
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
        for (channel, samples) in sound.channels.enumerated() {
            guard let frame = firstNotFinite(samples) else { continue }
            throw SoundFileError(path, .notFinite(frame: frame, channel: channel))
        }
        let writer = try SoundFileWriter(
            to: path, sampleRate: sound.sampleRate, channels: sound.channels.count, frames: sound.frames, as: encoding,
            durable: durable)
        try writer.append(sound.channels)
        try writer.finish()
        return writer.clipped
    }

    /// Writes one channel; see ``write(_:to:as:durable:)``.
    @discardableResult
    public static func write(
        _ samples: [Float], sampleRate: Int, to path: String, as encoding: Encoding = .pcm16, durable: Bool = true
    ) throws(SoundFileError) -> Int {
        try write(Sound(samples, sampleRate: sampleRate), to: path, as: encoding, durable: durable)
    }

    /// The number of samples beyond full scale after rounding to steps of `1 / scale`.
    static func saturating(_ samples: [Float], scale: Float) -> Int {
        samples.count { sample in
            let step = (sample * scale).rounded(.toNearestOrEven)
            return step < -scale || step > scale - 1
        }
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
}
