import Audio
import Foundation
import Parallelism
import Synchronization

/// All pairs of some sets, each read once.
struct CorpusExamination: Sendable {
    private var scans: [SetScan] = []
    private var pairs: [[PairExamination]] = []

    init(
        _ sets: [(set: PairedSet, role: SetRole)], interruption: Interruption, observe: @Sendable (Int) -> Void
    ) throws(Interrupted) {
        let done = Atomic<Int>(0)
        for (set, role) in sets {
            let examined = try set.files.parallelMap(block: 4, interruption: interruption) { file in
                let pair = PairExamination(file)
                observe(done.add(1, ordering: .relaxed).newValue)
                return pair
            }
            var scan = SetScan(
                set: set, as: role,
                pairs: zip(set.files, examined).map { PairScan(file: $0, clean: $1.clean, noisy: $1.noisy) },
                alignments: examined.compactMap(\.alignment))
            scan.isFullyAligned = true
            scans.append(scan)
            pairs.append(examined)
        }
    }

    /// The rate that most files have; the lower one of two.
    var commonRate: Int? {
        let rates = scans.flatMap { $0.pairs.flatMap { [$0.clean, $0.noisy] } }.compactMap {
            try? $0.get().header.sampleRate
        }
        return Dictionary(grouping: rates) { $0 }.max { ($0.value.count, -$0.key) < ($1.value.count, -$1.key) }?.key
    }

    var digests: [CorpusReport.SetDigest] {
        zip(scans, pairs).map { scan, pairs in
            let snrs = scan.set.layout == .denoising ? pairs.compactMap(\.snr) : []
            let hours = scan.pairs.reduce(0.0) { $0 + ((try? $1.noisy.get().header.duration) ?? 0) } / 3600
            return CorpusReport.SetDigest(
                name: scan.set.name, role: scan.role.description, pairs: scan.pairs.count, hours: hours,
                snrs: Dictionary(grouping: snrs) { 5 * Int(($0 / 5).rounded(.down)) }.mapValues(\.count),
                medianSNR: snrs.isEmpty ? nil : snrs.sorted()[snrs.count / 2])
        }
    }

    /// The findings of the gates on all pairs, and those that need more measurements than the gates make.
    func findings(sampleRate: Int, interruption: Interruption) throws(Interrupted) -> [Finding] {
        let corpus = CorpusScan(sets: scans)
        let own = zip(scans, pairs).flatMap { Self.means($0, $1) + Self.ratios($0, $1) }
        let copies = try nearDuplicates(interruption)
        return (corpus.findings(expecting: .init(sampleRate: sampleRate)) + own + copies).enumerated().sorted {
            one, other in
            one.element.severity != other.element.severity
                ? one.element.severity > other.element.severity : one.offset < other.offset
        }.map(\.element)
    }

    /// Files with a constant part.
    private static func means(_ scan: SetScan, _ pairs: [PairExamination]) -> [Finding] {
        let names = zip(scan.pairs, pairs).flatMap { pair, examined in
            [(scan.set.layout.cleanFolder, examined.cleanMean), (scan.set.layout.noisyFolder, examined.noisyMean)]
                .filter { abs($0.1) >= 0.01 }.map { "\($0.0)/\(pair.file.name)" }
        }
        guard !names.isEmpty else { return [] }
        return [
            Finding(
                .dc, .warning, set: scan.set.name, "\(names.count) files have a mean of 1 % of full scale or more",
                fix: "remove the constant part with a high-pass filter at 20 Hz, from both files of a pair",
                files: names)
        ]
    }

    /// Pairs whose noisy file has almost no noise, or almost nothing in common with the clean file.
    private static func ratios(_ scan: SetScan, _ pairs: [PairExamination]) -> [Finding] {
        guard scan.set.layout == .denoising else { return [] }
        let all = zip(scan.pairs, pairs).compactMap { pair, examined in examined.snr.map { (pair.file.name, $0) } }
        // Shifted pairs have a finding of their own.
        let shifted = Set(scan.alignments.filter { $0.alignment.isCertain && $0.alignment.delay != 0 }.map(\.name))
        let strange = all.filter { $0.1 < -25 && !shifted.contains($0.0) }.map(\.0)
        let same = Set(
            scan.pairs.filter { (try? $0.clean.get().content) == (try? $0.noisy.get().content) }.map(\.file.name))
        let clean = all.filter { $0.1 > 50 && !same.contains($0.0) }.map(\.0)
        var findings: [Finding] = []
        if !strange.isEmpty {
            findings.append(
                Finding(
                    .snr, .error, set: scan.set.name,
                    """
                    \(strange.count) of \(all.count) noisy files hold less of their clean file than -25 dB: they seem \
                    to be of other recordings
                    """,
                    fix: "check how the files are paired", files: strange))
        }
        if !clean.isEmpty {
            findings.append(
                Finding(
                    .snr, 4 * clean.count >= all.count ? .error : .warning, set: scan.set.name,
                    "\(clean.count) of \(all.count) noisy files are the clean ones to within -50 dB",
                    fix: "check that the noisy folder holds the mixtures", files: clean))
        }
        return findings
    }

    /// Recordings that sets of different roles share as copies; equal audio has a finding of its own.
    private func nearDuplicates(_ interruption: Interruption) throws(Interrupted) -> [Finding] {
        var recordings: [NearDuplicates.Recording] = []
        var owners: [(set: Int, pair: Int)] = []
        for (set, scan) in scans.enumerated() {
            for (pair, examined) in pairs[set].enumerated() {
                guard let fingerprint = examined.fingerprint else { continue }
                let file = scan.pairs[pair].file
                recordings.append(
                    .init(
                        name: "\(scan.set.name)/\(file.name)", path: file.cleanPath, group: scan.role.rawValue,
                        fingerprint: fingerprint))
                owners.append((set, pair))
            }
        }
        var found: [String: [String]] = [:]
        for match in try NearDuplicates.matches(among: recordings, interruption: interruption) {
            let (one, other) = (owners[match.first], owners[match.second])
            let contents = [one, other].map { try? scans[$0.set].pairs[$0.pair].clean.get().content }
            guard contents[0] != contents[1] else { continue }
            let names = "\(scans[one.set].set.name) & \(scans[other.set].set.name)"
            found[names, default: []].append("\(recordings[match.second].name) = \(recordings[match.first].name)")
        }
        return found.sorted { $0.key < $1.key }.map { names, files in
            Finding(
                .nearDuplicate, .error, set: names,
                "\(files.count) recordings are in both sets, at another level, trimmed, resampled or coded anew",
                fix: "remove them from one set: what is trained on must not be tested on", files: files)
        }
    }
}
