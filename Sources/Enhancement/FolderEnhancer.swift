public import Audio
import Corpora
public import Failures
import Foundation
public import Models
public import Parallelism

/// Enhances the sound files of a folder, or one file, several at once, each in the memory of a segment.
///
/// Names and subfolders are kept. Every output is written under a temporary name and renamed, so an interrupted call
/// leaves whole files only, and the same call goes on from there: an output is passed over that `EnhancementLedger`
/// knows to be made from the same input under the same settings. The noise of a file depends on the seed and its name
/// alone.
public struct FolderEnhancer: Sendable {
    /// What is done with a file of several channels.
    public enum Channels: String, Hashable, Sendable, CaseIterable {
        /// It is not enhanced, and the call fails at its end.
        case refuse
        /// Its first channel is enhanced, to a file of one.
        case first
        /// Each channel is enhanced separately, divided by its own peak.
        case each
    }

    /// How outputs are written, and which existing ones are replaced.
    public struct Options: Sendable {
        /// Outputs at the rate of their inputs, rather than at the model's.
        public var restoresRate = false
        /// Existing outputs that were made here are made anew.
        public var replaces = false
        /// Files that were not made here are replaced, too.
        public var overwrites = false
        /// The sample format of the outputs.
        public var encoding = SoundFile.Encoding.pcm16
        /// The seed of the noise draws; the same seed, file name and model give the same output.
        public var seed: UInt64 = 0
        /// States of the reverse process that are written for each file, as ``statesFolder(beside:)`` says.
        public var states = 0
        /// What is done with files of several channels.
        public var channels = Channels.refuse
        /// Files that are enhanced together, and those of like length in one batch; decides no output, but for
        /// rounding on a device.
        public var filesPerBatch = 1
        /// Further properties of the model, which the record of each output contains.
        public var model: [String: String] = [:]

        public init(
            restoresRate: Bool = false, replaces: Bool = false, overwrites: Bool = false,
            encoding: SoundFile.Encoding = .pcm16, seed: UInt64 = 0, states: Int = 0, channels: Channels = .refuse,
            filesPerBatch: Int = 1, model: [String: String] = [:]
        ) {
            (self.restoresRate, self.replaces, self.overwrites) = (restoresRate, replaces, overwrites)
            (self.encoding, self.seed, self.states, self.channels) = (encoding, seed, states, channels)
            (self.filesPerBatch, self.model) = (filesPerBatch, model)
        }
    }

    /// What became of the files.
    public struct Summary: Sendable {
        /// Files that this call wrote.
        public var enhanced = 0
        /// Files whose output was there already, made from the same input under the same settings.
        public var skipped = 0
        /// Inputs at another rate than the model's, which were converted.
        public var resampled = 0
        /// Inputs that were longer than a segment, and enhanced in several.
        public var segmented = 0
        /// Samples that were beyond full scale and saturated.
        public var clipped = 0
        /// Files that were not enhanced, with the reason; the others are enhanced all the same.
        public var failed: [(file: String, reason: String)] = []
        /// Remarks for the user, such as that outputs were made again with other settings.
        public var remarks: [String] = []
        /// The length of all audio that was enhanced, in s.
        public var audioSeconds = 0.0
        /// Wall-clock time of the enhancement in s, without the check of the files before it.
        public var seconds = 0.0
        /// Evaluations of the network.
        public var nfe = 0

        /// Seconds of computing for each second of audio; `nil` where nothing was enhanced.
        public var realTimeFactor: Double? { audioSeconds > 0 ? seconds / audioSeconds : nil }
    }

    /// Where intermediate states go: beside the folder of the outputs, so that nothing takes them for enhanced files;
    /// for an output of a name of its own, `x.wav`, the folder `x-states`.
    ///
    /// Those of `a/b.wav` are `a/b/1-t0.800.wav` and so on: their number, and the process time that they were reached
    /// at. Where `a/b.flac` lies beside it, they are `a/b.wav/1-t0.800.wav`. Those of an earlier call are removed
    /// first.
    public static func statesFolder(beside output: String) -> String {
        let place = EnhancementFiles.isName(output) ? (output as NSString).deletingPathExtension : output
        return place.hasSuffix("/") ? String(place.dropLast()) + "-states" : place + "-states"
    }

    /// The model with its sampler.
    public let enhancer: Enhancer
    /// The rate of the model, in Hz; other files are converted.
    public let sampleRate: Int
    /// The choices of this call.
    public let options: Options

    /// How a conditioned model's noise references are chosen.
    public let references: ReferenceChooser?
    /// Where the clean files of the same names lie, which oracle references need.
    public let cleanFolder: String?

    public init(
        enhancer: Enhancer, sampleRate: Int, options: Options = Options(), references: ReferenceChooser? = nil,
        cleanFolder: String? = nil
    ) {
        (self.enhancer, self.sampleRate, self.options) = (enhancer, sampleRate, options)
        (self.references, self.cleanFolder) = (references, cleanFolder)
    }

