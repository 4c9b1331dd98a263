/// A property of the data or the spec that would make results wrong or not comparable.
public struct Finding: Hashable, Sendable, Codable, CustomStringConvertible {
    /// What kind of finding; the raw value is the name by which a spec waives it.
    public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        /// Files of another sample rate than the spec's.
        case rate
        /// A file without a partner.
        case pairing
        /// Clean and noisy file of different length.
        case length
        /// More than one channel.
        case channels
        /// A file without sound.
        case silence
        /// Flat tops at full scale.
        case clipping
        /// Samples whose mean is far from zero.
        case dc
        /// A noisy file that is nearly clean, or of another recording than the clean file.
        case snr
        /// Samples that are NaN or infinite.
        case notFinite = "not-finite"
        /// A file that cannot be read, is empty, or is cut short.
        case unreadable
        /// Noisy and clean file are the same audio.
        case unprocessed
        /// One file of a pair is late or early against the other.
        case alignment
        /// The folders seem to hold each other's files.
        case exchange
        /// The speech in the noisy file has another level than the clean file.
        case level
        /// The same audio in sets of different roles.
        case contentOverlap = "content-overlap"
        /// The same recording in sets of different roles, at another level, trimmed, resampled or coded anew.
        case nearDuplicate = "near-duplicate"
        /// The same audio twice in one set.
        case duplicate
        /// The same speaker in sets of different roles.
        case speakerOverlap = "speaker-overlap"
        /// Files whose speaker is not known, so that overlap cannot be excluded.
        case speakerUnknown = "speaker-unknown"
        /// Manifest and files do not match.
        case manifest
        /// A set without pairs.
        case empty

        // Differences between training and evaluation, found in the spec before any audio is read.
        /// No evaluation gives a noise reference of the length that training did.
        case referenceLength = "reference-length"
        /// Evaluation gives an empty noise reference, which training never used.
        case unseenReference = "unseen-reference"
        /// Frames are padded differently from the network's authors.
        case padding
        /// Crops are divided by another level than recordings.
        case normalization
        /// Validation takes other steps than any evaluation.
        case validationSteps = "validation-steps"
        /// Validation scores averaged weights, evaluation uses raw ones.
        case rawWeights = "raw-weights"
        /// Checkpoints that were not chosen by validation, or chosen differently by runs of one spec.
        case checkpointChoice = "checkpoint-choice"

        /// Whether a spec can waive it, so that the run continues.
        public var isWaivable: Bool { ![.channels, .notFinite, .unreadable, .empty].contains(self) }
    }

    /// An error stops a run unless its code is waived.
    public enum Severity: String, Hashable, Sendable, Codable, Comparable {
        case note, warning, error

        private var rank: Int { self == .note ? 0 : self == .warning ? 1 : 2 }
        /// A note is less than a warning, a warning less than an error.
        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    /// Which rule found it; a spec waives findings by this code.
    public var code: Code
    /// An error stops a run unless the spec waives the code; a warning and a note are only printed.
    public var severity: Severity
    /// The set, or the two sets as `train & test`.
    public var set: String
    /// What was found.
    public var message: String
    /// What to do about it.
    public var fix: String
    /// The files concerned, all of them, as `folder/name` or `name`.
    public var files: [String]

    public init(_ code: Code, _ severity: Severity, set: String, _ message: String, fix: String, files: [String] = []) {
        self.code = code
        self.severity = severity
        self.set = set
        self.message = message
        self.fix = fix
        self.files = files
    }

    public var description: String {
        let shown = files.prefix(5).joined(separator: ", ") + (files.count > 5 ? ", ... (\(files.count) in all)" : "")
        return "\(severity.rawValue)[\(code.rawValue)] \(set): \(message)\n  fix: \(fix)"
            + (files.isEmpty ? "" : "\n  files: \(shown)")
    }
}
