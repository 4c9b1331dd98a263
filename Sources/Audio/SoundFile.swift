import CSndFile
import Foundation
import SystemCalls

/// Audio in memory: one array of samples per channel, full scale at ±1.
public struct Sound: Hashable, Sendable {
    /// Samples by channel; all channels have the same length.
    public var channels: [[Float]]
    /// Hz.
    public var sampleRate: Int

    public init(channels: [[Float]], sampleRate: Int) {
        precondition(Set(channels.map(\.count)).count <= 1, "channels differ in length: \(channels.map(\.count))")
        self.channels = channels
        self.sampleRate = sampleRate
    }

    /// One channel.
    public init(_ samples: [Float], sampleRate: Int) {
        self.init(channels: [samples], sampleRate: sampleRate)
    }

    /// Samples per channel.
    public var frames: Int { channels.first?.count ?? 0 }
    /// Length in s.
    public var duration: Double { Double(frames) / Double(sampleRate) }
}

/// Sound files, read and written whole or in part through libsndfile.
///
/// Reading is strict. libsndfile by itself reads a WAV file whose end is missing as a shorter one; here that is
/// an error, as are samples that are not finite, because a training set must not change unnoticed.
public enum SoundFile {
    /// The sample rates that are read, in Hz.
    public static let sampleRates = 1000...1_000_000
    /// The most channels that are read.
    public static let mostChannels = 256

    /// The format of a file's audio, as its header states it.
    public struct Header: Hashable, Sendable, Codable {
        /// Hz.
        public var sampleRate: Int
        /// Number of channels; only one is accepted for training and evaluation.
        public var channels: Int
        /// Samples per channel.
        public var frames: Int
        /// Whether the file itself states no length, as a file that was written to a pipe; its audio then extends to
        /// the file's end.
        public var isOpenEnded = false

        public init(sampleRate: Int, channels: Int, frames: Int, isOpenEnded: Bool = false) {
            self.sampleRate = sampleRate
            self.channels = channels
            self.frames = frames
            self.isOpenEnded = isOpenEnded
        }

        /// Length in s.
        public var duration: Double { Double(frames) / Double(sampleRate) }
    }

    /// The header of a file, without its audio; the length of the file is checked against it.
    public static func header(of path: String) throws(SoundFileError) -> Header { try header(of: path, bytes: nil) }

    /// The header of a file whose bytes may be in memory.
    ///
    /// - Parameter bytes: The file's bytes where it is not on the disk; the path then names it in errors.
    public static func header(of path: String, bytes: [UInt8]?) throws(SoundFileError) -> Header {
        let file = try OpenFile(path, bytes)
        return file.header
    }

    /// Reads a file, or the given frames of it.
    ///
    /// - Parameter frames: Which frames, all of them if `nil`; they must lie inside the file.
    public static func read(_ path: String, frames: Range<Int>? = nil) throws(SoundFileError) -> Sound {
        try readWithHeader(path, frames: frames).sound
    }

    /// Reads a file whose bytes may be in memory.
    ///
    /// - Parameter bytes: The file's bytes where it is not on the disk; the path then names it in errors.
    public static func read(_ path: String, bytes: [UInt8]?, frames: Range<Int>? = nil) throws(SoundFileError) -> Sound
    {
        try sound(interleaved(path, bytes: bytes, frames: frames)).sound
    }

    /// Reads a file as ``read(_:frames:)`` does, together with the header of the whole file.
    public static func readWithHeader(
        _ path: String, frames: Range<Int>? = nil
    ) throws(SoundFileError) -> (sound: Sound, header: Header) {
        try sound(interleaved(path, bytes: nil, frames: frames))
    }

    private static func sound(_ read: (samples: [Float], header: Header)) -> (sound: Sound, header: Header) {
        let (samples, header) = read
        guard header.channels > 1 else { return (Sound(samples, sampleRate: header.sampleRate), header) }
        let channels = (0..<header.channels).map { channel in
            stride(from: channel, to: samples.count, by: header.channels).map { samples[$0] }
        }
        return (Sound(channels: channels, sampleRate: header.sampleRate), header)
    }

    /// Reads a file that must have one channel, and the given sample rate if there is one.
    public static func readMono(
        _ path: String, frames: Range<Int>? = nil, sampleRate: Int? = nil
    ) throws(SoundFileError) -> [Float] {
        try readMono(path, bytes: nil, frames: frames, sampleRate: sampleRate)
    }

    /// Reads such a file, whose bytes may be in memory.
    ///
    /// - Parameter bytes: The file's bytes where it is not on the disk; the path then names it in errors.
    public static func readMono(
        _ path: String, bytes: [UInt8]?, frames: Range<Int>? = nil, sampleRate: Int? = nil
    ) throws(SoundFileError) -> [Float] {
        let (samples, header) = try interleaved(path, bytes: bytes, frames: frames) { header throws(SoundFileError) in
            guard header.channels == 1 else { throw SoundFileError(path, .notMono(channels: header.channels)) }
            guard let sampleRate, sampleRate != header.sampleRate else { return }
            throw SoundFileError(path, .wrongRate(found: header.sampleRate, required: sampleRate))
        }
        assert(header.channels == 1)
        return samples
    }

