public import Audio
public import Corpora
import SpecLanguage

/// How a corpus is made from recordings: a recipe file with all names looked up and all defaults filled in.
public struct Recipe: Sendable {
    /// The corpus's name, and that of its folder unless another is given.
    public var name: String
    /// One sentence about the corpus; may be empty.
    public var title: String
    /// The paper or script that the settings come from; may be empty.
    public var reference: String
    /// Hz.
    public var rate: Int
    /// How samples are stored in the WAV files: 16 or 24 bits, or 32-bit floats.
    public var encoding: SoundFile.Encoding
    /// Decides every random draw, together with the set's and the file's name.
    public var seed: UInt64
    /// The published recordings that it reads; empty for synthetic signals.
    public var sources: [Source]
    /// The sets that are made, in the order of the file.
    public var sets: [SetDeclaration]
    /// How long recordings are cut; `nil` leaves them whole.
    public var segmentLengths: SegmentLengths?
    /// Whether files are written without the subfolders of their source.
    public var isFlat: Bool
    /// Finds the speaker in a path; the rule of `PairedFile` if `nil`.
    let speakerPattern: Pattern?
    let law: any MixingLaw
    /// All settings, as they decide the audio.
    let settings: Settings

    /// Published recordings that a recipe reads.
    public struct Source: Hashable, Sendable {
        /// The name by which `--from NAME=FOLDER` gives its folder, and the first part of paths in the recipe.
        public var name: String
        /// Its folder, unless `--from` names another; `nil` where only `--from` can give it.
        public var path: String?
        /// What the recordings are.
        public var title: String
        /// Where they are published: an address, or a catalogue number.
        public var published: String
        /// How large the download is, in words.
        public var size: String
        /// Folders or files that it must hold.
        public var holds: [String]
    }

    /// Which recordings become a set.
    public struct SetDeclaration: Hashable, Sendable {
        /// The set's folder.
        public var name: String
        /// `source` or `source/folder`.
        public var speech: String?
        /// The noisy files of a corpus that was published in pairs, as `source` or `source/folder`.
        public var noisy: String?
        /// A table of the pairs, where their names do not match.
        public var table: String?
        /// A published table of the noise type and SNR of each file, as `source/file`.
        public var log: String?
        /// Glob patterns such as `*.CH1.wav`, of which a file must match one; empty takes all files.
        public var match: [String]
        /// Only recordings of these speakers; empty takes all of them.
        public var speakers: Set<String>
        /// No recordings of these speakers.
        public var excludedSpeakers: Set<String>
        /// Recordings whose path contains one of these are left out.
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
        /// s over which recordings, their noise and their reverberation fade in and out; `nil` fades only cut
        /// recordings.
        public var ramp: Double?
        /// Words in file names that identify the kind of a recording.
        public var kinds: [String]
        /// Parts of the range of SNRs that the recordings of a kind take in turn.
        public var snrParts: Int?
    }

    /// How long recordings are cut, in s.
    public struct SegmentLengths: Hashable, Sendable {
        /// Length of a segment in s.
        public var length: Double
        /// The shortest segment in s; a shorter remainder is not made.
        public var shortest: Double
        /// s over which each segment fades in and out.
        public var ramp: Double
    }

    /// The layout of the folders that it makes.
    public var layout: Layout { law.layout }
    /// The declaration with every default, as YAML.
    public var declaration: String { settings.map { "\($0.name): \($0.value.yaml)\n" }.joined() }

    /// The speaker of a recording, from its path below the folder of its set.
    func speaker(of path: String) -> String? {
        speakerPattern?.group(in: path) ?? PairedFile.speaker(inName: path)
    }
}

/// A regular expression that finds one group.
struct Pattern: Sendable {
    let text: String

    /// `nil` where the text is no regular expression, or has not exactly one group.
    init?(_ text: String) {
        // An empty alternative always matches, and its match has one output per group.
        guard (try? Regex(text)) != nil, let any = try? Regex("(?:\(text))|"), "".firstMatch(of: any)?.output.count == 2
        else { return nil }
        self.text = text
    }

    func group(in string: String) -> String? {
        guard let match = (try? Regex(text)).flatMap({ string.firstMatch(of: $0) }) else { return nil }
        return match.output[1].substring.map(String.init)
    }
}
