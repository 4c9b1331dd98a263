import Audio
import Corpora
import Foundation
public import Parallelism
public import Runs
public import SpeechMetrics

/// A folder of another system's output for the files of a test set, checked against the set.
public struct EnhancedFolder: Sendable {
    /// One file of the set with the system's output for it.
    struct Pair: Sendable {
        var file: TestFile
        var paths: PairedFile
        var enhanced: String
    }

    /// The folder as it was given; names in messages begin with it.
    public let path: String
    let set: TestSet
    let pairs: [Pair]
    /// Files of the folder that belong to none of the set.
    public let unmatched: [String]
    /// The digest of all output: of a text with a line for each file, its name, a tab, and its digest.
    let content: AudioFingerprint
    /// The checks that failed and were waived, with the reason given.
    public let waived: [String: String]

    /// The checks that a person may waive, since scores are still valid where they fail.
    public static let waivable = ["alignment"]

    /// Reads headers and audio of set and folder, and compares them.
    ///
    /// - Parameter waive: The reason for each check that may fail, by its name.
    /// - Throws: `ImportFailure` with every mistake that would make the scores wrong.
    public init(
        _ path: String, on set: TestSet, files: [TestFile], waive: [String: String] = [:],
        interruption: Interruption = Interruption()
    ) throws {
        let audio = try Self.audio(of: set, files)
        let found = try SoundFolder.files(in: path)
        let names = audio.files.map(\.name)
        let matching = FileMatching(enhanced: found, clean: names)
        let byName = Dictionary(grouping: matching.matches, by: \.clean)
        let twice = byName.values.filter { $0.count > 1 }.flatMap { $0.map(\.enhanced) }.sorted()
        let missing = names.filter { byName[$0] == nil }
        var problems: [ImportFailure.Problem] = []
        if !missing.isEmpty {
            problems.append(
                .init(
                    "missing", "\(missing.count) of \(names.count) files of '\(set.name)' have no output",
                    fix: "enhance them too: a mean over a part of a set is another number",
                    files: missing))
        }
        if !twice.isEmpty {
            problems.append(
                .init(
                    "pairing", "several files belong to one file of '\(set.name)'",
                    fix: "keep one output for each file", files: twice))
        }
        guard problems.isEmpty else { throw ImportFailure(path, problems) }
        let byPath = Dictionary(files.map { ($0.path, $0) }) { first, _ in first }
        let pairs = audio.files.compactMap { one in
            byPath[one.name].map {
                Pair(file: $0, paths: one, enhanced: path + "/" + (byName[one.name]?.first?.enhanced ?? one.name))
            }
        }
        let checks = try Self.check(pairs, at: set.sampleRate, interruption)
        problems = OutputCheck.problems(zip(pairs, checks).map { ($0.paths.name, $1) }, rate: set.sampleRate)
        waived = waive.filter { code, _ in Self.waivable.contains(code) && problems.contains { $0.code == code } }
        problems.removeAll { [waived] in waived[$0.code] != nil }
        guard problems.isEmpty else { throw ImportFailure(path, problems) }
        var (text, hasher) = ("", ContentHasher())
        for (pair, check) in zip(pairs, checks) {
            hasher.combine(pair.paths.name)
            if let content = check.content { hasher.combine(content.earlier) }
            text += "\(pair.paths.name)\t\(check.content?.digest.hex ?? "")\n"
        }
        (self.path, self.set, self.pairs) = (path, set, pairs)
        unmatched = matching.withoutClean
        content = AudioFingerprint(digest: AudioDigest(ofText: text), earlier: hasher.finish())
    }

    /// The clean and noisy files of the set, known to be those that it was registered with.
    private static func audio(of set: TestSet, _ files: [TestFile]) throws -> PairedSet {
        var audio = try PairedSet(at: set.folder, name: set.name)
        let registered = Set(files.map(\.path))
        audio.files = audio.files.filter { registered.contains($0.name) }
        var cache = FactsCache()
        let fingerprint = try SetScan(reading: audio, as: .test, cache: &cache).fingerprint
        let names = fingerprint.map { [$0.description, $0.earlier.description] } ?? []
        guard audio.files.count == files.count, names.contains(set.fingerprint) else {
            throw ImportFailure(
                set.folder,
                [
                    .init(
                        "changed", "the audio of '\(set.name)' is not what it was when the set was registered",
                        fix: "restore it, or run the spec of its corpus again, which registers the set as it is")
                ])
        }
        return audio
    }

