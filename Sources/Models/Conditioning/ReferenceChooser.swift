public import Audio
public import Corpora
import Foundation
import Kernels
public import Specs

/// Chooses the noise reference of each recording, by the mode that a spec or a command names.
///
/// Places and other files are drawn by (seed, recording), so that models and guidance scales share them.
public struct ReferenceChooser: Sendable {
    /// Mode, form and path, as the spec or the command gives them.
    public let reference: NoiseReferenceSpec
    /// Samples of a reference, at the rate of the recordings.
    public let count: Int
    /// Hz, of the recordings; a reference file of another rate is converted or refused, as the spec says.
    public let sampleRate: Int
    private let rates: RatePolicy
    private let seed: UInt64
    /// The set's files, for the modes that take another file's noise.
    private let files: [PairedFile]

    public init(
        _ reference: NoiseReferenceSpec, count: Int, sampleRate: Int, rates: RatePolicy = .convert, seed: UInt64 = 0,
        files: [PairedFile] = []
    ) {
        (self.reference, self.count, self.sampleRate) = (reference, count, sampleRate)
        (self.rates, self.seed, self.files) = (rates, seed, files)
    }

    /// A recording that needs a noise reference.
    public struct Recording: Sendable {
        /// The name that, with the seed, decides its random draws.
        public var id: String
        /// The noisy recording, at its own level.
        public var noisy: [Float]
        /// The clean speech, which oracle noise needs.
        public var clean: [Float]?
        /// Its row in the set, which holds its noise type.
        public var file: PairedFile?

        public init(id: String, noisy: [Float], clean: [Float]? = nil, file: PairedFile? = nil) {
            (self.id, self.noisy, self.clean, self.file) = (id, noisy, clean, file)
        }

        var noise: [Float]? { clean.map { clean in zip(noisy, clean).map { $0 - $1 } } }
        package var peak: Float { noisy.reduce(0) { max($0, abs($1)) } }
    }

    /// The reference of a recording, and where it came from.
    ///
    /// - Throws: `ReferenceError` where an input of the mode is missing; errors of reading audio.
    public func reference(for recording: Recording) throws -> (reference: NoiseReference, record: ReferenceRecord) {
        let stream = RandomStream(seed: seed, purpose: "reference/" + recording.id)
        switch reference.mode {
        case .zero: return (.zero, ReferenceRecord(mode: reference.label))
        case .none: return (.skipped, ReferenceRecord(mode: reference.label))
        case .oracle:
            return cut(try oracle(recording), at: stream)
        case .estimated:
            let method = NoiseSegmentRule(reference.by)
            return cut(
                recording.noisy, from: method.start(in: recording.noisy, count: count, sampleRate: sampleRate))
        case .start:
            return cut(recording.noisy, from: 0)
        case .random:
            let level = SegmentRule.level(try levelOfNoise(recording))
            let noise = stream.child(1).normals(count, standardDeviation: level)
            return (.segment(noise), record(noise, start: nil))
        case .mismatched:
            return try mismatched(recording, stream)
        case .file:
            return try cut(recorded(path()), at: stream, source: path())
        case .folder:
            let source = try recordingInFolder(recording, stream.child(2))
            return try cut(recorded(source), at: stream, source: source)
        }
    }

    // MARK: Sources

    private func oracle(_ recording: Recording) throws -> [Float] {
        if let noise = recording.noise { return noise }
        throw ReferenceError(
            mode: reference.label, reason: "needs the clean recording; estimated takes noise from y itself")
    }

    /// The noise that gives white noise its level: the file's own, or the estimate where the clean speech is not known.
    private func levelOfNoise(_ recording: Recording) throws -> [Float] {
        if let noise = recording.noise { return noise }
        let start = NoiseSegmentRule.quietest.start(in: recording.noisy, count: count, sampleRate: sampleRate)
        return Array(recording.noisy[start..<min(recording.noisy.count, start + count)])
    }

