/// The recorded settings in which two cells differ, apart from names and from what selects the evaluation.
struct SettingDifferences: Hashable {
    struct Item: Hashable {
        var path: String
        var first: String
        var second: String

        var text: String { "\(path) (\(first) against \(second))" }
    }

    var items: [Item]

    /// What decides no score: names, what is computed and kept, and how work is organised.
    private static let ignored = [
        "name", "title", "notes", "tags", "extends", "profiles", "sweep", "launcher", "reproduces", "waive",
        "train.seeds", "evaluate.sets",
        "evaluate.metrics", "evaluate.anchors", "evaluate.keep_audio", "data.num_workers", "data.corpus",
        "train.checkpoint_every",
        "train.retries", "train.resume_minutes", "train.resume_steps", "train.max_hours",
    ]

    /// - Parameter onlyShared: Leaves out what one side does not record.
    init(_ first: [String: String], _ second: [String: String], onlyShared: Bool = false) {
        let paths = Set(first.keys).union(second.keys).filter { path in
            first[path] != second[path] && !Self.ignored.contains { path.isWithin($0) }
                && (!onlyShared || (first[path] != nil && second[path] != nil))
        }
        // Another entry of a registry has other settings, which are not listed one by one.
        let replaced = paths.filter { $0.hasSuffix(".name") }.map { String($0.dropLast(5)) }
        items = paths.compactMap { path in
            let isReplaced = path.hasSuffix(".name")
            let shown = isReplaced ? String(path.dropLast(5)) : path
            if !isReplaced, replaced.contains(where: { path.isWithin($0) }) { return nil }
            return Item(path: shown, first: first[path] ?? "none", second: second[path] ?? "none")
        }.sorted { $0.path < $1.path }
    }

    /// Those outside some settings.
    func outside(_ paths: [String]) -> [Item] { items.filter { item in !paths.contains { item.path.isWithin($0) } } }
}

extension String {
    /// Whether it is a path or lies below it.
    fileprivate func isWithin(_ path: String) -> Bool { self == path || hasPrefix(path + ".") }
}
