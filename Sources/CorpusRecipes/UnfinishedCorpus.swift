import AtomicFiles
import Corpora
import Foundation
import Parallelism
import SystemCalls

/// A corpus that is not complete: a folder with the finished pairs and their journal, locked by one process.
struct UnfinishedCorpus {
    let folder: String
    private let lock: Int32
    private static let (journalName, identityName) = ("journal.jsonl", "identity.txt")

    private var journal: String { "\(folder)/\(Self.journalName)" }

    /// Opens the folder, or makes it.
    ///
    /// - Throws: `CorpusError` where another process works on it, or it belongs to other settings.
    init(at folder: String, identity: String) throws(CorpusError) {
        self.folder = folder
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw CorpusError(folder, .disk(error.localizedDescription))
        }
        let descriptor = POSIX.open("\(folder)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CorpusError(folder, .disk(POSIX.lastMessage)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CorpusError(folder, .occupied("another process makes this corpus now; wait for its end"))
        }
        lock = descriptor
        let known = FileManager.default.contents(atPath: "\(folder)/\(Self.identityName)").map {
            String(decoding: $0, as: UTF8.self)
        }
        guard known == nil || known == identity else {
            close(descriptor)
            throw CorpusError(folder, .occupied("it is the unfinished corpus of other settings or sources"))
        }
        guard known == nil else { return }
        do throws(FileFailure) {
            try PendingFile.write(identity, to: "\(folder)/\(Self.identityName)")
        } catch {
            close(descriptor)
            throw CorpusError(folder, .disk(error.reason))
        }
    }

    func unlock() { close(lock) }

    /// The journal's lines whose files are still on the disk, by item.
    func lines(layout: Layout, interruption: Interruption) throws(Interrupted) -> [String: JournalLine] {
        let known = JournalLine.all(in: journal)
        let intact = try known.parallelMap(interruption: interruption) { line in
            line.rows.allSatisfy { $0.isIntact(in: folder, layout) }
        }
        return Dictionary(zip(known, intact).filter { $0.1 && $0.0.skipped == nil }.map { ($0.0.item, $0.0) }) { $1 }
    }

    func append(_ line: JournalLine) throws(CorpusError) {
        let descriptor = POSIX.open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CorpusError(journal, .disk(POSIX.lastMessage)) }
        defer { close(descriptor) }
        let bytes = Array(line.text.utf8)
        guard POSIX.write(descriptor, bytes.span) == bytes.count else {
            throw CorpusError(
                journal, .disk(errno == 0 ? "the disk took only a part" : POSIX.lastMessage))
        }
    }

    /// Writes manifests and record, removes journal and lock, and renames the folder to its final path.
    func publish(_ rows: [MadeRow], _ record: RecipeRecord, to path: String) throws {
        for (set, rows) in Dictionary(grouping: rows, by: \.set) {
            let sorted = rows.sorted { $0.file.utf8.lexicographicallyPrecedes($1.file.utf8) }
            try PendingFile.write(Manifest.csv(sorted.map(\.entry)), to: "\(folder)/\(set)/\(Manifest.fileName)")
        }
        try PendingFile.write(record.text, to: "\(folder)/\(RecipeRecord.fileName)")
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for name in all where TemporaryName.isTemporary((name as NSString).lastPathComponent) {
            POSIX.unlink("\(folder)/\(name)")
        }
        sync()
        for name in [Self.journalName, Self.identityName, ".lock"] { POSIX.unlink("\(folder)/\(name)") }
        guard POSIX.rename(folder, path) == 0 else { throw CorpusError(path, .disk(POSIX.lastMessage)) }
    }
}
