import AtomicFiles
import Foundation
import GRDB

/// A file beside the store that no row needs.
public struct GarbageFile: Hashable, Sendable {
    /// Why the file is listed; the raw value is what a person reads.
    public enum Reason: String, Hashable, Sendable {
        /// A file that was being written when its process ended, known by its temporary name.
        case temporary = "left over from an interrupted write"
        /// A checkpoint or audio file that the store had made, and that no row names any more.
        case unreferenced = "made by this store and no longer needed"
        /// The store has no record of having made it.
        case unknown = "not made by this store; left alone"
    }

    /// Relative to the store's folder; a folder ends in `/`.
    public var path: String
    /// Its size; 0 for a folder and for what is no regular file.
    public var bytes: Int
    /// Only ``Reason/unknown`` keeps the store from deleting it.
    public var reason: Reason

    /// Whether the store may delete it.
    public var isRemovable: Bool { reason != .unknown }

    package init(path: String, bytes: Int, reason: Reason) {
        (self.path, self.bytes, self.reason) = (path, bytes, reason)
    }
}

extension RunStore {
    /// Lists the files beside the store that no row needs; deletes nothing.
    ///
    /// Logs and whatever else lies in the folder of a known run are left out, and so is everything of a run that is
    /// trained or evaluated just now. Temporary files count once they are an hour old. What this store did not record
    /// as made is listed as unknown.
    public func garbage() throws(StoreError) -> [GarbageFile] {
        let named = try namedFiles()
        let made = Set(try madeFiles().map(\.text))
        let evaluated = try runsUnderEvaluation()
        var isAtWork: [String: Bool] = [:]
        for run in try runs() { isAtWork[run.folder] = run.status == .running || evaluated.contains(run.id) }
        let below = filesBelow
        let gone = made.subtracting(named).sorted().filter { isAtWork[Self.top($0)] != true && Self.isProduct($0) }
            .compactMap { path in below.garbage(path, .unreferenced) }
        let folders = isAtWork.keys.sorted().filter { isAtWork[$0] == false } + ["anchors"]
        let inFolders = folders.flatMap { name -> [GarbageFile] in
            below.files(below: name).compactMap { path in
                if below.isOldTemporary(path) { return below.garbage(path, .temporary) }
                let isKnown = named.contains(path) || made.contains(path) || Self.isTemporary(path)
                return Self.isProduct(path) && !isKnown ? below.garbage(path, .unknown) : nil
            }
        }
        return (gone + inFolders + unknownFiles(beside: Set(isAtWork.keys))).sorted { $0.path < $1.path }
    }

    /// Deletes those of the files that the store may delete, and the folders that become empty.
    ///
    /// - Returns: How many files were deleted, and how many bytes became free.
    @discardableResult
    public func delete(_ garbage: [GarbageFile]) throws(StoreError) -> (files: Int, bytes: Int) {
        var freed = (files: 0, bytes: 0)
        let named = try namedFiles()
        for file in garbage where file.isRemovable && !named.contains(file.path) {
            guard let bytes = try delete(file) else { continue }
            freed = (freed.files + 1, freed.bytes + bytes)
        }
        return freed
    }

    private func delete(_ file: GarbageFile) throws(StoreError) -> Int? {
        guard file.reason == .temporary else { return try deleteMade(file.path) }
        guard let place = RelativePath(file.path.hasSuffix("/") ? String(file.path.dropLast()) : file.path),
            TemporaryName.isTemporary(place.parts.last ?? "")
        else { return nil }
        guard case .folder = filesBelow.entry(place) else { return try filesBelow.delete(place) }
        do {
            try FileManager.default.removeItem(atPath: folder + "/" + place.text)
        } catch {
            throw StoreError(cannotWrite: folder + "/" + place.text, error)
        }
        return file.bytes
    }

    /// Old temporary files and folders in the store's folder and among the corpora, and files that no store made.
    private func unknownFiles(beside runs: Set<String>) -> [GarbageFile] {
        let store = (path as NSString).lastPathComponent
        let own = Set(["", "-wal", "-shm", "-journal", "-owners"].map { store + $0 })
            .union(["corpora", "anchors", "audio-facts.cache", "audio-check.cache", "queue"]).union(runs)
        func names(_ folder: String) -> [String] {
            (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        }
        let below = filesBelow
        let top = names(folder).compactMap { name -> GarbageFile? in
            let isOwn = own.contains(name) && RelativePath(name).map(below.entry) != .other
            if isOwn || Self.isTemporary(name) {
                return below.isOldTemporary(name) ? below.garbage(name, .temporary) : nil
            }
            return below.garbage(name, .unknown)
        }
        guard let corpora = RelativePath("corpora"), case .folder = below.entry(corpora) else { return top }
        return top
            + names(folder + "/corpora").map { "corpora/" + $0 }.filter(below.isOldTemporary)
            .compactMap { below.garbage($0, .temporary) }
    }

    /// The runs of which a running process evaluates something.
    private func runsUnderEvaluation() throws(StoreError) -> Set<Run.ID> {
        try read { db in
            Set(
                try evaluations("WHERE runID IS NOT NULL AND status = 'running'", [], db)
                    .filter { $0.status == .running }.compactMap(\.run))
        }
    }

    /// The checkpoints and enhanced files that rows name.
    private func namedFiles() throws(StoreError) -> Set<String> {
        try read { db in
            try String.fetchSet(
                db,
                sql: """
                    SELECT path FROM checkpoint WHERE superseded = 0
                    UNION SELECT output FROM fileResult WHERE output IS NOT NULL
                    """)
        }
    }

    private static func top(_ path: String) -> String { String(path.prefix { $0 != "/" }) }

    /// Whether a file is in a folder of checkpoints or audio; logs and the like are kept as long as their run.
    private static func isProduct(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return parts.first == "anchors" || parts.count > 2 && ["checkpoints", "audio"].contains(parts[1])
    }

    private static func isTemporary(_ path: String) -> Bool {
        TemporaryName.isTemporary((path as NSString).lastPathComponent)
    }
}

extension FilesBelow {
    /// What is at `path` as garbage; nil where nothing is, or where it is only reached through a link.
    fileprivate func garbage(_ path: String, _ reason: GarbageFile.Reason) -> GarbageFile? {
        guard let place = RelativePath(path) else { return nil }
        return switch (entry(place), reason) {
        case (.file(let bytes, _), _): GarbageFile(path: path, bytes: bytes, reason: reason)
        case (.folder, .temporary), (.folder, .unknown): GarbageFile(path: path + "/", bytes: 0, reason: reason)
        case (.other, .unknown): GarbageFile(path: path, bytes: 0, reason: reason)
        default: nil
        }
    }

    /// Whether `path` has a temporary name and was last changed more than an hour ago.
    fileprivate func isOldTemporary(_ path: String) -> Bool {
        guard let place = RelativePath(path), TemporaryName.isTemporary(place.parts.last ?? "") else { return false }
        return switch entry(place) {
        case .file(_, let changed), .folder(let changed): changed < Date(timeIntervalSinceNow: -3600)
        case .other, .absent: false
        }
    }
}
