import Audio
import Corpora
import Foundation
import Models
import Parallelism

/// Enhances the sound files of a folder, or one file, several at once.
///
/// Names and subfolders are kept; a file that is there already is passed over. Every output is written under a temporary
/// name and renamed, so an interrupted call leaves whole files only, and the same call goes on from there. The noise of a
/// file depends on the seed and its name alone.
public struct FolderEnhancer: Sendable {
    public struct Options: Sendable {
        /// Outputs at the rate of their inputs, rather than at the model's.
        public var restoresRate = false
        /// Existing outputs are made anew.
        public var replaces = false
        public var encoding = SoundFile.Encoding.pcm16
        public var seed: UInt64 = 0
        /// States of the reverse process that are written for each file, as ``statesFolder(beside:)`` says.
        public var states = 0

        public init(
            restoresRate: Bool = false, replaces: Bool = false, encoding: SoundFile.Encoding = .pcm16, seed: UInt64 = 0,
            states: Int = 0
        ) {
            (self.restoresRate, self.replaces, self.encoding) = (restoresRate, replaces, encoding)
            (self.seed, self.states) = (seed, states)
        }
    }

    /// What became of the files.
    public struct Summary: Sendable {
        public var enhanced = 0
        public var skipped = 0
        /// Inputs at another rate than the model's, which were converted.
        public var resampled = 0
        /// Inputs that were longer than a segment, and enhanced in several.
        public var segmented = 0
        /// Samples that were beyond full scale and saturated.
        public var clipped = 0
        public var failed: [(file: String, reason: String)] = []
        /// Seconds of audio that was enhanced, and seconds it took, all workers together working.
        public var audioSeconds = 0.0
        public var seconds = 0.0
        /// Evaluations of the network.
        public var nfe = 0

        /// Seconds of computing for each second of audio; `nil` where nothing was enhanced.
        public var realTimeFactor: Double? { audioSeconds > 0 ? seconds / audioSeconds : nil }
    }

    /// Where intermediate states go: beside the folder of the outputs, so that nothing takes them for enhanced files.
    ///
    /// Those of `a/b.wav` are `a/b/1-t0.800.wav` and so on: their number, and the process time that they were reached at.
    /// Where `a/b.flac` lies beside it, they are `a/b.wav/1-t0.800.wav`. Those of an earlier call are removed first.
    public static func statesFolder(beside output: String) -> String {
        output.hasSuffix("/") ? String(output.dropLast()) + "-states" : output + "-states"
    }

    /// A file that is to be enhanced.
    struct Job: Sendable {
        var name: String
        var input: String
        var output: String
        /// The folder for its intermediate states.
        var states: String
        var rate: Int
    }

    private enum Outcome: Sendable {
        case done(seconds: Double, nfe: Int, clipped: Int, segments: Int)
        case failed(String)
    }

    public let enhancer: Enhancer
    /// The rate of the model, in Hz; other files are converted.
    public let sampleRate: Int
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
    ///   - output: A folder; it is made.
    /// - Throws: `EnhancementInputError` with every file that cannot be enhanced, before any is; `Interrupted`.
    public func run(
        input: String, output: String, interruption: Interruption = Interruption(),
        observe: (ExperimentEvent) -> Void = { _ in }
    ) throws -> Summary {
        var summary = Summary()
        let jobs = try jobs(input, output, &summary)
        let start = ContinuousClock.now
        try WorkQueue.run(count: jobs.count, interruption: interruption) { index in
            try enhance(jobs[index])
        } done: { index, outcome in
            switch outcome {
            case .done(let seconds, let nfe, let clipped, let segments):
                summary.enhanced += 1
                summary.audioSeconds += seconds
                summary.nfe += nfe
                summary.clipped += clipped
                if segments > 1 { summary.segmented += 1 }
                if jobs[index].rate != sampleRate { summary.resampled += 1 }
            case .failed(let reason): summary.failed.append((jobs[index].name, reason))
            }
            let done = summary.enhanced + summary.failed.count
            observe(
                .evaluated(
                    run: "enhance", label: "enhance", file: jobs[index].name, done: done, of: jobs.count,
                    secondsLeft: start.secondsUntilNow / Double(done) * Double(jobs.count - done)))
        }
        summary.seconds = start.secondsUntilNow
        summary.failed.sort { $0.file < $1.file }
        return summary
    }

    // MARK: The files

