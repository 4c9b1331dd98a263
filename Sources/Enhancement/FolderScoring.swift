import Audio
public import Corpora
import Foundation
public import Parallelism
public import SpeechMetrics

/// Scores folders of files that need not come from a run: clean, enhanced, and noisy files where given.
///
/// Pairs are made by `FileMatching`. A `manifest.csv` in the noisy or clean folder, or beside one, says of each pair
/// the type of its noise and its SNR, which become the labels `noise` and `snr` of its scores.
public struct FolderScoring: Sendable {
    /// Which signal is scored as the enhanced one.
    public enum System: String, Sendable, Hashable, CaseIterable {
        /// The unprocessed input: the anchor.
        case noisy
        case enhanced
    }

    /// Which files belong together, and which have no partner.
    public let matching: FileMatching
    private let (clean, noisy, enhanced): (String, String?, String)
    private let fitting: OutputFitting
    /// By enhanced file.
    private let labels: [String: [String: String]]

    /// - Throws: `CorpusError` where a folder is missing, or a manifest is no table.
    public init(clean: String, noisy: String?, enhanced: String, fitting: OutputFitting = []) throws(CorpusError) {
        (self.clean, self.noisy, self.enhanced, self.fitting) = (clean, noisy, enhanced, fitting)
        let cleanFiles = try SoundFolder.files(in: clean)
        var noisyFiles: [String]?
        if let noisy { noisyFiles = try SoundFolder.files(in: noisy) }
        let matching = FileMatching(enhanced: try SoundFolder.files(in: enhanced), clean: cleanFiles, noisy: noisyFiles)
        let manifest = try Self.manifest(in: [noisy, clean].compactMap(\.self))
        self.matching = matching
        labels = manifest.map { Self.labels(of: matching.matches, in: $0) } ?? [:]
    }

    /// The scores of every pair that has the system's signal, in the order of the enhanced files.
    ///
    /// - Throws: `Interrupted`.
    public func scores(
        of system: System, by batch: MetricBatch, interruption: Interruption = Interruption(),
        observe: (FolderProgress) -> Void = { _ in }
    ) throws -> [ItemScores] {
        let items = matching.matches.filter { system == .enhanced || $0.noisy != nil }.map { item($0, system) }
        var scores: [Int: ItemScores] = [:]
        let start = ContinuousClock.now
        try WorkQueue.run(count: items.count, interruption: interruption) { index in
            batch.scores(of: items[index])
        } done: { index, outcome in
            scores[index] = outcome
            observe(
                FolderProgress(system.rawValue, file: outcome.name, done: scores.count, of: items.count, since: start))
        }
        return items.indices.compactMap { scores[$0] }
    }

    /// Files that were written to a pipe, as `folder/name`: their headers state no length, and they are read to their
    /// end.
    public func openEndedFiles() -> [String] {
        var files: [String] = []
        for match in matching.matches {
            files.append("\(clean)/\(match.clean)")
            if let noisy, let name = match.noisy { files.append("\(noisy)/\(name)") }
            files.append("\(enhanced)/\(match.enhanced)")
        }
        return files.filter { (try? SoundFile.header(of: $0).isOpenEnded) ?? false }
    }

    /// What some of the pairs show of each other: noisy files that do not fit the clean ones, and outputs that are
    /// late.
    public func alignmentRemarks() -> [String] {
        let matches = matching.matches
        var remarks: [String] = []
        if let noisy {
            let pairs = matches.compactMap { match in
                match.noisy.map { (match.enhanced, "\(clean)/\(match.clean)", "\(noisy)/\($0)") }
            }
            remarks = PairAlignment.sample(of: pairs).findings(set: noisy, layout: .denoising).map {
                "\($0.message); \($0.fix)"
            }
        }
        let outputs = matches.map { ($0.enhanced, "\(clean)/\($0.clean)", "\(enhanced)/\($0.enhanced)") }
        guard !fitting.contains(.alignment) else { return remarks + unalignedRemark(outputs) }
        if let found = PairAlignment.sample(of: outputs).outputFinding() {
            remarks.append(
                """
                \(enhanced) is \(found.message), such as \(found.files[0]): scores that compare samples suffer; align \
                the files
                """
            )
        }
        return remarks
    }

