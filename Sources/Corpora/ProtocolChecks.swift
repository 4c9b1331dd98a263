import Audio
import Foundation

/// What a spec expects of its data.
public struct ProtocolExpectation: Hashable, Sendable {
    /// Hz.
    public var sampleRate: Int
    /// Length of a training crop in samples, for the message about a wrong rate; 0 if there is no training.
    public var cropLength: Int

    public init(sampleRate: Int, cropLength: Int = 0) {
        self.sampleRate = sampleRate
        self.cropLength = cropLength
    }
}

extension CorpusScan {
    /// Every violation of the protocol, errors first; depends on the scans alone.
    public func findings(expecting spec: ProtocolExpectation) -> [Finding] {
        let found = sets.flatMap { $0.findings(expecting: spec) } + overlaps()
        let order = Dictionary(uniqueKeysWithValues: Finding.Code.allCases.enumerated().map { ($1, $0) })
        return found.enumerated().sorted { one, other in
            if one.element.severity != other.element.severity { return one.element.severity > other.element.severity }
            return (order[one.element.code] ?? 0, one.offset) < (order[other.element.code] ?? 0, other.offset)
        }.map(\.element)
    }
}

extension SetScan {
    /// The findings that concern this set alone.
    public func findings(expecting spec: ProtocolExpectation) -> [Finding] {
        pairing() + rules() + broken() + openEnded() + rates(expecting: spec) + shapes() + levels()
            + alignments.findings(set: set.name, layout: set.layout, isComplete: isFullyAligned) + duplicates()
            + manifest()
    }

    private var sides: [(name: String, facts: Result<AudioFacts, SoundFileError>)] {
        pairs.flatMap { pair in
            [
                ("\(set.layout.cleanFolder)/\(pair.file.name)", pair.clean),
                ("\(set.layout.noisyFolder)/\(pair.file.name)", pair.noisy),
            ]
        }
    }

    private var readable: [(name: String, facts: AudioFacts)] {
        sides.compactMap { side in (try? side.facts.get()).map { (side.name, $0) } }
    }

    /// One finding if any file is concerned.
    private func finding(
        _ code: Finding.Code, _ severity: Finding.Severity, _ files: [String], fix: String,
        _ message: (String) -> String
    ) -> [Finding] {
        guard !files.isEmpty else { return [] }
        let count = files.count == 1 ? "1 file" : "\(files.count) files"
        return [Finding(code, severity, set: set.name, message(count), fix: fix, files: files)]
    }

    private func pairing() -> [Finding] {
        let (clean, noisy) = (set.layout.cleanFolder, set.layout.noisyFolder)
        let empty = Finding(
            .empty, .error, set: set.name, "no pair of .wav or .flac files below \(clean)/ and \(noisy)/",
            fix: "put the files in, or leave the set out of the spec")
        return (pairs.isEmpty ? [empty] : [])
            + finding(
                .pairing, .error, set.unpaired,
                fix: "give every file the same name in \(clean)/ and \(noisy)/, or remove it"
            ) { "\($0) without a partner" }
    }

    /// By which rule pairs of different names were made.
    private func rules() -> [Finding] {
        set.ruled.sorted { $0.key.rawValue < $1.key.rawValue }.map { rule, pairs in
            Finding(
                .pairing, .note, set: set.name,
                """
                \(pairs.count == 1 ? "1 pair has" : "\(pairs.count) pairs have") different names, paired by \
                \(rule.title)
                """,
                fix: "look at some; give both files the same name where a pair is wrong", files: pairs)
        }
    }

    private func openEnded() -> [Finding] {
        let files = readable.filter(\.facts.header.isOpenEnded).map(\.name)
        return finding(
            .unreadable, .note, files, fix: "nothing has to be done; sox or ffmpeg writes a header with a length"
        ) {
            "\($0) written to a pipe: the header states no length, and the audio was read to the file's end"
        }
    }

    private func broken() -> [Finding] {
        var notFinite: [String] = []
        var unreadable: [String] = []
        for side in sides {
            guard case .failure(let error) = side.facts else { continue }
            if case .notFinite = error.reason {
                notFinite.append(side.name)
            } else {
                unreadable.append("\(side.name) (\(error.summary))")
            }
        }
        return finding(.unreadable, .error, unreadable, fix: "copy these files again, or remove the pairs") {
            "\($0) cannot be read whole"
        }
            + finding(.notFinite, .error, notFinite, fix: "render these files again, or remove the pairs") {
                "\($0) with NaN or infinite samples"
            }
    }

