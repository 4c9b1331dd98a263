public import Audio
import Foundation
import SystemCalls

/// One set of a corpus, such as `test`: its pairs in the order of their names.
public struct PairedSet: Hashable, Sendable {
    /// The folder's name, such as `test-ood-5dB`.
    public var name: String
    /// The folder that holds the clean and the noisy folder.
    public var path: String
    /// Which folders hold the pairs: `clean` and `noisy`, or `anechoic` and `reverb`.
    public var layout: Layout
    /// Sorted by name, byte by byte.
    public var files: [PairedFile]
    /// Files without a partner, as `folder/name`.
    public var unpaired: [String]
    /// Rows of the manifest that name no pair.
    public var strayEntries: [String]
    /// Pairs of different names, by the rule that made them.
    public var ruled: [PairingRule: [String]] = [:]

    /// Finds the pairs below `path/clean` and `path/noisy` (or `anechoic` and `reverb`), nested folders included, and
    /// joins `path/manifest.csv` if there is one.
    ///
    /// A pair has one name, or names that a rule of `NameIndex` brings together; it then goes by the noisy file's.
    ///
    /// - Parameter layout: The layout that is looked for; the first one found if `nil`.
    /// - Throws: ``CorpusError``, if the folders are missing or the manifest is not a table.
    public init(at path: String, name: String? = nil, layout only: Layout? = nil) throws(CorpusError) {
        guard FileManager.default.fileExists(atPath: path) else { throw CorpusError(path, .missingFolder) }
        guard let layout = Self.layout(of: path, only) else { throw CorpusError(path, .noSets) }
        let (cleanRoot, noisyRoot) = ("\(path)/\(layout.cleanFolder)", "\(path)/\(layout.noisyFolder)")
        let clean = try SoundFolder.files(in: cleanRoot)
        let noisy = try SoundFolder.files(in: noisyRoot)
        var manifest = try Manifest(contentsOf: "\(path)/\(Manifest.fileName)")
        let pairs = Self.pairs(clean, noisy)

        self.name = name ?? URL(fileURLWithPath: path).lastPathComponent
        self.path = path
        self.layout = layout
        files = pairs.map { pair in
            PairedFile(
                name: pair.name, cleanPath: "\(cleanRoot)/\(pair.clean)", noisyPath: "\(noisyRoot)/\(pair.noisy)",
                entry: manifest?.take(pair.name) ?? manifest?.take(pair.clean))
        }
        for pair in pairs where pair.rule != .name {
            ruled[pair.rule, default: []].append("\(pair.noisy) with \(pair.clean)")
        }
        let (usedClean, usedNoisy) = (Set(pairs.map(\.clean)), Set(pairs.map(\.noisy)))
        unpaired =
            clean.filter { !usedClean.contains($0) }.map { "\(layout.cleanFolder)/\($0)" }
            + noisy.filter { !usedNoisy.contains($0) }.map { "\(layout.noisyFolder)/\($0)" }
        strayEntries = manifest.map { $0.entries.keys.sorted() } ?? []
    }

    private struct Pair {
        var name, clean, noisy: String
        var rule: PairingRule
    }

    /// One clean file for each noisy one, in the order of the pairs' names.
    ///
    /// Rules by parts of names are not applied: they are not reliable enough for training pairs.
    private static func pairs(_ clean: [String], _ noisy: [String]) -> [Pair] {
        var pairs: [Pair] = []
        for rules in [[PairingRule.name], [.fileID, .role]] {
            var (taken, paired) = (Set(pairs.map(\.clean)), Set(pairs.map(\.noisy)))
            guard taken.count < clean.count, paired.count < noisy.count else { break }
            let index = NameIndex(clean.filter { !taken.contains($0) }, by: rules)
            for name in noisy where !paired.contains(name) {
                guard let (partner, rule) = index.partner(of: name), taken.insert(partner).inserted else { continue }
                paired.insert(name)
                pairs.append(Pair(name: rule == .name ? partner : name, clean: partner, noisy: name, rule: rule))
            }
        }
        return pairs.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// The layout of a folder, if it has both subfolders of one.
    static func layout(of path: String, _ only: Layout? = nil) -> Layout? {
        (only.map { [$0] } ?? Layout.allCases).first { layout in
            [layout.cleanFolder, layout.noisyFolder].allSatisfy { POSIX.isFolder("\(path)/\($0)") }
        }
    }
}
