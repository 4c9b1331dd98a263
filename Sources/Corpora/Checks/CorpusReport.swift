import AtomicFiles
import Audio
import Foundation
public import Parallelism

/// The result of a full check of a corpus: every pair is compared, every recording fingerprinted.
public struct CorpusReport: Codable, Hashable, Sendable {
    /// Raised whenever the same audio may give other findings, so that cached reports are not used.
    static let version = 1

    /// Size, duration and SNRs of one set.
    public struct SetDigest: Codable, Hashable, Sendable {
        /// The set's folder name, such as `test-ood-5dB`.
        public var name: String
        /// `training`, `validation` or `test`; see ``SetRole``.
        public var role: String
        /// Number of pairs, unreadable ones included.
        public var pairs: Int
        /// Duration of the noisy files, in hours; unreadable files count as 0.
        public var hours: Double
        /// Number of pairs by measured SNR, in bins of 5 dB; the key is a bin's lower end in dB. Empty for
        /// dereverberation, where noisy minus clean is no noise.
        public var snrs: [Int: Int]
        /// Median of the measured SNRs, in dB; `nil` where none was measured.
        public var medianSNR: Double?
    }

    /// A hash of the names, sizes and modification times of all files, and of the expected rate and roles.
    var stamp: String
    /// The expected sample rate in Hz: the one asked for, or else that of most files.
    public var sampleRate: Int
    /// In the order in which the sets were given.
    public var sets: [SetDigest]
    /// All findings of every rule, over all sets.
    public var findings: [Finding]

    /// Whether a finding is an error, which stops a run unless the spec waives its code.
    public var hasErrors: Bool { findings.contains { $0.severity == .error } }

    /// The highest severity among the findings of a rule; `nil` where it has none.
    public func verdict(on code: Finding.Code) -> Finding.Severity? {
        findings.filter { $0.code == code }.map(\.severity).max()
    }

    /// The rules that a check of audio applies, in the order of the report; the other codes concern specs.
    public static let rules: [Finding.Code] = [
        .unreadable, .notFinite, .empty, .pairing, .rate, .channels, .length, .silence, .clipping, .dc, .unprocessed,
        .alignment,
        .exchange, .level, .snr, .contentOverlap, .nearDuplicate, .duplicate, .speakerOverlap, .speakerUnknown,
        .manifest,
    ]

    /// What each rule is about, in a few words.
    public static func title(of rule: Finding.Code) -> String {
        switch rule {
        case .unreadable: "files can be read whole"
        case .notFinite: "samples are finite"
        case .empty: "sets have pairs"
        case .pairing: "every file has a partner"
        case .rate: "one sample rate"
        case .channels: "one channel"
        case .length: "both files of a pair are equally long"
        case .silence: "no file is silent"
        case .clipping: "no flat tops at full scale"
        case .dc: "samples have no mean"
        case .unprocessed: "noisy differs from clean"
        case .alignment: "no file of a pair is late"
        case .exchange: "clean and noisy are not exchanged"
        case .level: "speech has one level in both files"
        case .snr: "the noisy file is the clean one in noise"
        case .contentOverlap: "no audio in two splits"
        case .nearDuplicate: "no copy of a recording in two splits"
        case .duplicate: "no audio twice in a set"
        case .speakerOverlap: "no speaker in two splits"
        case .speakerUnknown: "speakers are known"
        case .manifest: "manifest and files agree"
        default: rule.rawValue
        }
    }

    // MARK: Reading

    /// Checks sets as what they are used for.
    ///
    /// - Parameters:
    ///   - sampleRate: What is expected; what most files have, if `nil`.
    ///   - cachePath: Where the report of unchanged files is kept; nowhere if `nil`.
    ///   - observe: Called with the number of pairs that were read.
    /// - Throws: `Interrupted`.
    public init(
        on sets: [(set: PairedSet, role: SetRole)], sampleRate: Int? = nil, cachePath: String? = nil,
        interruption: Interruption = Interruption(), observe: @Sendable (Int) -> Void = { _ in }
    ) throws {
        let stamp = Self.stamp(sets, sampleRate)
        if let cachePath, let known = Self(cachedAt: cachePath), known.stamp == stamp {
            self = known
            return
        }
        let examined = try CorpusExamination(sets, interruption: interruption, observe: observe)
        let rate = sampleRate ?? examined.commonRate ?? 16_000
        self.init(
            stamp: stamp, sampleRate: rate, sets: examined.digests,
            findings: try examined.findings(sampleRate: rate, interruption: interruption))
        // A report that cannot be kept is made again.
        if let cachePath, let data = try? JSONEncoder().encode(self) {
            try? PendingFile.write(data, to: cachePath, isDurable: false)
        }
    }

    private init(stamp: String, sampleRate: Int, sets: [SetDigest], findings: [Finding]) {
        (self.stamp, self.sampleRate, self.sets, self.findings) = (stamp, sampleRate, sets, findings)
    }

    private init?(cachedAt path: String) {
        guard let data = FileManager.default.contents(atPath: path),
            let report = try? JSONDecoder().decode(Self.self, from: data)
        else { return nil }
        self = report
    }

    private static func stamp(_ sets: [(set: PairedSet, role: SetRole)], _ sampleRate: Int?) -> String {
        let parts = sets.map { set, role in
            var hasher = ContentHasher()
            hasher.combine("\(set.name) \(role) \(set.layout)")
            let manifest = "\(set.path)/\(Manifest.fileName)"
            for path in set.files.flatMap({ [$0.cleanPath, $0.noisyPath] }) + [manifest] {
                hasher.combine(path)
                guard let key = FactsCache.Key(path) else { continue }
                hasher.combine(UInt64(key.size))
                hasher.combine(UInt64(bitPattern: Int64(key.modified)))
            }
            for name in set.unpaired + set.strayEntries { hasher.combine(name) }
            return hasher.finish().description
        }
        return ContentHash(of: "\(version) \(sampleRate ?? 0) \(parts)").description
    }
}