    /// Files that are not at the spec's rate, and what reading them as if they were would mean.
    private func rates(expecting spec: ProtocolExpectation) -> [Finding] {
        let wrong = Dictionary(grouping: readable) { $0.facts.header.sampleRate }.filter { $0.key != spec.sampleRate }
        return wrong.sorted { $0.key < $1.key }.flatMap { rate, files in
            let factor = Self.short(Double(rate) / Double(spec.sampleRate))
            var meaning = "a bin would mean \(factor) times its frequency"
            if spec.cropLength > 0 {
                let seconds = (
                    Double(spec.cropLength) / Double(spec.sampleRate), Double(spec.cropLength) / Double(rate)
                )
                meaning += " and a crop last \(Self.short(seconds.1)) s instead of \(Self.short(seconds.0)) s"
            }
            let fix =
                """
                resample the data to \(spec.sampleRate) Hz before training, let the run do it with data.resample: \
                true, or set data.sample_rate to \(rate)
                """
            return finding(.rate, .error, files.map(\.name), fix: fix) {
                "\($0) of \(2 * pairs.count) at \(rate) Hz, \(spec.sampleRate) Hz is expected: \(meaning)"
            }
        }
    }

    private func shapes() -> [Finding] {
        let many = readable.filter { $0.facts.header.channels != 1 }
        let unequal = pairs.compactMap { pair -> String? in
            guard let clean = try? pair.clean.get().header, let noisy = try? pair.noisy.get().header,
                clean.frames != noisy.frames
            else { return nil }
            return "\(pair.file.name) (\(clean.frames) and \(noisy.frames) samples)"
        }
        return finding(.channels, .error, many.map(\.name), fix: "mix these files down to one channel, or keep one") {
            "\($0) with more than one channel"
        }
            + finding(.length, .error, unequal, fix: "cut both files of each pair to the same length, aligned") {
                "clean and noisy differ in length (\($0))"
            }
    }

    private func levels() -> [Finding] {
        func names(_ holds: (AudioFacts) -> Bool) -> [String] { readable.filter { holds($0.facts) }.map(\.name) }
        let same = pairs.filter { pair in
            guard let clean = try? pair.clean.get(), let noisy = try? pair.noisy.get() else { return false }
            return clean.content == noisy.content
        }
        return finding(
            .silence, .error, names { $0.peak == 0 }, fix: "remove these pairs: no metric is defined on them"
        ) {
            "\($0) of digital silence"
        }
            + finding(
                .silence, .warning, names { $0.peak > 0 && $0.decibels < -60 },
                fix: "check the gain of these recordings"
            ) { "\($0) below -60 dB of full scale" }
            + finding(
                .clipping, .warning, names { $0.clipped > 0 }, fix: "render the mixtures again with more headroom"
            ) { "\($0) with flat tops at full scale" }
            + finding(
                .unprocessed, .warning, same.map(\.file.name), fix: "check that the noisy folder holds the mixtures"
            ) { "noisy equals clean (\($0))" }
    }

    private func duplicates() -> [Finding] {
        let groups = Dictionary(grouping: pairs) { try? $0.noisy.get().content }
        let repeated = groups.filter { $0.key != nil && $0.value.count > 1 }.values
            .flatMap { $0.map(\.file.name) }.sorted()
        return finding(.duplicate, .warning, repeated, fix: "keep one of each") {
            "the same noisy audio more than once (\($0))"
        }
    }

    private func manifest() -> [Finding] {
        let missing = pairs.filter { $0.file.entry == nil }.map(\.file.name)
        let partial = missing.count < pairs.count ? missing : []
        return finding(.manifest, .warning, set.strayEntries, fix: "remove these rows, or add the files") {
            "the manifest names \($0) that the set does not have"
        }
            + finding(.manifest, .warning, partial, fix: "add rows for these files") {
                "\($0) missing from the manifest"
            }
    }

    private static func short(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : "\(rounded)"
    }
}
