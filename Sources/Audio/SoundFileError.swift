public import Failures
import Foundation

/// What is wrong with a sound file, where, and what to do about it.
public struct SoundFileError: Diagnostic, Hashable, Sendable {
    /// What is wrong with the file.
    public enum Reason: Hashable, Sendable {
        /// There is no file at the path.
        case missing
        /// The file exists, but is not a sound file that can be decoded; the string is the decoder's reason.
        case unreadable(String)
        /// The file has no audio.
        case empty
        /// The header states more frames, or bytes, than the file holds.
        case truncated(promised: Int, found: Int, unit: String)
        /// A sample is NaN or infinite; the first such frame and channel.
        case notFinite(frame: Int, channel: Int)
        /// More than one channel where exactly one is required.
        case notMono(channels: Int)
        /// Another sample rate (Hz) than required.
        case wrongRate(found: Int, required: Int)
        /// A frame range reaches past the end.
        case outOfRange(requested: Range<Int>, frames: Int)
        /// The header states values that no real recording has; the string names them.
        case implausible(String)
        /// The file could not be written; the string is the system's reason. Nothing was left behind.
        case unwritable(String)
    }

    /// The path as it was given.
    public var path: String
    /// What is wrong; decides ``summary`` and ``hint``.
    public var reason: Reason

    public init(_ path: String, _ reason: Reason) {
        self.path = path
        self.reason = reason
    }

    /// What is wrong, without the path.
    public var summary: String {
        switch reason {
        case .missing: "no such file"
        case .unreadable(let why): "cannot be read as audio: \(why)"
        case .empty: "holds no audio"
        case .truncated(let promised, let found, let unit):
            "is cut short: its header promises \(promised) \(unit), the file holds \(found)"
        case .notFinite(let frame, let channel):
            "is not finite (NaN or infinity) at frame \(frame), channel \(channel)"
        case .notMono(let channels): "has \(channels) channels, one is required"
        case .wrongRate(let found, let required): "is sampled at \(found) Hz, \(required) Hz is required"
        case .outOfRange(let range, let frames):
            "frames \(range.lowerBound)..<\(range.upperBound) were asked for, it has \(frames)"
        case .implausible(let what): "claims \(what)"
        case .unwritable(let why): "cannot be written: \(why)"
        }
    }

    /// What to do about it.
    public var hint: String? {
        switch reason {
        case .missing: "check the path, and that the data set is where the spec says"
        case .unreadable: "convert it to WAV or FLAC, or remove the pair"
        case .empty: "remove the pair, or copy the file again"
        case .truncated: "copy the file again: the transfer was probably interrupted"
        case .notFinite: "render the file again: whatever wrote it diverged"
        case .notMono: "mix it down to one channel or keep one, before it enters a data set"
        case .wrongRate(let found, let required):
            "resample the data from \(found) to \(required) Hz, or set the spec's sampling rate to \(found)"
        case .outOfRange: "ask for frames the file has"
        case .implausible: "the header is damaged: copy or convert the file again, or remove the pair"
        case .unwritable: "free space on the disk or choose a folder that can be written"
        }
    }

    public var place: String? { path }
    public var category: FailureCategory { if case .unwritable = reason { .machine } else { .data } }
    public var description: String { line }
}