    /// The files that are to be enhanced; each header is read, so that a wrong file is met before the work begins.
    private func jobs(_ input: String, _ output: String, _ summary: inout Summary) throws -> [Job] {
        let (folder, all, neighbours) = try Self.names(in: input)
        let (source, target) = (Self.resolved(folder), Self.resolved(output))
        let statesFolder = Self.statesFolder(beside: output)
        let ownFolders = [target + "/", Self.resolved(statesFolder) + "/"]
        guard source != target else {
            throw EnhancementInputError(problems: [(output, "is the folder of the inputs, which would be replaced; name another")])
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: output, isDirectory: &isFolder), !isFolder.boolValue {
            throw EnhancementInputError(problems: [(output, "is a file, and enhanced files go into a folder; name one")])
        }
        let names = all.filter { !ownFolders.contains(where: Self.resolved(source + "/" + $0).hasPrefix) }
        let stateNames = Self.stateNames(Set(names + neighbours))
        var jobs: [Job] = []
        var problems: [(String, String)] = []
        for name in names {
            var job = Job(
                name: name, input: folder + "/" + name, output: output + "/" + name,
                states: statesFolder + "/" + (stateNames[name] ?? name), rate: sampleRate)
            if !options.replaces, FileManager.default.fileExists(atPath: job.output) {
                summary.skipped += 1
                continue
            }
            do {
                let header = try SoundFile.header(of: job.input)
                guard header.channels == 1 else { throw SoundFileError(job.input, .notMono(channels: header.channels)) }
                job.rate = header.sampleRate
                jobs.append(job)
            } catch let error as SoundFileError {
                problems.append((name, error.summary))
            }
        }
        guard problems.isEmpty else { throw EnhancementInputError(problems: problems) }
        guard !jobs.isEmpty || summary.skipped > 0 else {
            throw EnhancementInputError(problems: [(input, "holds no .wav or .flac file")])
        }
        return jobs
    }

    /// The folder of the inputs, the names in it, and those of the sounds that lie beside a single one.
    private static func names(in input: String) throws -> (folder: String, names: [String], neighbours: [String]) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: input, isDirectory: &isFolder) else {
            throw EnhancementInputError(problems: [(input, "no such file or folder")])
        }
        if isFolder.boolValue { return (input, try SoundFolder.files(in: input), []) }
        let file = URL(fileURLWithPath: input)
        let folder = file.deletingLastPathComponent().path
        let beside = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return (folder, [file.lastPathComponent], beside.filter { SoundFolder.isSound($0) })
    }

    /// The folder of each file's states: its name without the end, or the whole where that would be another's folder too.
    private static func stateNames(_ names: Set<String>) -> [String: String] {
        func stem(_ name: String) -> String { (name as NSString).deletingPathExtension }
        let sharing = Dictionary(grouping: names, by: stem)
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                let own = stem(name)
                let isAlone = sharing[own]?.count == 1 && !names.contains(own)
                return (name, isAlone ? own : name)
            })
    }

    private static func resolved(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }

    // MARK: One file

    /// - Throws: What concerns all files alike, such as a full disk; what is wrong with this one is its outcome.
    private func enhance(_ job: Job) throws -> Outcome {
        do {
            let noisy = try SoundFile.readMono(job.input)
            let isOther = job.rate != sampleRate
            let heard = isOther ? try Resampler(from: job.rate, to: sampleRate).resample(noisy) : noisy
            let reference = try references?.reference(for: .init(id: job.name, noisy: heard, clean: try clean(job)))
            let result = try enhancer.enhance(
                heard, file: job.name, seed: options.seed, reference: reference?.reference ?? .zero, states: options.states)
            try write(result.states, of: job)
            var (audio, rate) = (result.audio, sampleRate)
            if isOther, options.restoresRate {
                (audio, rate) = (try Resampler(from: sampleRate, to: job.rate).resample(audio), job.rate)
                audio = Array(audio.prefix(noisy.count)) + [Float](repeating: 0, count: max(0, noisy.count - audio.count))
            }
            try FileManager.default.createDirectory(
                atPath: (job.output as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            let clipped = try SoundFile.write(audio, sampleRate: rate, to: job.output, as: options.encoding)
            return .done(seconds: Double(noisy.count) / Double(job.rate), nfe: result.nfe, clipped: clipped, segments: result.segments)
        } catch let error as EnhancementError {
            return .failed(error.description)
        } catch let error as SoundFileError {
            if case .unwritable = error.reason { throw error }
            return .failed(error.summary)
        } catch let error as ResamplingError {
            return .failed(error.description)
        } catch let error as ReferenceError {
            return .failed(error.description)
        }
    }

    /// Writes states as floats at the model's rate: they may lie beyond full scale.
    private func write(_ states: [Enhancer.State], of job: Job) throws {
        guard !states.isEmpty else { return }
        try Self.removeStates(in: job.states)
        try FileManager.default.createDirectory(atPath: job.states, withIntermediateDirectories: true)
        for (index, state) in states.enumerated() {
            let name = String(format: "%d-t%.3f.wav", index + 1, state.time)
            try SoundFile.write(state.audio, sampleRate: sampleRate, to: job.states + "/" + name, as: .float32)
        }
    }

    /// Removes the states of an earlier call, which another sampler may have met at other times.
    private static func removeStates(in folder: String) throws {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.wholeMatch(of: #/[0-9]+-t[0-9]+\.[0-9]{3}\.wav/#) != nil {
            let path = folder + "/" + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else { continue }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    private func clean(_ job: Job) throws -> [Float]? {
        try cleanFolder.map { try SoundFile.readMono($0 + "/" + job.name, convertedTo: sampleRate) }
    }
}

/// Files that cannot be enhanced, each with what is wrong; nothing was done.
public struct EnhancementInputError: Error, Sendable, CustomStringConvertible {
    public var problems: [(file: String, reason: String)]

    public var description: String {
        (["nothing was enhanced:"] + problems.map { "  \($0.file): \($0.reason)" }).joined(separator: "\n")
    }
}