    /// Noise of another file, scaled by the ratio of this recording's peak to that file's peak.
    private func mismatched(
        _ recording: Recording, _ stream: RandomStream
    ) throws -> (reference: NoiseReference, record: ReferenceRecord) {
        var others = files.filter { $0.name != recording.file?.name }
        if reference.by == .noiseType {
            guard let own = recording.file?.entry?.noise else {
                throw ReferenceError(
                    mode: reference.label,
                    reason: "the set has no noise type for \(recording.id); by: file needs no types")
            }
            others = others.filter { $0.entry?.noise.map { $0 != own } ?? false }
        }
        guard !others.isEmpty else {
            throw ReferenceError(mode: reference.label, reason: "the set has no other file for \(recording.id)")
        }
        let other = others[stream.child(2).integer(0, below: others.count)]
        let (clean, noisy) = (try read(other.cleanPath), try read(other.noisyPath))
        let theirs = Recording(id: other.name, noisy: noisy, clean: clean)
        let gain = theirs.peak > 0 ? recording.peak / theirs.peak : 1
        return cut((theirs.noise ?? []).map { $0 * gain }, at: stream, source: other.noisyPath)
    }

    private func path() throws -> String {
        if let path = reference.path { return path }
        throw ReferenceError(mode: reference.label, reason: "needs a path")
    }

    private func recordingInFolder(_ recording: Recording, _ stream: RandomStream) throws -> String {
        let folder = try path()
        let sounds = try soundsOfFolder()
        let name = recording.file?.name ?? recording.id
        let own = sounds.first {
            $0 == name || ($0 as NSString).lastPathComponent == (name as NSString).lastPathComponent
        }
        return folder + "/" + (own ?? sounds[stream.integer(0, below: sounds.count)])
    }

    /// Reads all recordings that the reference names, and identifies them by their content.
    ///
    /// The digest of a folder is that of a text with a line for each recording, its name, a tab, and its digest.
    ///
    /// - Throws: `ReferenceError` where a recording cannot be used; errors of reading audio.
    package func recordings() throws -> AudioFingerprint {
        let path = try path()
        guard reference.mode == .folder else {
            let samples = try recorded(path)
            return AudioFingerprint(digest: AudioDigest(of: [samples]), earlier: ContentHash(of: samples))
        }
        var (text, hasher) = ("", ContentHasher())
        for name in try soundsOfFolder() {
            let samples = try recorded(path + "/" + name)
            text += "\(name)\t\(AudioDigest(of: [samples]).hex)\n"
            hasher.combine(name)
            hasher.combine(ContentHash(of: samples))
        }
        return AudioFingerprint(digest: AudioDigest(ofText: text), earlier: hasher.finish())
    }

    private func soundsOfFolder() throws -> [String] {
        let folder = try path()
        let sounds = try SoundFolder.files(in: folder)
        guard !sounds.isEmpty else {
            throw ReferenceError(mode: reference.label, reason: "\(folder) holds no recording")
        }
        return sounds
    }

    /// A recording of noise, which must hold a whole reference.
    private func recorded(_ path: String) throws -> [Float] {
        let noise = try read(path)
        guard noise.count >= count else {
            throw ReferenceError(
                mode: reference.label,
                reason: String(
                    format:
                        """
                        %@ holds %.3f s, a reference takes %.3f s: name a longer recording, or ask for a shorter \
                        reference
                        """,
                    path,
                    Double(noise.count) / Double(sampleRate), Double(count) / Double(sampleRate)))
        }
        guard SegmentRule.level(noise) > 0 else {
            throw ReferenceError(mode: reference.label, reason: "\(path) is silent")
        }
        return noise
    }

    private func read(_ path: String) throws -> [Float] {
        try SoundFile.readMono(path, at: sampleRate, rates)
    }

    // MARK: Cutting

    private func cut(
        _ noise: [Float], at stream: RandomStream, source: String? = nil
    ) -> (reference: NoiseReference, record: ReferenceRecord) {
        cut(noise, from: noise.count > count ? stream.integer(0, below: noise.count - count + 1) : 0, source: source)
    }

    private func cut(
        _ noise: [Float], from start: Int, source: String? = nil
    ) -> (reference: NoiseReference, record: ReferenceRecord) {
        let segment = SegmentRule.fitted(noise, to: count, from: noise.count > count ? start : 0)
        return (.segment(segment), record(segment, start: start, source: source))
    }

    private func record(_ samples: [Float], start: Int?, source: String? = nil) -> ReferenceRecord {
        ReferenceRecord(
            mode: reference.label, source: source, sampleRate: sampleRate, start: start, count: samples.count,
            level: SegmentRule.level(samples))
    }
}

extension SegmentRule {
    /// Root mean square.
    static func level(_ samples: [Float]) -> Double {
        guard !samples.isEmpty else { return 0 }
        return (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
    }
}
