import Corpora
import Foundation
import SpecLanguage

/// How a corpus was made: the content of `recipe.json` in its folder.
public struct RecipeRecord: Codable, Hashable, Sendable {
    /// The record's name in the folder of the corpus.
    public static let fileName = "recipe.json"
    /// Raised whenever the same recipe would give other audio.
    static let version = 1

    /// A source as it was when the corpus was made.
    public struct Source: Codable, Hashable, Sendable {
        /// The source's name in the recipe.
        public var name: String
        /// Its folder or zip archive, as it was given; not part of the identity, since sources may be moved.
        public var folder: String
        /// Number of its sound files, those inside of archives included.
        public var files: Int
        /// Of the names and sizes of its files.
        public var digest: String
    }

    /// The recipe's name.
    public var recipe: String
    /// The version of the maker, which is raised whenever the same recipe would give other audio.
    public var version: Int
    /// The recipe with every default, as YAML.
    public var declaration: String
    /// The sources, in the order of the recipe.
    public var sources: [Source]
    /// Whether files that could not be read were left out.
    public var skipsBad: Bool
    /// Pairs by set.
    public var pairs: [String: Int] = [:]
    /// The digest of a text with a line for each pair, of all names and decoded samples.
    public var content = ""
    /// Number of samples that saturated, in clean and noisy files together.
    public var clippedSamples = 0
    /// Number of pairs in which at least one sample, clean or noisy, saturated.
    public var clippedFiles = 0
    /// Files that could not be read and were left out, each with the reason.
    public var skipped: [String] = []
    /// Sets with another number of files than a complete source gives, in words.
    public var incomplete: [String] = []

    init(
        _ recipe: Recipe, _ sources: [(name: String, folder: String, files: Int, digest: String)], skipsBad: Bool
    ) {
        self.recipe = recipe.name
        version = Self.version
        declaration = recipe.audioDeclaration + recipe.tableDigests + recipe.law.circumstances
        self.sources = sources.map { Source(name: $0.name, folder: $0.folder, files: $0.files, digest: $0.digest) }
        self.skipsBad = skipsBad
    }

    /// The record of a corpus; `nil` where its folder has none that a recipe wrote.
    public init?(in folder: String) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.fileName)"),
            let record = try? JSONDecoder().decode(Self.self, from: data)
        else { return nil }
        self = record
    }

    /// Equal for equal audio; the paths of the sources do not matter.
    var identity: String {
        let parts = [declaration, "\(version)", "\(skipsBad)"] + sources.map { "\($0.name) \($0.files) \($0.digest)" }
        return ContentHash(of: parts.joined(separator: "\n")).description
    }

    mutating func add(_ rows: [MadeRow], skipped: [String], incomplete: [String]) {
        let sorted = rows.sorted { ($0.set, $0.file) < ($1.set, $1.file) }
        content =
            AudioDigest(ofText: sorted.map { "\($0.set)\t\($0.file)\t\($0.clean)\t\($0.noisy)\n" }.joined()).description
        pairs = rows.reduce(into: [:]) { $0[$1.set, default: 0] += 1 }
        clippedSamples = rows.reduce(0) { $0 + $1.clipped }
        clippedFiles = rows.count { $0.clipped > 0 }
        (self.skipped, self.incomplete) = (skipped, incomplete)
    }

    /// What differs from the record that is wanted, in words.
    func differences(from wanted: RecipeRecord) -> [String] {
        let lines = Set(wanted.declaration.split(separator: "\n"))
        let settings = declaration.split(separator: "\n").filter { !lines.contains($0) }.map(String.init)
        let known = Set(wanted.sources.map { "\($0.name) \($0.digest)" })
        let changed = sources.filter { !known.contains("\($0.name) \($0.digest)") }.map {
            "other files in the source '\($0.name)'"
        }
        return settings + changed + (version == wanted.version ? [] : ["an earlier version of the recipes"])
    }

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return ((try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "") + "\n"
    }
}

extension Recipe {
    /// What the tables of pairs hold, a comment for each.
    fileprivate var tableDigests: String {
        Set(sets.compactMap(\.table)).sorted().map { path in
            let data = FileManager.default.contents(atPath: path) ?? Data()
            return "# \((path as NSString).lastPathComponent): \(ContentHash(ofBytes: data))\n"
        }.joined()
    }

    /// The settings that decide the audio, without titles and paths of sources.
    var audioDeclaration: String {
        let deciding = settings.filter { !["title", "reference", "sources", "extends"].contains($0.name) }
        return deciding.map { "\($0.name): \($0.value.withoutLaterSettings.yaml)\n" }.joined()
    }
}

extension SettingValue {
    /// The value without those settings of ``RecipeSchema/later`` that are not given.
    fileprivate var withoutLaterSettings: SettingValue {
        func reduced(_ settings: Settings) -> Settings {
            Settings(
                settings.filter { !RecipeSchema.later.contains($0.name) || !$0.value.isNothing }.map {
                    ($0.name, $0.value.withoutLaterSettings)
                })
        }
        switch self {
        case .list(let values): return .list(values.map(\.withoutLaterSettings))
        case .section(let settings): return .section(reduced(settings))
        case .choice(var choice):
            choice.settings = reduced(choice.settings)
            return .choice(choice)
        default: return self
        }
    }

    private var isNothing: Bool { self == .none || self == .list([]) }
}
