import Foundation

/// A file beside the store that nothing needs.
public struct GarbageFile: Hashable, Sendable {
    public enum Reason: String, Hashable, Sendable {
        /// A file that was being written when its process ended.
        case temporary = "left over from an interrupted write"
        /// A checkpoint or audio file that no row of the store names.
        case unreferenced = "not named by the store"
        /// In the folder of a run that the store does not know.
        case unknownRun = "of a run that the store does not know"
    }

    /// Relative to the store's folder.
    public var path: String
    public var bytes: Int
    public var reason: Reason
}

extension RunStore {
    /// Lists the files in run folders that may go; deletes nothing.
    ///
    /// Logs and whatever else lies in the folder of a known run are kept, and so is everything of a run that is
    /// trained or evaluated just now. Temporary files count once they are an hour old.
    public func garbage() throws(StoreError) -> [GarbageFile] {
        let named = try namedFiles()
        let runs = try self.runs()
        let evaluated = try runsUnderEvaluation()
        let known = Dictionary(runs.map { ($0.folder, evaluated.contains($0.id) ? .running : $0.status) }) { first, _ in first }
        let manager = FileManager.default
        let folders = ((try? manager.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return leftovers(folders) + folders.flatMap { name -> [GarbageFile] in
            let place = folder + "/" + name
            let isRun = known[name] != nil || Self.looksLikeRun(name, at: place)
            guard isRun, known[name] != .running else { return [] }
            let files = (manager.enumerator(atPath: place)?.allObjects as? [String] ?? []).sorted()
            return files.compactMap { file in
                let path = name + "/" + file
                guard let facts = try? manager.attributesOfItem(atPath: folder + "/" + path),
                    facts[.type] as? FileAttributeType == .typeRegular,
                    let reason = Self.reason(file, facts, isKnown: known[name] != nil, isNamed: named.contains(path))
                else { return nil }
                return GarbageFile(path: path, bytes: facts[.size] as? Int ?? 0, reason: reason)
            }
        }
    }

    /// Deletes the files, and the folders that become empty.
    ///
    /// - Returns: How many bytes became free.
    @discardableResult
    public func delete(_ garbage: [GarbageFile]) throws(StoreError) -> Int {
        let manager = FileManager.default
        var freed = 0
        for file in garbage {
            let path = folder + "/" + file.path
            do {
                try manager.removeItem(atPath: path)
                freed += file.bytes
            } catch {
                guard !manager.fileExists(atPath: path) else {
                    throw StoreError(
                        .readOnly, at: path, "the file cannot be deleted (\(error.localizedDescription))",
                        hint: "allow writing to its folder")
                }
            }
            var parent = (path as NSString).deletingLastPathComponent
            while parent.count > folder.count, rmdir(parent) == 0 {
                parent = (parent as NSString).deletingLastPathComponent
            }
        }
        return freed
    }

    /// Copies of imports and half-made corpora whose process ended long ago.
    private func leftovers(_ names: [String]) -> [GarbageFile] {
        let store = (path as NSString).lastPathComponent
        let corpora = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/corpora")) ?? []
        let candidates = names.filter { $0.hasPrefix(store + "-import-") || $0.hasSuffix(".partial") }
            + corpora.filter { $0.hasPrefix(".") && $0.hasSuffix(".part") }.map { "corpora/" + $0 }
        return candidates.sorted().compactMap { name in
            guard let facts = try? FileManager.default.attributesOfItem(atPath: folder + "/" + name),
                Self.isOld(facts)
            else { return nil }
            return GarbageFile(path: name, bytes: facts[.size] as? Int ?? 0, reason: .temporary)
        }
    }

    /// The runs of which a live process evaluates something.
    private func runsUnderEvaluation() throws(StoreError) -> Set<Run.ID> {
        try read { db in
            Set(try evaluations("WHERE runID IS NOT NULL AND status = 'running'", [], db)
                .filter { $0.status == .running }.compactMap(\.run))
        }
    }

    /// Whether a file was last changed more than an hour ago.
    private static func isOld(_ facts: [FileAttributeKey: Any]) -> Bool {
        (facts[.modificationDate] as? Date ?? .distantPast) < Date(timeIntervalSinceNow: -3600)
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

    private static func reason(
        _ file: String, _ facts: [FileAttributeKey: Any], isKnown: Bool, isNamed: Bool
    ) -> GarbageFile.Reason? {
        if isNamed { return nil }
        let name = (file as NSString).lastPathComponent
        if name.hasSuffix(".tmp") || name.hasSuffix(".partial") || name.hasSuffix(".part") || name.contains(".tmp-") {
            return isOld(facts) ? .temporary : nil
        }
        if !isKnown { return .unknownRun }
        return file.hasPrefix("checkpoints/") || file.hasPrefix("audio/") ? .unreferenced : nil
    }

    /// Whether a folder has the name and the inside of a run's.
    private static func looksLikeRun(_ name: String, at place: String) -> Bool {
        guard let id = name.split(separator: "-").last, (8...24).contains(id.count), name.contains("-"),
            id.allSatisfy({ $0.isLowercase || $0.isNumber })
        else { return false }
        return ["checkpoints", "audio"].contains { FileManager.default.fileExists(atPath: place + "/" + $0) }
    }
}
