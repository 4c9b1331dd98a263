import Digests

/// The content hash of audio: `sha256-pcm-v1:` and 64 hexadecimal digits.
///
/// Of one recording it is the SHA-256 of the line `sha256-pcm-v1 CHANNELS FRAMES`, a newline, and the samples of each
/// channel in turn as 32-bit floats, least significant byte first, full scale being 1. The same audio in 16 bits, in
/// floats, as WAV or FLAC is one content. Of several it is the SHA-256 of a text of their digests. Any tool that
/// computes SHA-256 can reproduce it.
public struct AudioDigest: Hashable, Sendable, CustomStringConvertible {
    /// The prefix of every digest; another way to compute one gets another prefix.
    public static let scheme = "sha256-pcm-v1"
    /// 64 lowercase hexadecimal digits of a SHA-256.
    public let hex: String

    public init(of channels: [[Float]]) {
        var stream = SHA256.Stream()
        stream.update(Array("\(Self.scheme) \(channels.count) \(channels.first?.count ?? 0)\n".utf8))
        // The bytes in memory have the defined order: all supported processors are little-endian.
        for samples in channels { stream.update(samples) }
        hex = SHA256.hex(stream.finish())
    }

    /// The digest of several recordings, by a text that lists their digests.
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

/// The identity of the audio of one or several sets, under the present name and under that of earlier versions.
public struct AudioFingerprint: Hashable, Sendable, CustomStringConvertible {
    /// SHA-256 of names, sample rates and samples: the fingerprint that runs and evaluations store.
    public var digest: AudioDigest
    /// The 128-bit hash by which versions before ``AudioDigest`` identified it, to read the stores that they wrote.
    public var earlier: ContentHash

    public init(digest: AudioDigest, earlier: ContentHash) { (self.digest, self.earlier) = (digest, earlier) }

    /// The fingerprint of several together, in this order.
    public init(of parts: [AudioFingerprint]) {
        var hasher = ContentHasher()
        for part in parts { hasher.combine(part.earlier) }
        self.init(digest: AudioDigest(ofText: parts.map { "\($0.digest.hex)\n" }.joined()), earlier: hasher.finish())
    }

    /// The text that stores hold: that of the digest.
    public var description: String { digest.description }
}