    /// The frames of the range, channels interleaved, once `check` has accepted the header.
    static func interleaved(
        _ path: String, bytes: [UInt8]?, frames: Range<Int>?, check: (Header) throws(SoundFileError) -> Void = { _ in }
    ) throws(SoundFileError) -> (samples: [Float], header: Header) {
        let file = try OpenFile(path, bytes)
        try check(file.header)
        let range = frames ?? 0..<file.header.frames
        guard range.lowerBound >= 0, range.upperBound <= file.header.frames else {
            throw SoundFileError(path, .outOfRange(requested: range, frames: file.header.frames))
        }
        let samples = try file.samples(in: range)
        if let index = firstNotFinite(samples) {
            let channels = file.header.channels
            throw SoundFileError(
                path, .notFinite(frame: range.lowerBound + index / channels, channel: index % channels))
        }
        return (samples, file.header)
    }

    /// The index of the first NaN or infinity. A sum over the exponents vectorises; the search is rarely needed.
    static func firstNotFinite(_ samples: [Float]) -> Int? {
        var largest: UInt32 = 0
        for sample in samples { largest = max(largest, sample.bitPattern & 0x7FFF_FFFF) }
        return largest < Float.infinity.bitPattern ? nil : samples.firstIndex { !$0.isFinite }
    }
}

/// A file open for reading; closed when it goes out of scope.
@safe private struct OpenFile: ~Copyable {
    let path: String
    let header: SoundFile.Header
    private let handle: OpaquePointer  // made, used and closed here alone
    /// What libsndfile reads through, for a file from a pipe or in memory.
    private let virtual: VirtualFile?

    init(_ path: String, _ bytes: [UInt8]?) throws(SoundFileError) {
        let size = if let bytes { bytes.count } else { try Self.size(of: path) }
        guard size > 0 else { throw SoundFileError(path, .empty) }
        let length = bytes.map { WAVLayout.length(of: $0) } ?? WAVLayout.length(of: path, fileSize: size)
        if case .cutShort(let promised, let found) = length {
            throw SoundFileError(path, .truncated(promised: promised, found: found, unit: "bytes"))
        }
        var info = SF_INFO()
        var virtual = bytes.map { VirtualFile($0) }
        if case .open(let place) = length {
            virtual = bytes.map { VirtualFile($0, sizePlace: place) } ?? VirtualFile(path, size: size, sizePlace: place)
        }
        guard let handle = unsafe virtual.map({ unsafe $0.handle(&info) }) ?? sf_open(path, Int32(SFM_READ), &info)
        else {
            throw SoundFileError(path, .unreadable(unsafe String(cString: sf_strerror(nil))))
        }
        let header = SoundFile.Header(
            sampleRate: Int(info.samplerate), channels: Int(info.channels), frames: Int(info.frames),
            isOpenEnded: length.isOpen)
        if let reason = Self.fault(in: header, fileSize: size) {
            _ = withExtendedLifetime(virtual) { unsafe sf_close(handle) }
            throw SoundFileError(path, reason)
        }
        unsafe (self.path, self.handle, self.header, self.virtual) = (path, handle, header, virtual)
    }

    /// Bytes of a file on the disk.
    private static func size(of path: String) throws(SoundFileError) -> Int {
        guard let facts = FileFacts(at: path) else {
            throw SoundFileError(path, errno == ENOENT ? .missing : .unreadable(POSIX.lastMessage))
        }
        guard facts.kind == .file else { throw SoundFileError(path, .unreadable("not a file")) }
        return facts.bytes
    }

    /// Rejects headers that no real recording has, before memory is allocated for them.
    private static func fault(in header: SoundFile.Header, fileSize: Int) -> SoundFileError.Reason? {
        guard header.frames > 0, header.channels > 0 else { return .empty }
        guard SoundFile.sampleRates.contains(header.sampleRate) else {
            return .implausible("a sample rate of \(header.sampleRate) Hz; 1000 Hz to 1 MHz are read")
        }
        guard header.channels <= SoundFile.mostChannels else {
            return .implausible("\(header.channels) channels; \(SoundFile.mostChannels) at most are read")
        }
        // The best compression of silence, in FLAC, takes a byte for some 6000 samples.
        guard header.frames / 16384 <= fileSize else {
            return .implausible("\(header.frames) frames in \(fileSize) bytes")
        }
        return nil
    }

    /// Interleaved samples of a range that lies inside the file.
    func samples(in range: Range<Int>) throws(SoundFileError) -> [Float] {
        guard unsafe range.lowerBound == 0 || sf_seek(handle, sf_count_t(range.lowerBound), SEEK_SET) >= 0 else {
            throw SoundFileError(path, .unreadable(unsafe String(cString: sf_strerror(handle))))
        }
        // A header may be wrong: at most one block is allocated before that much audio was read.
        let block = max(1, Self.blockSamples / header.channels)
        var samples: [Float] = []
        var done = 0
        while done < range.count {
            let wanted = min(block, range.count - done)
            var read = 0
            let part = unsafe [Float](unsafeUninitializedCapacity: wanted * header.channels) { buffer, count in
                guard let base = buffer.baseAddress else { return }
                read = unsafe max(0, Int(sf_readf_float(handle, base, sf_count_t(wanted))))
                count = read * header.channels
            }
            done += read
            guard read == wanted else {
                throw SoundFileError(path, .truncated(promised: range.count, found: done, unit: "frames"))
            }
            if done == range.count, samples.isEmpty { return part }
            samples += part
        }
        return samples
    }

    /// 64 MiB of samples.
    private static let blockSamples = 1 << 24

    deinit { unsafe sf_close(handle) }
}
