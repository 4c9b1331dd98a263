public import Audio
public import Corpora
import SpecLanguage

/// How a corpus is made from recordings: a declaration whose names were looked up and whose defaults were filled in.
public struct Recipe: Sendable {
    public var name: String
    public var title: String
    public var reference: String
    /// Hz.
    public var rate: Int
    public var encoding: SoundFile.Encoding
    public var seed: UInt64
    public var sources: [Source]
    public var sets: [SetDeclaration]
    public var pieces: Pieces?
    /// Whether files lose the folders that they lie in.
    public var isFlat: Bool
    /// Finds the speaker in a path; the rule of `PairedFile` if `nil`.
    let speakerPattern: Pattern?
    let law: any MixingLaw
    /// All settings, as they decide the audio.
    let settings: Settings

    /// Recordings that somebody else published.
    public struct Source: Hashable, Sendable {
        public var name: String
        public var path: String?
        public var title: String
        public var published: String
        public var size: String
        /// Folders or files that it must hold.
        public var holds: [String]
    }

    /// Which recordings become a set.
    public struct SetDeclaration: Hashable, Sendable {
        public var name: String
        /// `source` or `source/folder`.
        public var speech: String?
        public var noisy: String?
        /// A table of the pairs, where names do not tell them.
        public var table: String?
        public var log: String?
        public var match: [String]
        public var speakers: Set<String>
        public var excludedSpeakers: Set<String>
        public var excludedWords: [String]
        public var count: Int?
        /// How many files a complete source gives.
        public var expected: Int?
        /// s.
        public var shortest: Double
        /// A list of pieces, as `source/file`.
        public var cuts: String?
        /// s.
        public var longest: Double?
        public var ramp: Double?
        /// Words that tell the kind of a recording.
        public var kinds: [String]
        /// Parts of the range of SNRs that the recordings of a kind take in turn.
        public var snrParts: Int?
    }

    /// How long recordings are cut, in s.
    public struct Pieces: Hashable, Sendable {
        public var length: Double
        public var shortest: Double
        public var ramp: Double
    }

    /// The layout of the folders that it makes.
    public var layout: Layout { law.layout }
    /// The declaration with every default, as YAML.
    public var declaration: String { settings.map { "\($0.name): \($0.value.yaml)\n" }.joined() }

    /// Who speaks in a recording, by its path below the folder of its set.
    func speaker(of path: String) -> String? {
        speakerPattern?.group(in: path) ?? PairedFile.speaker(inName: path)
    }
}

/// A regular expression that finds one group.
struct Pattern: Sendable {
    let text: String

    /// `nil` where the text is no regular expression, or has not exactly one group.
    init?(_ text: String) {
        // An alternative that matches nothing tells how many groups there are.
        guard (try? Regex(text)) != nil, let any = try? Regex("(?:\(text))|"), "".firstMatch(of: any)?.output.count == 2
        else { return nil }
        self.text = text
    }

    func group(in string: String) -> String? {
        guard let match = (try? Regex(text)).flatMap({ string.firstMatch(of: $0) }) else { return nil }
        return match.output[1].substring.map(String.init)
    }
}
