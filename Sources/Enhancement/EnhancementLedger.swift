import Audio
import Corpora
import Foundation
import Synchronization
import SystemCalls

/// The record of outputs and their settings: `.sgmse-enhanced.jsonl` in each folder of outputs, one line of JSON per
/// file.
///
/// A line is added before its output is renamed to its final name, and no line is ever changed: also after a crash,
/// each output in the folder either matches a line, by its size and hash, or was not made by this program. Several
/// processes may add to one file.
final class EnhancementLedger: Sendable {
    static let fileName = ".sgmse-enhanced.jsonl"

    /// One output.
    struct Entry: Codable, Hashable, Sendable {
        /// Its name in the folder.
        var file: String
        /// Everything that decides its audio, by name.
        var settings: [String: String]
        /// Of the output's bytes.
        var size: Int
        var hash: String

        /// The names of the settings in which others differ.
        func differences(from others: [String: String]) -> Set<String> {
            Set(settings.keys).union(others.keys).filter { settings[$0] != others[$0] }
        }
    }

    /// Entries by folder, then by file.
    private let known = Mutex<[String: [String: [Entry]]]>([:])

    /// The entries that an existing file is the output of: several where different settings make the same audio, none
    /// for a file that is not ours, or that was changed.
    ///
    /// - Throws: `CorpusError` for a file that cannot be read; what `check` throws.
    func entries(of output: String, check: () throws -> Void) throws -> [Entry] {
        let (folder, file) = Self.parts(of: output)
        let entries = known.withLock { known in
            if known[folder] == nil { known[folder] = Self.read(folder + "/" + Self.fileName) }
            return known[folder]?[file] ?? []
        }
        guard let facts = FileFacts(at: output), entries.contains(where: { $0.size == facts.bytes }) else { return [] }
        let hash = try ContentHash(ofFile: output, check: check).description
        return entries.filter { $0.size == facts.bytes && $0.hash == hash }
    }

    /// Records that the file at `path` is about to become `output`.
    ///
    /// - Throws: `SoundFileError` with the disk's reason; what `check` throws.
    func add(_ settings: [String: String], of path: String, as output: String, check: () throws -> Void) throws {
        let (folder, file) = Self.parts(of: output)
        let ledger = folder + "/" + Self.fileName
        guard let facts = FileFacts(at: path) else {
            throw SoundFileError(output, .unwritable(POSIX.lastMessage))
        }
        let entry = Entry(
            file: file, settings: settings, size: facts.bytes,
            hash: try ContentHash(ofFile: path, check: check).description)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A line that was cut off by a crash is closed by the line break before this one.
        let line = Data("\n".utf8) + (try encoder.encode(entry)) + Data("\n".utf8)
        let descriptor = POSIX.open(ledger, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        defer { if descriptor >= 0 { close(descriptor) } }
        let written = POSIX.write(descriptor, line.span)
        guard descriptor >= 0, written == line.count, fsync(descriptor) == 0 else {
            throw SoundFileError(ledger, .unwritable(POSIX.lastMessage))
        }
        known.withLock { $0[folder]?[file, default: []].append(entry) }
    }

    private static func parts(of output: String) -> (folder: String, file: String) {
        let folder = (output as NSString).deletingLastPathComponent
        return (folder.isEmpty ? "." : folder, (output as NSString).lastPathComponent)
    }

    /// The entries of a ledger; lines that are none are passed over.
    private static func read(_ path: String) -> [String: [Entry]] {
        let data = FileManager.default.contents(atPath: path) ?? Data()
        let entries = data.split(separator: UInt8(ascii: "\n")).compactMap { line in
            try? JSONDecoder().decode(Entry.self, from: Data(line))
        }
        return Dictionary(grouping: entries, by: \.file)
    }
}
