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
    /// The clean file, and its name in the manifest; `nil` where the law generates the speech.
    var recording: Recording?
    var label = ""
    var speaker: String?
    /// Which part of the recording, in s; all of it if `nil`.
    var piece: Range<Double>?
    /// Position in the set.
    var number: Int
    /// s over which the recording fades in and out, and over which the noise or reverberation does.
    var ramp = 0.0, mixtureRamp = 0.0
    /// Which part of the range of SNRs it takes; all of it if `nil`.
    var snrPart: (index: Int, count: Int)?

    /// The clean file as messages name it.
    var path: String { recording?.path ?? label }

    /// The draws of the item, a function of the seed, the set and its name alone.
    func draws(seed: UInt64, _ purpose: String) -> Draws {
        Draws(RandomStream(seed: seed, purpose: "recipe \(purpose) \(set)/\(name)"))
    }
}

/// All items of a recipe.
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
            let table = try set.table.map {
                try PairTable(contentsOf: $0).rows.filter { $0.set == nil || $0.set == set.name }
            }
            let speakers = Dictionary((table ?? []).map { ($0.clean, $0.speaker) }) { first, _ in first }
            var files = try (table?.map(\.clean) ?? root.files()).filter { isTaken($0, by: set) }
            if let expected = set.expected, files.count != expected {
                list.incomplete.append("the set '\(set.name)' has \(files.count) of \(expected) files in \(root.path)")
            }
            let cuts = try cutList(of: set, sources, root, files: files, &list)
            if let cuts {
                let listed = Set(cuts.recordings)
                files = files.filter { listed.contains(($0 as NSString).deletingPathExtension) }
            }
            let headers = try readableHeaders(of: files, in: root, skipsBad: skipsBad, &list)
            files = files.filter { headers[$0].map { $0.duration >= set.shortest } ?? false }
            if let count = set.count {
                guard count <= files.count else {
                    throw CorpusError(
                        root.path,
                        .impossible("\(count) files are to be drawn for '\(set.name)', \(files.count) can be"))
                }
                let order = RandomStream(seed: seed, purpose: "recipe files \(set.name)").permutation(files.count)
                files = order.prefix(count).sorted().map { files[$0] }
            }
            guard !files.isEmpty else {
                throw CorpusError(
                    root.path,
                    .impossible("no recording for the set '\(set.name)' is there, as the recipe chooses them"))
            }
            list.items += try items(of: set, files, headers, cuts, root: root, place: speech).map { item in
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

    /// The cut list of a set; if recordings that it names are missing, the set is reported as incomplete.
    private func cutList(
        of set: SetDeclaration, _ sources: SourceFolders, _ root: RecordingFolder, files: [String],
        _ list: inout ItemList
    ) throws -> CutList? {
        guard let place = set.cuts else { return nil }
        guard let found = try sources.file(place) else {
            let advice = "the set '\(set.name)' takes the pieces that this list names; give the folder that holds it"
            throw CorpusError(sources.path(place), .notThere(advice))
        }
        let cuts = try CutList(found.data, path: found.path)
        let there = Set(files.map { ($0 as NSString).deletingPathExtension })
        let missing = cuts.recordings.filter { !there.contains($0) }
        if let first = missing.first {
            let count = "\(missing.count) of the \(cuts.recordings.count) recordings"
            list.incomplete.append("\(count) that \(found.path) names are not in \(root.path), \(first) first")
        }
        return cuts
    }

    /// Headers by file, for those that can be read.
    private func readableHeaders(
        of files: [String], in root: RecordingFolder, skipsBad: Bool, _ list: inout ItemList
    ) throws -> [String: SoundFile.Header] {
        let headers = files.parallelMap(block: 64) { file in
            Result<SoundFile.Header, SoundFileError> { () throws(SoundFileError) in try root.header(of: file) }
        }
        var found: [String: SoundFile.Header] = [:]
        for (file, header) in zip(files, headers) {
            switch header {
            case .success(let header): found[file] = header
            case .failure(let error):
                guard skipsBad else { throw error }
                list.skipped.append("\(error.path): \(error.summary)")
            }
        }
        return found
    }

    private func items(
        of set: SetDeclaration, _ files: [String], _ headers: [String: SoundFile.Header], _ cuts: CutList?,
        root: RecordingFolder, place: String
    ) throws(CorpusError) -> [Item] {
        var items: [Item] = []
        var taken: [String: String] = [:]
        for file in files {
            let stem = (file as NSString).deletingPathExtension
            let base = isFlat ? (stem as NSString).lastPathComponent : stem
            guard let header = headers[file] else { continue }
            let all = try cuts?.parts(of: file, header) ?? segmentLengths?.parts(of: header.duration) ?? [nil]
            let parts = all.filter { part in
                set.longest.map { (part.map { $0.upperBound - $0.lowerBound } ?? header.duration) <= $0 } ?? true
            }
            for (index, part) in parts.enumerated() {
                let name = parts.count > 1 ? "\(base)_\(index + 1).wav" : "\(base).wav"
                if let other = taken.updateValue(file, forKey: name) {
                    throw CorpusError(
                        "\(root.path)/\(file)", .impossible("it would have the name \(name), as \(other) has"))
                }
                items.append(
                    Item(
                        set: set.name, name: name, recording: Recording(folder: root, name: file),
                        label: "\(place)/\(file)", speaker: speaker(of: file),
                        piece: part, number: items.count,
                        ramp: set.ramp ?? (part == nil ? 0 : segmentLengths?.ramp ?? 0),
                        mixtureRamp: set.ramp ?? 0))
            }
        }
        return set.snrParts.map { balanced(items, over: $0, by: set.kinds) } ?? items
    }

    /// The items with parts of the range of SNRs, which those of one kind take in turn, in a drawn order.
    ///
    /// The kind is the first of the words that a recording's file name holds; recordings of none have the whole range.
    private func balanced(_ items: [Item], over parts: Int, by kinds: [String]) -> [Item] {
        var items = items
        let places = Dictionary(grouping: items.indices) { index in
            let name = (items[index].label as NSString).lastPathComponent.lowercased()
            return kinds.first { name.contains($0.lowercased()) }
        }
        for (kind, members) in places {
            guard let kind, let set = items.first?.set else { continue }
            let order = RandomStream(seed: seed, purpose: "recipe balance \(set) \(kind)").permutation(members.count)
            for (turn, place) in order.enumerated() { items[members[place]].snrPart = (turn % parts, parts) }
        }
        return items
    }
}

extension Recipe.SegmentLengths {
    /// A recording long enough for two segments is cut; a remainder that is too short is joined to the last segment.
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
