import Foundation

extension CorpusScan {
    /// Speech and speakers that sets of different roles share: training on the validation data, or choosing a
    /// checkpoint on the test data, makes every later number too good.
    ///
    /// Two test sets may share both; that is how an SNR series is made.
    public func overlaps() -> [Finding] {
        var found: [Finding] = []
        for (index, first) in sets.enumerated() {
            for second in sets[(index + 1)...] where first.role != second.role {
                found +=
                    first.isPart(of: second)
                    ? [Self.sameSet(first, second)]
                    : Self.sharedContent(first, second) + Self.sharedSpeakers(first, second)
            }
        }
        return found + sets.flatMap(Self.unknownSpeakers)
    }

    /// A set that is used in two roles, under whatever names.
    private static func sameSet(_ first: SetScan, _ second: SetScan) -> Finding {
        Finding(
            .contentOverlap, .error,
            set: second.set.name == first.set.name ? first.set.name : "\(first.set.name) & \(second.set.name)",
            "the \(first.role) set is the \(second.role) set, too: \(first.set.path)",
            fix: "give evaluate.sets a set that nothing is learned or chosen by")
    }

    private static func sharedContent(_ first: SetScan, _ second: SetScan) -> [Finding] {
        var owners: [AudioDigest: String] = [:]
        for (name, content) in first.contents { owners[content] = name }
        let shared = second.contents.compactMap { name, content in
            owners[content].map { "\(second.set.name)/\(name) = \(first.set.name)/\($0)" }
        }
        guard !shared.isEmpty else { return [] }
        let noisy = second.pairs.filter { pair in (try? pair.noisy.get().content).map { owners[$0] != nil } ?? false }
        let copied =
            noisy.count == second.pairs.count ? "every pair of \(second.set.name)" : "\(noisy.count) whole pairs"
        return [
            Finding(
                .contentOverlap, .error, set: "\(first.set.name) & \(second.set.name)",
                "\(shared.count) files are the same audio in both sets, \(copied) among them",
                fix: "make \(second.set.name) from speech that \(first.set.name) does not have", files: shared)
        ]
    }

    private static func sharedSpeakers(_ first: SetScan, _ second: SetScan) -> [Finding] {
        let known = Set(first.pairs.compactMap(\.file.speaker))
        let files = second.pairs.filter { $0.file.speaker.map(known.contains) ?? false }
        let speakers = Set(files.compactMap(\.file.speaker)).sorted()
        guard !speakers.isEmpty else { return [] }
        return [
            Finding(
                .speakerOverlap, .error, set: "\(first.set.name) & \(second.set.name)",
                "\(speakers.count == 1 ? "speaker" : "speakers") \(speakers.joined(separator: ", ")) in both sets",
                fix: "move all files of a speaker to one set, or waive this by name if the published split has it so",
                files: files.map { "\(second.set.name)/\($0.file.name)" })
        ]
    }

    private static func unknownSpeakers(_ scan: SetScan) -> [Finding] {
        let unknown = scan.pairs.filter { $0.file.speaker == nil }.map(\.file.name)
        guard !unknown.isEmpty else { return [] }
        return [
            Finding(
                .speakerUnknown, .note, set: scan.set.name, "the speaker of \(unknown.count) files is not known",
                fix: "add a manifest.csv with the columns file and speaker", files: unknown)
        ]
    }
}

extension SetScan {
    /// Whether both read one folder, and some file of it twice.
    fileprivate func isPart(of other: SetScan) -> Bool {
        func path(_ set: PairedSet) -> String { URL(fileURLWithPath: set.path).resolvingSymlinksInPath().path }
        return path(set) == path(other.set) && !Set(set.files.map(\.name)).isDisjoint(with: other.set.files.map(\.name))
    }

    /// The audio of both folders that is not digital silence, by name.
    fileprivate var contents: [(name: String, content: AudioDigest)] {
        pairs.flatMap { pair in
            [(set.layout.cleanFolder, pair.clean), (set.layout.noisyFolder, pair.noisy)].compactMap { folder, facts in
                guard let facts = try? facts.get(), facts.peak > 0 else { return nil }
                return ("\(folder)/\(pair.file.name)", facts.content)
            }
        }
    }
}
