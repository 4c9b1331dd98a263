import Audio
import Corpora
import Foundation
import Kernels
import Parallelism

/// A proposal for the pairs, sets and sample rate of the user's own folders, which the user may correct.
public struct FolderProposal: Sendable {
    /// A clean and a noisy file that were matched by their names.
    public struct Pair: Hashable, Sendable {
        /// The proposed set: `train`, `valid` or `test`.
        public var set: String
        /// Below the folder.
        public var clean, noisy: String
        /// The speaker that the file's path states; `nil` where it states none.
        public var speaker: String?
    }

    /// The folder that was scanned.
    public var folder: String
    /// In the order of the clean files.
    public private(set) var pairs: [Pair] = []
    /// Files without a partner.
    public private(set) var unpaired: [String] = []
    /// Files that are neither clean nor noisy, as noise alone.
    public private(set) var others = 0
    /// The proposed sample rate in Hz.
    public private(set) var rate = 16_000
    /// Number of files by sample rate in Hz.
    public private(set) var rates: [Int: Int] = [:]
    /// How the pairs were found and the sets made, in sentences.
    public private(set) var remarks: [String] = []

    /// Scans a folder and matches its files.
    ///
    /// - Throws: `CorpusError` where it holds no pairs.
    public init(of folder: String) throws {
        self.folder = folder
        let all = try SoundFolder.files(in: folder)
        guard !all.isEmpty else { throw CorpusError(folder, .impossible("it holds no .wav or .flac file")) }
        var files = all.compactMap(FoundFile.init)
        others = all.count - files.count
        if !files.contains(where: { $0.isClean == true }) || !files.contains(where: { $0.isClean == false }) {
            try guessRoles(&files)
        }
        pair(files)
        guard !pairs.isEmpty else { throw CorpusError(folder, .impossible(Self.advice(files))) }
        let unknown = files.count { $0.isClean == nil }
        if unknown > 0 {
            remarks.append("\(unknown) files are neither clean nor noisy by any word in their paths, and are left out")
        }
        if others > 0 { remarks.append("\(others) files of noise or responses alone are left out") }
        try measureRates()
        // Without a training set, the sets that the folders state are no split.
        if !pairs.contains(where: { $0.set == "train" }) { for index in pairs.indices { pairs[index].set = "" } }
        split()
    }

    private static func advice(_ files: [FoundFile]) -> String {
        let (clean, noisy) = (files.count { $0.isClean == true }, files.count { $0.isClean == false })
        return
            "no pairs were found: \(clean) files are clean and \(noisy) noisy by their paths; name folders or files "
            + "with 'clean' and 'noisy', or make noisy files with sgmse data make ood-mixtures --from clean=FOLDER "
            + "--from noise=FOLDER"
    }

    // MARK: Pairs

    private mutating func pair(_ files: [FoundFile]) {
        var rules: [PairingRule: Int] = [:]
        for set in Set(files.map(\.set)).sorted(by: { ($0 ?? "") < ($1 ?? "") }) {
            let clean = files.filter { $0.set == set && $0.isClean == true }
            let noisy = files.filter { $0.set == set && $0.isClean == false }
            let byRest = Dictionary(clean.map { ($0.rest, $0.path) }) { first, _ in first }
            var (taken, paired): (Set<String>, Set<String>) = ([], [])
            for rule in [PairingRule.name, .fileID, .role] {
                let index = NameIndex(byRest.keys.filter { !taken.contains($0) }, by: [rule])
                for file in noisy where !paired.contains(file.path) {
                    guard let partner = index.partner(of: file.rest), let path = byRest[partner.name],
                        taken.insert(partner.name).inserted
                    else { continue }
                    paired.insert(file.path)
                    pairs.append(
                        Pair(
                            set: set ?? "", clean: path, noisy: file.path,
                            speaker: PairedFile.speaker(inName: file.rest)))
                    rules[rule, default: 0] += 1
                }
                if taken.count == byRest.count { break }
            }
        }
        pairs.sort { $0.clean.utf8.lexicographicallyPrecedes($1.clean.utf8) }
        let paired = Set(pairs.flatMap { [$0.clean, $0.noisy] })
        unpaired = files.filter { $0.isClean != nil && !paired.contains($0.path) }.map(\.path)
        for (rule, count) in rules.sorted(by: { $0.value > $1.value }) {
            remarks.append("\(count) pairs by \(rule.title)")
        }
    }