    /// - Parameters:
    ///   - input: A folder, with subfolders, or one file.
    ///   - output: A folder, which is made; for one file also the name of a `.wav` or `.flac` file.
    ///   - unfinished: Called with the temporary files, so that a program that must end at once can remove them.
    /// - Throws: `EnhancementInputError` where nothing can be enhanced, or a file would be replaced that was not made
    ///   here, before anything is done; `Interrupted`. The summary lists what is wrong with single files.
    public func run(
        input: String, output: String, interruption: Interruption = Interruption(),
        unfinished: UnfinishedFiles = UnfinishedFiles(), observe: (FolderProgress) -> Void = { _ in }
    ) throws -> Summary {
        let files = try EnhancementFiles(
            input: input, output: output, clean: cleanFolder, ownStates: options.states > 0)
        let worker = FileEnhancer(
            folder: self, settings: try settings(), ledger: EnhancementLedger(), unfinished: unfinished,
            interruption: interruption)
        var summary = Summary()
        summary.failed = files.failed
        let jobs = try inspect(files.jobs, worker, &summary, interruption)
        let start = ContinuousClock.now
        let batches = batches(of: jobs)
        var done = 0
        try WorkQueue.run(count: batches.count, interruption: interruption) { number in
            try worker.enhance(batches[number])
        } done: { number, outcomes in
            for (job, outcome) in zip(batches[number], outcomes) {
                summary.add(outcome, of: job, rate: sampleRate)
                done += 1
                observe(FolderProgress("enhance", file: job.file.name, done: done, of: jobs.count, since: start))
            }
        }
        summary.seconds = start.secondsUntilNow
        summary.failed.sort { $0.file < $1.file }
        return summary
    }

    /// The files that are enhanced together, the longest first: so no core processes a long file alone at the end.
    private func batches(of jobs: [FileEnhancer.Job]) -> [[FileEnhancer.Job]] {
        let order = jobs.indices.sorted { (jobs[$0].header.duration, $1) > (jobs[$1].header.duration, $0) }
        return order.inBatches(of: options.filesPerBatch).map { $0.map { jobs[$0] } }
    }

    /// Inspects every input, and an output that exists already, before any file is enhanced.
    private func inspect(
        _ files: [EnhancementFiles.File], _ worker: FileEnhancer, _ summary: inout Summary, _ interruption: Interruption
    ) throws -> [FileEnhancer.Job] {
        var found: [Int: FileEnhancer.Inspection] = [:]
        try WorkQueue.run(count: files.count, interruption: interruption) { index in
            try worker.inspect(files[index])
        } done: {
            found[$0] = $1
        }
        var jobs: [FileEnhancer.Job] = []
        var (foreign, openEnded, stale): ([(String, String)], [String], [Set<String>]) = ([], [], [])
        for index in files.indices {
            switch found[index] {
            case .job(let job, let differing)?:
                jobs.append(job)
                if job.header.isOpenEnded { openEnded.append(job.file.name) }
                if let differing { stale.append(differing) }
            case .done?: summary.skipped += 1
            case .foreign?:
                let reason = "was not made by this program, or was changed since; --overwrite replaces it"
                foreign.append((files[index].output, reason))
            case .failed(let reason)?: summary.failed.append((files[index].name, reason))
            case nil: break
            }
        }
        guard foreign.isEmpty else { throw EnhancementInputError(problems: foreign) }
        if !stale.isEmpty, !options.replaces {
            let names = stale.reduce(into: Set<String>()) { $0.formUnion($1) }.sorted()
            let outputs = stale.count == 1 ? "1 output was" : "\(stale.count) outputs were"
            summary.remarks.append(
                "\(outputs) made with other settings (\(names.joined(separator: ", "))) and made anew")
        }
        if let first = openEnded.first {
            let files = openEnded.count == 1 ? "1 file was" : "\(openEnded.count) files were"
            summary.remarks.append(
                """
                \(files) written to a pipe, such as \(first): the header states no length, and the audio was read to \
                the end
                """
            )
        }
        return jobs
    }
}

extension FolderEnhancer.Summary {
    fileprivate mutating func add(_ outcome: FileEnhancer.Outcome, of job: FileEnhancer.Job, rate: Int) {
        switch outcome {
        case .done(let seconds, let effort, let clipped):
            enhanced += 1
            audioSeconds += seconds
            nfe += effort.nfe
            self.clipped += clipped
            if effort.segments > 1 { segmented += 1 }
            if job.header.sampleRate != rate { resampled += 1 }
        case .failed(let reason): failed.append((job.file.name, reason))
        }
    }
}

/// Files that cannot be enhanced, each with what is wrong; nothing was done.
public struct EnhancementInputError: Diagnostic {
    /// Every file that was refused, not only the first.
    public var problems: [(file: String, reason: String)]

    public var category: FailureCategory { .data }
    public var description: String { summary }

    public var summary: String {
        (["nothing was enhanced:"] + problems.map { "  \($0.file): \($0.reason)" }).joined(separator: "\n")
    }
}
