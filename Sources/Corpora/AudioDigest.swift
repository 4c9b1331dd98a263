import Digests

/// The standard name of audio by its content: `sha256-pcm-v1:` and 64 hexadecimal digits.
///
/// Of one recording it is the SHA-256 of the line `sha256-pcm-v1 CHANNELS FRAMES`, a newline, and the samples of each
/// channel in turn as 32-bit floats, least significant byte first, full scale being 1. The same audio in 16 bits, in
/// floats, as WAV or FLAC is one content. Of several it is the SHA-256 of a text of their digests. Anybody can compute
/// it with any tool.
public struct AudioDigest: Hashable, Sendable, CustomStringConvertible {
    /// What the name begins with; another way to compute it gets another.
    public static let scheme = "sha256-pcm-v1"
    /// 64 digits.
    public let hex: String

    public init(of channels: [[Float]]) {
        var stream = SHA256.Stream()
        stream.update(Array("\(Self.scheme) \(channels.count) \(channels.first?.count ?? 0)\n".utf8))
        // In memory they lie as defined: all processors that the program is built for are little-endian.
        for samples in channels { stream.update(samples) }
        hex = SHA256.hex(stream.finish())
    }

    /// The digest of several, by a text of theirs.
    public init(ofText text: String) { hex = SHA256.hex("\(Self.scheme)\n\(text)") }

    public var description: String { "\(Self.scheme):\(hex)" }

    /// A digest that was computed before.
    init(hex: String) { self.hex = hex }

    public init?(_ description: String) {
        let digits = description.dropFirst(Self.scheme.count + 1)
        guard description.hasPrefix("\(Self.scheme):"), digits.utf8.count == 64 else { return nil }
        hex = String(digits)
    }
}

/// What the audio of a set, or of several, is known by.
public struct AudioFingerprint: Hashable, Sendable, CustomStringConvertible {
    public var digest: AudioDigest
    /// What versions before the standard name called it, for stores that they wrote.
    public var earlier: ContentHash

    public init(digest: AudioDigest, earlier: ContentHash) { (self.digest, self.earlier) = (digest, earlier) }

    /// The fingerprint of several together, in this order.
    public init(of parts: [AudioFingerprint]) {
        var hasher = ContentHasher()
        for part in parts { hasher.combine(part.earlier) }
        self.init(digest: AudioDigest(ofText: parts.map { "\($0.digest.hex)\n" }.joined()), earlier: hasher.finish())
    }

    /// As stores name it from now on.
    public var description: String { digest.description }
}