    /// Outputs that stay where they are although they are to be aligned.
    private func unalignedRemark(_ outputs: [(name: String, first: String, second: String)]) -> [String] {
        let left = PairAlignment.sample(of: outputs, count: outputs.count).filter { !$0.alignment.isCertain }.map(
            \.name)
        guard let first = left.first else { return [] }
        return [
            "\(left.count) of \(outputs.count) outputs, such as \(first), were not moved: their delay is uncertain, as "
                + "that of periodic sounds and of signals that have little in common"
        ]
    }

    private func item(_ match: FileMatching.Match, _ system: System) -> MetricItem {
        let cleanPath = clean + "/" + match.clean
        let noisyPath = match.noisy.flatMap { name in noisy.map { $0 + "/" + name } }
        let path = system == .noisy ? noisyPath ?? cleanPath : enhanced + "/" + match.enhanced
        return MetricItem(match.enhanced, labels: labels[match.enhanced] ?? [:]) {
            do throws(SoundFileError) {
                let rate = try SoundFile.header(of: cleanPath).sampleRate
                var noisySamples: [Float]?
                if let noisyPath { noisySamples = try SoundFile.readMono(noisyPath, sampleRate: rate) }
                let pair = SpeechPair(
                    clean: try SoundFile.readMono(cleanPath, sampleRate: rate), noisy: noisySamples, enhanced: [],
                    sampleRate: rate)
                let own = system == .noisy ? [] : fitting
                let output = try SoundFile.readMono(path, sampleRate: try own.required(rate, of: path))
                return try own.fitted(pair, output, from: path)
            } catch {
                throw MetricFailure.unreadable("\(error.path): \(error.summary); \(Self.advice(error))")
            }
        }
    }

    /// What to do about a file of a folder, where no spec is concerned.
    private static func advice(_ error: SoundFileError) -> String {
        switch error.reason {
        case .missing: "it was there when the folder was listed"
        case .wrongRate(_, let required): "the clean file sets the rate: convert this one to \(required) Hz"
        case .notMono: "mix it down to one channel, or keep one"
        default: error.hint ?? ""
        }
    }

    // MARK: Labels of the pairs

    private static func manifest(in folders: [String]) throws(CorpusError) -> Manifest? {
        for folder in folders {
            let place = URL(fileURLWithPath: folder).standardizedFileURL
            for place in [place.deletingLastPathComponent(), place] {
                if let manifest = try Manifest(contentsOf: place.path + "/" + Manifest.fileName) { return manifest }
            }
        }
        return nil
    }

    private static func labels(of matches: [FileMatching.Match], in manifest: Manifest) -> [String: [String: String]] {
        let entries = matches.compactMap { match in
            [match.noisy, match.enhanced, match.clean].compactMap { $0.flatMap { manifest[$0] } }.first.map {
                (match.enhanced, $0)
            }
        }
        let name = snrName(entries.compactMap(\.1.snr))
        var labels: [String: [String: String]] = [:]
        for (file, entry) in entries {
            labels[file, default: [:]]["noise"] = entry.noise
            labels[file, default: [:]]["snr"] = entry.snr.map(name)
        }
        return labels
    }

    /// SNRs by their value; where they were drawn from a range, and so hardly repeat, by steps of 5 dB.
    private static func snrName(_ all: [Double]) -> (Double) -> String {
        guard Set(all).count > 12 else { return { String(format: "%g dB", $0) } }
        return { snr in
            guard abs(snr) < 1e6 else { return String(format: "%g dB", snr) }
            let below = 5 * Int((snr / 5).rounded(.down))
            return "\(below) to \(below + 5) dB"
        }
    }
}
