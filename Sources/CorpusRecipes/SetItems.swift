import Audio
import Corpora
import Foundation
import Kernels
import Parallelism

/// A clean recording, or a piece of one, that pairs are made of.
struct Item: Sendable {
    var set: String
    /// The pair's name below the set's folders, ending in `.wav`.
    var name: String
    /// The clean file, and how the manifest calls it; none where the law makes speech itself.
    var recording: Recording?
    var label = ""
    var speaker: String?
    /// Which part of the recording, in s; all of it if `nil`.
    var piece: Range<Double>?
    /// Position in the set.
    var number: Int

    /// The clean file as messages name it.
    var path: String { recording?.path ?? label }

    /// The draws of the item, a function of the seed, the set and its name alone.
    func draws(seed: UInt64, _ purpose: String) -> Draws {
        Draws(RandomStream(seed: seed, purpose: "recipe \(purpose) \(set)/\(name)"))
    }
}

/// What a recipe is made of.
struct ItemList: Sendable {
    var items: [Item] = []
    /// Files that were left out since they cannot be read, with the reason.
    var skipped: [String] = []
    /// Sets with another number of files than a complete source gives.
    var incomplete: [String] = []
}

extension Recipe {
    /// The recordings of every set, in the order of their names.
    ///
    /// - Parameter skipsBad: Whether files that cannot be read are left out and counted, instead of an error.
    func items(_ sources: SourceFolders, skipsBad: Bool) throws -> ItemList {
        var list = ItemList()
        for set in sets {
            guard let speech = set.speech else { continue }
            let root = try sources.folder(speech)
            let table = try set.table.map { try PairTable(contentsOf: $0).rows.filter { $0.set == nil || $0.set == set.name } }
            let speakers = Dictionary((table ?? []).map { ($0.clean, $0.speaker) }) { first, _ in first }
            var files = try (table?.map(\.clean) ?? root.files()).filter { isTaken($0, by: set) }
            if let expected = set.expected, files.count != expected {
                list.incomplete.append("the set '\(set.name)' has \(files.count) of \(expected) files in \(root.path)")
            }
            let lengths = try readableLengths(of: files, in: root, skipsBad: skipsBad, &list)
            files = files.filter { lengths[$0].map { $0 >= set.shortest } ?? false }
            if let count = set.count {
                guard count <= files.count else {
                    throw CorpusError(root.path, .impossible("\(count) files are to be drawn for '\(set.name)', \(files.count) can be"))
                }
                let order = RandomStream(seed: seed, purpose: "recipe files \(set.name)").permutation(files.count)
                files = order.prefix(count).sorted().map { files[$0] }
            }
            guard !files.isEmpty else {
                throw CorpusError(root.path, .impossible("no recording for the set '\(set.name)' is there, as the recipe chooses them"))
            }
            list.items += try items(of: set, files, lengths, root: root, place: speech).map { item in
                var item = item
                item.speaker = (speakers[String(item.label.dropFirst(speech.count + 1))] ?? nil) ?? item.speaker
                return item
            }
        }
        return list
    }

    private func isTaken(_ file: String, by set: SetDeclaration) -> Bool {
        if !set.match.isEmpty, !Glob.matches(file, set.match) { return false }
        if set.excludedWords.contains(where: file.contains) { return false }
        guard !set.speakers.isEmpty || !set.excludedSpeakers.isEmpty else { return true }
        guard let speaker = speaker(of: file) else { return set.speakers.isEmpty }
        return !set.excludedSpeakers.contains(speaker) && (set.speakers.isEmpty || set.speakers.contains(speaker))
    }

    /// Seconds by file, for those that can be read.
    private func readableLengths(
        of files: [String], in root: RecordingFolder, skipsBad: Bool, _ list: inout ItemList
    ) throws -> [String: Double] {
        let headers = files.parallelMap(block: 64) { file in
            Result<SoundFile.Header, SoundFileError> { () throws(SoundFileError) in try root.header(of: file) }
        }
        var lengths: [String: Double] = [:]
        for (file, header) in zip(files, headers) {
            switch header {
            case .success(let header): lengths[file] = header.duration
            case .failure(let error):
                guard skipsBad else { throw error }
                list.skipped.append("\(error.path): \(error.summary)")
            }
        }
        return lengths
    }

    private func items(
        of set: SetDeclaration, _ files: [String], _ lengths: [String: Double], root: RecordingFolder, place: String
    ) throws(CorpusError) -> [Item] {
        var items: [Item] = []
        var taken: [String: String] = [:]
        for file in files {
            let stem = (file as NSString).deletingPathExtension
            let base = isFlat ? (stem as NSString).lastPathComponent : stem
            let parts = pieces?.parts(of: lengths[file] ?? 0) ?? [nil]
            for (index, part) in parts.enumerated() {
                let name = parts.count > 1 ? "\(base)_\(index + 1).wav" : "\(base).wav"
                if let other = taken.updateValue(file, forKey: name) {
                    throw CorpusError("\(root.path)/\(file)", .impossible("it would have the name \(name), as \(other) has"))
                }
                items.append(
                    Item(
                        set: set.name, name: name, recording: Recording(folder: root, name: file), label: "\(place)/\(file)", speaker: speaker(of: file),
                        piece: part, number: items.count))
            }
        }
        return items
    }
}

extension Recipe.Pieces {
    /// A recording long enough for two pieces is cut; what is left behind the last whole piece joins it where it is too short.
    ///
    /// - Returns: One `nil` for a recording that stays whole; nothing for one that is too short.
    func parts(of seconds: Double) -> [Range<Double>?] {
        guard seconds >= shortest else { return [] }
        guard seconds >= length + shortest else { return [nil] }
        var (start, parts) = (0.0, [Range<Double>?]())
        while seconds - start >= length + shortest {
            parts.append(start..<start + length)
            start += length
        }
        return parts + [start..<seconds]
    }
}