    private static func check(_ pairs: [Pair], at rate: Int, _ interruption: Interruption) throws -> [OutputCheck] {
        var checks: [Int: OutputCheck] = [:]
        try WorkQueue.run(count: pairs.count, interruption: interruption) { index in
            OutputCheck(pairs[index].enhanced, clean: pairs[index].paths.cleanPath, rate: rate)
        } done: {
            checks[$0] = $1
        }
        return pairs.indices.compactMap { checks[$0] }
    }

    /// Scores every file and records the evaluation of `system`.
    ///
    /// - Returns: nil where the same output was imported before.
    public func score(
        as system: ExternalSystem, with metrics: [any SpeechMetric], in store: RunStore, provenance: Provenance,
        interruption: Interruption = Interruption(),
        progress: (_ file: String, _ done: Int, _ count: Int) -> Void = { _, _, _ in }
    ) throws -> Evaluation? {
        let record = ExternalRecord(
            kind: .enhanced, path: URL(fileURLWithPath: path).standardizedFileURL.path, files: pairs.count,
            content: content.description,
            nfe: system.nfe, seconds: system.seconds, waived: waived.isEmpty ? nil : waived)
        let (evaluation, isNew) = try system.begin(
            record, earlier: content.earlier.description, on: set, in: store, provenance: provenance)
        guard isNew else { return nil }
        do {
            try score(evaluation.id, system, metrics, store, interruption, progress)
        } catch {
            try? store.end(evaluation.id, as: error is Interrupted ? .interrupted : .failed, reason: "\(error)")
            throw error
        }
        try store.end(evaluation.id, as: .finished)
        return evaluation
    }

    private func score(
        _ evaluation: Evaluation.ID, _ system: ExternalSystem, _ metrics: [any SpeechMetric], _ store: RunStore,
        _ interruption: Interruption, _ progress: (String, Int, Int) -> Void
    ) throws {
        let rate = set.sampleRate
        let columns = try metrics.map { metric in
            try store.register(
                metric: metric.name, signature: metric.signature(ofAudioAt: rate), unit: metric.unit,
                higherIsBetter: metric.direction == .higherIsBetter)
        }
        let whole = pairs.reduce(0) { $0 + $1.file.seconds }
        var done = 0
        try WorkQueue.run(count: pairs.count, interruption: interruption) { index in
            let pair = pairs[index]
            let analysis = PairAnalysis(
                SpeechPair(
                    clean: try SoundFile.readMono(pair.paths.cleanPath, sampleRate: rate),
                    noisy: try SoundFile.readMono(pair.paths.noisyPath, sampleRate: rate),
                    enhanced: try SoundFile.readMono(pair.enhanced, sampleRate: rate), sampleRate: rate))
            return metrics.map { $0.evaluate(analysis, allowing: .resampling) }
        } done: { (index: Int, outcomes: [MetricOutcome]) in
            guard let id = pairs[index].file.id else { return }
            let scores = zip(columns, outcomes).map { column, outcome in
                Score(
                    file: id, metric: column.id,
                    outcome: outcome.value.map { .value($0) } ?? .failed(outcome.failure.map { "\($0)" } ?? ""))
            }
            let length = pairs[index].file.seconds
            let seconds = system.seconds.map { whole > 0 ? $0 * length / whole : 0 }
            let cost =
                system.nfe != nil || seconds != nil
                ? [
                    FileResult(
                        file: id, nfe: system.nfe ?? 0, seconds: seconds ?? 0,
                        realTimeFactor: length > 0 ? (seconds ?? 0) / length : 0, output: nil)
                ] : []
            try store.record(scores: scores, results: cost, of: evaluation)
            done += 1
            progress(pairs[index].paths.name, done, pairs.count)
        }
    }
}
