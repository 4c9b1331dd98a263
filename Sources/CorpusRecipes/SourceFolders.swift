import Corpora
import Foundation

/// The folders of a recipe's sources, as a person gave them.
public struct SourceFolders: Sendable {
    private var folders: [String: String] = [:]
    private let sources: [Recipe.Source]

    /// - Parameter given: Folders by the names of the sources; those of the recipe's own `path` stand in.
    /// - Throws: `CorpusError` for a name that the recipe does not have, or the first source that is not there.
    public init(_ recipe: Recipe, given: [String: String]) throws(CorpusError) {
        sources = recipe.sources
        let names = recipe.sources.map(\.name)
        for name in given.keys.sorted() where !names.contains(name) {
            let known = names.isEmpty ? "it has no sources" : "its sources are \(names.joined(separator: ", "))"
            throw CorpusError("--from \(name)", .impossible("the recipe '\(recipe.name)' has no source '\(name)'; \(known)"))
        }
        for source in recipe.sources {
            guard let folder = given[source.name] ?? source.path else {
                throw CorpusError(source.name, .notThere("give its folder: --from \(source.name)=FOLDER\(source.facts)"))
            }
            folders[source.name] = try Self.checked(folder, source)
        }
    }

    private static func checked(_ folder: String, _ source: Recipe.Source) throws(CorpusError) -> String {
        func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        guard exists(folder) else {
            throw CorpusError(folder, .notThere("--from \(source.name)=FOLDER names no folder that exists\(source.facts)"))
        }
        let missing = source.holds.filter { !exists("\(folder)/\($0)") }
        guard missing.isEmpty else {
            let zips = missing.filter { exists("\(folder)/\($0).zip") }
            let advice = zips.isEmpty ? "" : "; unpack \(zips.map { $0 + ".zip" }.joined(separator: ", ")) there"
            throw CorpusError(
                folder, .notThere("the source '\(source.name)' must hold \(missing.joined(separator: ", "))\(advice)\(source.facts)"))
        }
        return folder
    }

    /// The path of `source` or `source/below`.
    func path(_ place: String) -> String {
        let name = place.prefix { $0 != "/" }
        guard let folder = folders[String(name)] else { preconditionFailure("the recipe declares no source '\(name)'") }
        return folder + place.dropFirst(name.count)
    }

    /// A file of a source: at its place, or anywhere below the source's folder, as unpacking has it; `nil` where it is not.
    func file(_ place: String) -> String? {
        let path = path(place)
        if FileManager.default.fileExists(atPath: path) { return path }
        let (root, name) = (self.path(String(place.prefix { $0 != "/" })), (place as NSString).lastPathComponent)
        let all = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return all.filter { ($0 as NSString).lastPathComponent == name }.min().map { "\(root)/\($0)" }
    }

    /// What lies in every source: the number of files, and a digest of their names and sizes.
    func digests() throws -> [(name: String, folder: String, files: Int, digest: String)] {
        try sources.map { source in
            let root = path(source.name)
            let files = try SoundFolder.files(in: root)
            var hasher = ContentHasher()
            for file in files {
                var facts = stat()
                guard stat("\(root)/\(file)", &facts) == 0 else { throw CorpusError("\(root)/\(file)", .disk(String(cString: strerror(errno)))) }
                hasher.combine(file)
                hasher.combine(UInt64(facts.st_size))
            }
            return (source.name, root, files.count, hasher.finish().description)
        }
    }
}

extension Recipe.Source {
    /// What it is, where it is published and how large it is, as the end of a message.
    fileprivate var facts: String {
        let holds = holds.isEmpty ? "" : ", with \(holds.joined(separator: ", "))"
        let parts = [title.isEmpty ? nil : "it is \(title)\(holds)", published.isEmpty ? nil : "published at \(published)", size.isEmpty ? nil : size]
        let text = parts.compactMap(\.self).joined(separator: ", ")
        return text.isEmpty ? "" : "; \(text); nothing is downloaded"
    }
}
