public import Corpora
import Foundation
import SystemCalls
import WeightFiles

/// The folders of a recipe's sources, as given on the command line or in the recipe: folders with recordings, or with
/// the zip archives in which they are published, or an archive itself.
public struct SourceFolders: Sendable {
    private var folders: [String: String] = [:]
    private let sources: [Recipe.Source]
    /// What the recipe reads, as `source/folder`.
    private let places: [String]

    /// - Parameter given: Folders by the names of the sources; a source that is missing here takes the recipe's own
    ///   `path`.
    /// - Throws: `CorpusError` for a name that the recipe does not have, or the first source that is not there.
    public init(_ recipe: Recipe, given: [String: String]) throws(CorpusError) {
        sources = recipe.sources
        let ofLaw = recipe.law.places
        places =
            recipe.sets.flatMap { [$0.speech, $0.noisy].compactMap(\.self) }
            + (recipe.law.isBySet ? recipe.sets.flatMap { set in ofLaw.map { "\($0)/\(set.name)" } } : ofLaw)
        let names = recipe.sources.map(\.name)
        for name in given.keys.sorted() where !names.contains(name) {
            let known = names.isEmpty ? "it has no sources" : "its sources are \(names.joined(separator: ", "))"
            throw CorpusError(
                "--from \(name)", .impossible("the recipe '\(recipe.name)' has no source '\(name)'; \(known)"))
        }
        for source in recipe.sources {
            guard let folder = given[source.name] ?? source.path else {
                throw CorpusError(
                    source.name, .notThere("give its folder: --from \(source.name)=FOLDER\(source.facts)"))
            }
            folders[source.name] = try Self.checked(folder, source)
        }
    }

    private static func checked(_ folder: String, _ source: Recipe.Source) throws(CorpusError) -> String {
        guard FileManager.default.fileExists(atPath: folder) else {
            throw CorpusError(
                folder, .notThere("--from \(source.name)=FOLDER names no folder that exists\(source.facts)"))
        }
        guard POSIX.isFolder(folder) || isArchive(folder) else {
            throw CorpusError(
                folder, .notThere("--from \(source.name)=FOLDER names a file that is no zip archive\(source.facts)"))
        }
        let missing =
            POSIX.isFolder(folder)
            ? source.holds.filter { !exists("\(folder)/\($0)") && archive(of: $0, in: folder) == nil } : []
        guard missing.isEmpty else {
            throw CorpusError(
                folder,
                .notThere(
                    """
                    the source '\(source.name)' must hold \(missing.joined(separator: ", ")), as folders or as zip \
                    archives of these names
                    """
                        + source.facts))
        }
        return folder
    }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private static func isArchive(_ path: String) -> Bool {
        path.lowercased().hasSuffix(".zip") && exists(path) && !POSIX.isFolder(path)
    }

    /// The archive beside or above a folder that is not on the disk: for `a/b`, `a/b.zip` or `a.zip`.
    private static func archive(of folder: String, in root: String) -> String? {
        var parts = folder.split(separator: "/")
        while !parts.isEmpty {
            let path = "\(root)/\(parts.joined(separator: "/")).zip"
            if isArchive(path) { return path }
            parts.removeLast()
        }
        return nil
    }

    // MARK: Places

    private func split(_ place: String) -> (root: String, inner: String) {
        let name = place.prefix { $0 != "/" }
        guard let folder = folders[String(name)] else { preconditionFailure("the recipe declares no source '\(name)'") }
        return (folder, String(place.dropFirst(name.count + 1)))
    }

    /// The path of `source` or `source/below`, as messages name it.
    func path(_ place: String) -> String {
        let (root, inner) = split(place)
        return inner.isEmpty ? root : "\(root)/\(inner)"
    }

    /// The recordings of `source` or `source/below`.
    ///
    /// - Throws: `CorpusError` for an archive that cannot be read.
    func folder(_ place: String) throws(CorpusError) -> RecordingFolder {
        let (root, inner) = split(place)
        if !POSIX.isFolder(root) { return try RecordingFolder(inner, inArchive: root) }
        let path = path(place)
        guard !Self.exists(path), let archive = Self.archive(of: inner, in: root) else {
            return RecordingFolder(at: path)
        }
        return try RecordingFolder((inner as NSString).lastPathComponent, inArchive: archive)
    }

    /// A file of a source, a table or a log: at its place, or anywhere below the source's folder or in an archive
    /// there.
    ///
    /// - Returns: Its path as messages name it, and its bytes; `nil` where it is not there.
    func file(_ place: String) throws(CorpusError) -> (path: String, data: Data)? {
        let (root, inner) = split(place)
        let name = (inner as NSString).lastPathComponent
        guard POSIX.isFolder(root) else { return try Self.entry(name, in: root) }
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        let found = all.filter { ($0 as NSString).lastPathComponent == name }.min().map { "\(root)/\($0)" }
        let path = Self.exists(path(place)) ? path(place) : found
        if let path {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw CorpusError(path, .badTable(line: 1, "it cannot be read"))
            }
            return (path, data)
        }
        for archive in all.filter({ Self.isArchive("\(root)/\($0)") }).sorted() {
            if let entry = try Self.entry(name, in: "\(root)/\(archive)") { return entry }
        }
        return nil
    }

    private static func entry(_ name: String, in path: String) throws(CorpusError) -> (path: String, data: Data)? {
        do throws(WeightFileError) {
            let archive = try ZipArchive(path: path)
            guard let entry = archive.names.filter({ ($0 as NSString).lastPathComponent == name }).min() else {
                return nil
            }
            return ("\(path)/\(entry)", Data(try archive.read(entry, limit: 64 << 20)))
        } catch {
            throw CorpusError(path, .badArchive(error.summary))
        }
    }

    // MARK: Content

    /// For every source the number of files and a digest of their names and sizes; an archive and its unpacked folder
    /// have the same.
    func digests() throws -> [(name: String, folder: String, files: Int, digest: String)] {
        try sources.map { source in
            let root = path(source.name)
            var sizes = POSIX.isFolder(root) ? try Self.sizes(of: RecordingFolder(at: root), below: "") : [:]
            for place in Set(places).sorted() where place.prefix(while: { $0 != "/" }) == source.name {
                let folder = try folder(place)
                guard folder.isInArchive else { continue }
                sizes.merge(try Self.sizes(of: folder, below: String(place.dropFirst(source.name.count + 1)))) {
                    known, _ in known
                }
            }
            var hasher = ContentHasher()
            for (file, size) in sizes.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                hasher.combine(file)
                hasher.combine(UInt64(size))
            }
            return (source.name, root, sizes.count, hasher.finish().description)
        }
    }

    private static func sizes(of folder: RecordingFolder, below: String) throws(CorpusError) -> [String: Int] {
        var sizes: [String: Int] = [:]
        for file in try folder.files() { sizes[below.isEmpty ? file : "\(below)/\(file)"] = try folder.size(of: file) }
        return sizes
    }
}

extension Recipe.Source {
    /// What it is, where it is published and how large it is, as the end of a message.
    fileprivate var facts: String {
        let holds = holds.isEmpty ? "" : ", with \(holds.joined(separator: ", "))"
        let parts = [
            title.isEmpty ? nil : "it is \(title)\(holds)", published.isEmpty ? nil : "published at \(published)",
            size.isEmpty ? nil : size,
        ]
        let text = parts.compactMap(\.self).joined(separator: ", ")
        return text.isEmpty ? "" : "; \(text); nothing is downloaded"
    }
}
