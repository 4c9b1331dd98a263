import AtomicFiles
import Foundation
public import Parallelism
import SystemCalls

/// A recipe that makes a corpus on the disk from its parameters.
public protocol CorpusMaker: Hashable, Sendable, Codable {
    /// The recipe's name in a spec.
    static var name: String { get }
    /// Raised whenever the same parameters would give other audio.
    static var version: Int { get }
    /// The sets that the recipe makes, by folder name.
    var setNames: [String] { get }
    /// Makes all sets below a folder that exists and is empty.
    ///
    /// - Throws: ``CorpusError``, or `Interrupted`.
    func make(in folder: String, interruption: Interruption) throws
}

/// The result of making a corpus.
public enum RecipeOutcome: Hashable, Sendable {
    case made
    /// The folder already held exactly this corpus.
    case unchanged
}

extension CorpusMaker {
    /// The file in a `base_dir` that records what it was made from.
    public static var recordName: String { "recipe.json" }

    /// What determines the audio, as text: name, version, and parameters.
    public var record: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let record = RecipeRecord(parameters: self, recipe: Self.name, version: Self.version)
        // Numbers, strings, and arrays of them always encode, unless a number is not finite.
        guard let data = try? encoder.encode(record) else { return "\(self)" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// A folder name that differs whenever the parameters do.
    public var folderName: String { "\(Self.name)-\(ContentHash(of: record).description.prefix(10))" }

    /// Makes the corpus at `baseDir`, unless it is already there.
    ///
    /// Everything is made in a hidden folder beside it and renamed at the end: so the corpus is complete or absent.
    ///
    /// - Throws: ``CorpusError``; `occupied` if something else lies at `baseDir`, which is then left alone;
    ///   `Interrupted`.
    @discardableResult
    public func write(to baseDir: String, interruption: Interruption = Interruption()) throws -> RecipeOutcome {
        let files = FileManager.default
        if files.fileExists(atPath: baseDir) {
            try checkExisting(baseDir)
            return .unchanged
        }
        let target = URL(fileURLWithPath: baseDir)
        let temporary = TemporaryName.path(for: target.path)
        do {
            try files.createDirectory(atPath: temporary, withIntermediateDirectories: true)
            try make(in: temporary, interruption: interruption)
            try Data(record.utf8).write(to: URL(fileURLWithPath: "\(temporary)/\(Self.recordName)"))
            sync()
            guard POSIX.rename(temporary, target.path) == 0 else {
                throw CorpusError(baseDir, .disk(POSIX.lastMessage))
            }
        } catch {
            try? files.removeItem(atPath: temporary)
            throw error is CorpusError || error is Interrupted
                ? error : CorpusError(baseDir, .disk(error.localizedDescription))
        }
        return .made
    }

    private func checkExisting(_ baseDir: String) throws(CorpusError) {
        guard let data = FileManager.default.contents(atPath: "\(baseDir)/\(Self.recordName)") else {
            throw CorpusError(baseDir, .occupied("it holds no \(Self.recordName), so this recipe did not make it"))
        }
        let (found, wanted) = (String(decoding: data, as: UTF8.self), record)
        guard found == wanted else {
            let lines = Set(wanted.split(separator: "\n"))
            let differing = found.split(separator: "\n").filter { !lines.contains($0) }
                .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " ,")) }
            throw CorpusError(baseDir, .occupied("it was made otherwise, with \(differing.joined(separator: ", "))"))
        }
        let corpus = try Corpus(at: baseDir)
        for name in setNames {
            let set = try corpus.set(name)
            guard set.strayEntries.isEmpty else {
                throw CorpusError(
                    baseDir,
                    .occupied("\(set.strayEntries.count) files of \(name) are gone, \(set.strayEntries[0]) first"))
            }
        }
    }
}

private struct RecipeRecord<Recipe: CorpusMaker>: Encodable {
    var parameters: Recipe
    var recipe: String
    var version: Int
}
