import AtomicFiles
import Audio
import Foundation
import SystemCalls

/// Caches the facts of files by path, size and modification time, so that a second check reads no audio.
///
/// A text file, one line per file; a line that cannot be parsed is ignored.
public struct FactsCache: Sendable {
    /// Identifies a file whose facts were measured.
    package struct Key: Hashable, Sendable {
        var path: String
        var size: Int
        /// ns since 1970.
        var modified: Int

        init?(_ path: String) {
            guard let facts = FileFacts(at: path) else { return nil }
            self.path = path
            size = facts.bytes
            modified = facts.seconds * 1_000_000_000 + facts.nanoseconds
        }

        init(path: String, size: Int, modified: Int) {
            (self.path, self.size, self.modified) = (path, size, modified)
        }
    }

    private static let heading = "sgmse audio facts 2"
    package var facts: [Key: AudioFacts] = [:]

    public init() {}

    public init(contentsOf path: String) {
        guard let data = FileManager.default.contents(atPath: path) else { return }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        guard let first = lines.first, first == Self.heading else { return }
        for line in lines.dropFirst() {
            guard let (key, value) = Self.parse(line) else { continue }
            facts[key] = value
        }
    }

    /// Writes the cache under a temporary name and renames it.
    public func write(to path: String) throws(CorpusError) {
        let lines = facts.sorted { $0.key.path < $1.key.path }.map(Self.line)
        do {
            try PendingFile.write(([Self.heading] + lines).joined(separator: "\n"), to: path, isDurable: false)
        } catch {
            throw CorpusError(path, .disk(error.reason))
        }
    }

    private static func line(_ key: Key, _ facts: AudioFacts) -> String {
        let header = facts.header
        return [
            "\(key.size)", "\(key.modified)", "\(header.sampleRate)", "\(header.channels)", "\(header.frames)",
            "\(facts.peak)", "\(facts.meanSquare)", "\(facts.clipped)", facts.content.hex,
            facts.earlier?.description ?? "",
            key.path,
        ].joined(separator: "\t")
    }

    private static func parse(_ line: Substring) -> (Key, AudioFacts)? {
        let fields = line.split(separator: "\t", maxSplits: 10, omittingEmptySubsequences: false)
        guard fields.count == 11, let size = Int(fields[0]), let modified = Int(fields[1]), let rate = Int(fields[2]),
            let channels = Int(fields[3]), let frames = Int(fields[4]), let peak = Float(fields[5]),
            let meanSquare = Double(fields[6]), let clipped = Int(fields[7]), fields[8].utf8.count == 64
        else { return nil }
        return (
            Key(path: String(fields[10]), size: size, modified: modified),
            AudioFacts(
                header: .init(sampleRate: rate, channels: channels, frames: frames), peak: peak,
                meanSquare: meanSquare,
                clipped: clipped, content: AudioDigest(hex: String(fields[8])), earlier: ContentHash(String(fields[9])))
        )
    }
}
