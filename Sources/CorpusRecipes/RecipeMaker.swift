import AtomicFiles
import Audio
import Corpora
import Foundation
public import Parallelism
import Synchronization

/// Makes the corpus of a recipe in parallel and atomically; an interrupted call can be resumed.
///
/// Everything is made in `TARGET.part`, with a journal of the pairs that are finished, and renamed at the end. The
/// bytes are a function of the recipe and its sources; the number of workers changes nothing.
public struct RecipeMaker: Sendable {
    /// The recipe that is followed.
    public let recipe: Recipe
    private let sources: SourceFolders
    private let plan: MixingPlan
    private let skipsBad: Bool

    /// Finds all recordings, and checks that the recipe can be followed.
    ///
    /// - Parameter skipsBad: Whether files that cannot be read are left out and counted.
    /// - Throws: `CorpusError`, `SoundFileError`.
    public init(_ recipe: Recipe, sources: SourceFolders, skipsBad: Bool = false) throws {
        (self.recipe, self.sources, self.skipsBad) = (recipe, sources, skipsBad)
        plan = try recipe.law.plan(recipe, sources, skipsBad: skipsBad)
    }

    /// How many recordings there are to be worked on.
    public var count: Int { plan.list.items.count }
    /// Remarks on the sources, to be shown to the user.
    public var remarks: [String] { plan.remarks }
    /// Sets with another number of files than a complete source gives.
    public var incomplete: [String] { plan.list.incomplete }

    /// The result of making a corpus.
    public struct Outcome: Sendable {
        /// The record in the corpus's folder.
        public var record: RecipeRecord
        /// Whether the folder already held exactly this corpus.
        public var isUnchanged = false
        /// Recordings that an earlier call had finished.
        public var resumed = 0
    }

    /// Makes the corpus at `target`, or finds that it is there.
    ///
    /// - Parameter observe: Called with the number of recordings that are finished.
    /// - Throws: `CorpusError`, `SoundFileError`, `ResamplingError`, `FileFailure`; `Interrupted`, and a later call
    ///   goes on.
    public func make(
        at target: String, interruption: Interruption = Interruption(), observe: (Int) -> Void = { _ in }
    ) throws -> Outcome {
        let path = URL(fileURLWithPath: target).path
        var record = RecipeRecord(recipe, try sources.digests(), skipsBad: skipsBad)
        if FileManager.default.fileExists(atPath: path) {
            return Outcome(record: try known(at: path, record), isUnchanged: true)
        }
        let folder = path + ".part"
        let making = try UnfinishedCorpus(at: folder, identity: record.identity)
        defer { making.unlock() }
        var lines = try making.lines(layout: recipe.layout, interruption: interruption)
        let resumed = lines.count
        try work(making, &lines, interruption, observe)
        let rows = plan.list.items.flatMap { lines["\($0.set)/\($0.name)"]?.rows ?? [] }
        let skipped = plan.list.skipped + plan.list.items.compactMap { lines["\($0.set)/\($0.name)"]?.skipped }
        guard !rows.isEmpty else { throw CorpusError(path, .impossible("no pair could be made")) }
        record.add(rows, skipped: skipped, incomplete: incomplete)
        try making.publish(rows, record, to: path)
        return Outcome(record: record, resumed: resumed)
    }

    /// The record of a corpus that lies at the target.
    private func known(at path: String, _ wanted: RecipeRecord) throws(CorpusError) -> RecipeRecord {
        guard let found = RecipeRecord(in: path) else {
            throw CorpusError(
                path, .occupied("it holds no \(RecipeRecord.fileName) of a recipe, so it was made in another way"))
        }
        guard found.identity == wanted.identity else {
            throw CorpusError(
                path, .occupied("it was made otherwise: \(found.differences(from: wanted).joined(separator: ", "))"))
        }
        let corpus = try Corpus(at: path)
        for (set, count) in found.pairs.sorted(by: { $0.key < $1.key }) where try corpus.set(set).files.count != count {
            throw CorpusError(
                path, .occupied("\(set) has \(try corpus.set(set).files.count) of the \(count) pairs that were made"))
        }
        return found
    }

    private func work(
        _ making: UnfinishedCorpus, _ lines: inout [String: JournalLine], _ interruption: Interruption,
        _ observe: (Int) -> Void
    ) throws {
        let open = plan.list.items.filter { lines["\($0.set)/\($0.name)"] == nil }
        var done = lines.count
        observe(done)
        try WorkQueue.run(count: open.count, interruption: interruption) { index in
            try line(of: open[index], in: making.folder)
        } done: { _, line in
            try making.append(line)
            lines[line.item] = line
            done += 1
            observe(done)
        }
    }

    /// Makes and writes the pairs of one item.
    private func line(of item: Item, in folder: String) throws -> JournalLine {
        let name = "\(item.set)/\(item.name)"
        do {
            return JournalLine(item: name, rows: try plan.pairs(item).map { try write($0, in: folder) })
        } catch let error as SoundFileError where skipsBad && error.isOfTheSource {
            return JournalLine(item: name, rows: [], skipped: "\(error.path): \(error.summary)")
        } catch let error as CorpusError where skipsBad && error.isOfTheSource {
            return JournalLine(item: name, rows: [], skipped: "\(error.path): \(error.summary)")
        }
    }

    private func write(_ pair: MadePair, in folder: String) throws -> MadeRow {
        let file = pair.entry.file
        var facts: [AudioFacts] = []
        var clipped = 0
        var written: [[Float]] = []
        for (part, samples) in [(recipe.layout.cleanFolder, pair.clean), (recipe.layout.noisyFolder, pair.noisy)] {
            let path = "\(folder)/\(pair.set)/\(part)/\(file)"
            do {
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            } catch {
                throw CorpusError(path, .disk(error.localizedDescription))
            }
            clipped += try SoundFile.write(
                samples, sampleRate: recipe.rate, to: path, as: recipe.encoding, durable: false)
            let sound = try SoundFile.read(path)
            facts.append(AudioFacts(of: sound))
            written.append(sound.channels[0])
        }
        var other = pair.entry.other
        let noise = zip(written[1], written[0]).map { $0 - $1 }
        if let level = plan.level, noise.peak > 0, facts[0].peak > 0 {
            other["snr_measured_db"] = Decimals.text(level(written[0]) - level(noise), 4)
        }
        return MadeRow(
            set: pair.set, file: file, speaker: pair.entry.speaker, noise: pair.entry.noise, snr: pair.entry.snr,
            seed: pair.entry.seed,
            other: other, clean: facts[0].content.description, noisy: facts[1].content.description, clipped: clipped)
    }
}

extension SoundFileError {
    /// Whether the error is one of the recording, not of the disk that is written to.
    fileprivate var isOfTheSource: Bool { if case .unwritable = reason { false } else { true } }
}

extension CorpusError {
    fileprivate var isOfTheSource: Bool { if case .impossible = reason { true } else { false } }
}