    /// Without words for the roles: of two folders with equal file names inside, the one with louder pauses is noisy.
    private mutating func guessRoles(_ files: inout [FoundFile]) throws {
        let top = Dictionary(grouping: files.indices.filter { files[$0].rest.contains("/") }) {
            files[$0].rest.prefix { $0 != "/" }
        }
        guard top.count == 2 else { return }
        let names = top.keys.sorted()
        func inner(_ index: Int) -> String { String(files[index].rest.drop { $0 != "/" }.dropFirst()) }
        let second = Dictionary((top[names[1]] ?? []).map { ("\(files[$0].set ?? "")/\(inner($0))", $0) }) { first, _ in
            first
        }
        let common = (top[names[0]] ?? []).compactMap { index in
            second["\(files[index].set ?? "")/\(inner(index))"].map { (index, $0) }
        }
        let alignments = PairAlignment.sample(
            of: common.map { (files[$0.0].path, "\(folder)/\(files[$0.0].path)", "\(folder)/\(files[$0.1].path)") })
        let floors = alignments.filter(\.alignment.isCertain).map(\.alignment.floor).sorted()
        guard !floors.isEmpty else { return }
        let firstIsClean = floors[floors.count / 2] >= 0
        for (place, name) in names.enumerated() {
            for index in top[name] ?? [] {
                files[index].isClean = (place == 0) == firstIsClean
                files[index].rest = inner(index)
            }
        }
        let (clean, noisy) = firstIsClean ? (names[0], names[1]) : (names[1], names[0])
        remarks.append(
            """
            '\(noisy)' is taken as noisy and '\(clean)' as clean: its pauses are louder (\(floors.count) pairs \
            compared)
            """
        )
    }

    // MARK: Rate and sets

    private mutating func measureRates() throws {
        let headers = pairs.flatMap { [$0.clean, $0.noisy] }.parallelMap(block: 64) { [folder] in
            try? SoundFile.header(of: "\(folder)/\($0)")
        }
        rates = headers.compactMap { $0?.sampleRate }.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        let broken = headers.count { $0 == nil }
        if broken > 0 {
            remarks.append(
                "\(broken) files cannot be read; sgmse data make names them, and leaves them out with --skip-bad")
        }
        let most = rates.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 16_000
        rate = most == 48_000 && rates.count == 1 ? 48_000 : most < 16_000 ? 8000 : 16_000
    }

    /// Takes missing sets from the training files, a tenth for each: by speaker where speakers are known, else by file.
    private mutating func split() {
        let missing = ["valid", "test"].filter { name in !pairs.contains { $0.set == name } }
        for index in pairs.indices where pairs[index].set.isEmpty { pairs[index].set = "train" }
        let pool = pairs.indices.filter { pairs[$0].set == "train" }
        let speakers = Set(pool.compactMap { pairs[$0].speaker }).sorted()
        let isBySpeaker = speakers.count > missing.count && pool.allSatisfy { pairs[$0].speaker != nil }
        let groups = isBySpeaker ? speakers : pool.map { pairs[$0].clean }
        guard !missing.isEmpty, groups.count > missing.count else { return }
        let order = RandomStream(seed: 0, purpose: "init sets").permutation(groups.count).map { groups[$0] }
        let share = max(1, groups.count / 10)
        for (place, set) in missing.enumerated() {
            let chosen = Set(order.dropFirst(place * share).prefix(share))
            for index in pool where chosen.contains(isBySpeaker ? pairs[index].speaker ?? "" : pairs[index].clean) {
                pairs[index].set = set
            }
            let who = isBySpeaker ? "the speakers \(chosen.sorted().joined(separator: ", "))" : "\(chosen.count) files"
            remarks.append("the set '\(set)' is made of \(who)")
        }
        if !isBySpeaker {
            remarks.append(
                "the speakers are not known: one may be in several sets; correct pairs.csv where you know more")
        }
    }

    // MARK: What is written

    /// The pairs as a table with the columns `set`, `clean`, `noisy`, `speaker`.
    public var table: String {
        let rows = pairs.map { [$0.set, $0.clean, $0.noisy, $0.speaker ?? ""] }
        return ([["set", "clean", "noisy", "speaker"]] + rows).map { $0.map(CSV.quoted).joined(separator: ",") + "\n" }
            .joined()
    }

    /// The names of the sets, training first.
    public var sets: [String] { ["train", "valid", "test"].filter { name in pairs.contains { $0.set == name } } }
}
