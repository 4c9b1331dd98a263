import Audio
import Corpora
import Foundation

/// A pair that is on the disk: a line of the journal, and later of a manifest.
struct MadeRow: Codable, Hashable, Sendable {
    var set: String
    var file: String
    var speaker: String?
    var noise: String?
    var snr: Double?
    var seed: UInt64?
    var other: [String: String]
    var clean, noisy: String
    var clipped: Int

    var entry: Manifest.Entry {
        var columns = other
        (columns["content_clean"], columns["content_noisy"]) = (clean, noisy)
        columns["clipped"] = "\(clipped)"
        return Manifest.Entry(file: file, speaker: speaker, noise: noise, snr: snr, seed: seed, other: columns)
    }

    /// Whether both files exist with the digests that they were written with.
    func isIntact(in folder: String, _ layout: Layout) -> Bool {
        [(layout.cleanFolder, clean), (layout.noisyFolder, noisy)].allSatisfy { part, content in
            guard case .success(let facts) = AudioFacts.measure("\(folder)/\(set)/\(part)/\(file)") else {
                return false
            }
            return facts.content.description == content
        }
    }
}

/// An item that was worked on, with its pairs: one line.
struct JournalLine: Codable, Sendable {
    var item: String
    var rows: [MadeRow]
    /// Why it has no pairs, where it was left out.
    var skipped: String?

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) + "\n" } ?? ""
    }

    /// The lines of a journal that are whole; the last one may have been cut off.
    static func all(in path: String) -> [JournalLine] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return data.split(separator: UInt8(ascii: "\n")).compactMap {
            try? JSONDecoder().decode(JournalLine.self, from: Data($0))
        }
    }
}
