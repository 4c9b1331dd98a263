import Audio
import Corpora
import Foundation
import Models
import Parallelism
import Specs

/// Enhances one file at a time, of any length, in the memory of a segment.
struct FileEnhancer: Sendable {
    /// A file whose header was read.
    struct Job: Sendable {
        var file: EnhancementFiles.File
        var header: SoundFile.Header
        /// Everything that decides its output.
        var settings: [String: String]
    }

    /// What is to be done about a file.
    enum Inspection: Sendable {
        /// It is to be enhanced; the settings in which its existing output differs, if there is one.
        case job(Job, differing: Set<String>?)
        /// The same settings made its output.
        case done
        /// The file at the path of its output was not made by this program.
        case foreign
        case failed(String)
    }

    enum Outcome: Sendable {
        case done(seconds: Double, Enhancer.Effort, clipped: Int)
        case failed(String)
    }

    let folder: FolderEnhancer
    let settings: [String: String]
    let ledger: EnhancementLedger
    let unfinished: UnfinishedFiles
    let interruption: Interruption

    private var options: FolderEnhancer.Options { folder.options }
    private var check: () throws -> Void { { try interruption.check() } }

    // MARK: Before the work

    /// - Throws: `Interrupted`.
    func inspect(_ file: EnhancementFiles.File) throws -> Inspection {
        do {
            let header = try SoundFile.header(of: file.input)
            guard header.channels == 1 || options.channels != .refuse else {
                return .failed("has \(header.channels) channels; --channels first or each says which to enhance")
            }
            var job = Job(file: file, header: header, settings: settings)
            if header.channels == 1 { job.settings["channels"] = nil }
            job.settings["input name"] = file.name
            job.settings["input"] = try ContentHash(ofFile: file.input, check: check).description
            if folder.references?.reference.mode == .oracle, let clean = file.clean {
                job.settings["clean"] = try ContentHash(ofFile: clean, check: check).description
            }
            guard FileManager.default.fileExists(atPath: file.output) else { return .job(job, differing: nil) }
            let differences = try ledger.entries(of: file.output, check: check).map {
                $0.differences(from: job.settings)
            }
            guard let differing = differences.min(by: { $0.count < $1.count }) else {
                return options.overwrites ? .job(job, differing: nil) : .foreign
            }
            return differing.isEmpty && !options.replaces ? .done : .job(job, differing: differing)
        } catch let error as SoundFileError {
            return .failed(error.summary)
        } catch let error as CorpusError {
            return .failed(error.summary)
        }
    }

    // MARK: The work

    /// - Throws: What concerns all files alike, such as a full disk; what is wrong with this one is its outcome.
    func enhance(_ job: Job) throws -> Outcome {
        do {
            try FileManager.default.createDirectory(atPath: place(of: job), withIntermediateDirectories: true)
            let count = options.channels == .each ? job.header.channels : 1
            var (effort, channels) = (Enhancer.Effort(), [ScratchSamples]())
            for channel in 0..<count {
                let (audio, own) = try enhance(channel, of: job)
                channels.append(audio)
                effort.nfe += own.nfe
                effort.segments = max(effort.segments, own.segments)
            }
            let clipped = try write(channels, of: job)
            return .done(seconds: job.header.duration, effort, clipped: clipped)
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

    /// The folder of a job's output, in which intermediate files are written.
    private func place(of job: Job) -> String {
        let folder = (job.file.output as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    private func enhance(_ channel: Int, of job: Job) throws -> (audio: ScratchSamples, Enhancer.Effort) {
        let noisy = try source(channel, of: job)
        let audio = try ScratchSamples(in: place(of: job))
        if job.header.channels > 1, options.channels == .each, try noisy.peak(interruption) == 0 {
            for block in noisy.blocks { try audio.append(try noisy.samples(in: block)) }  // a dead channel stays one
            return (audio, Enhancer.Effort(segments: 1))
        }
        let name = channel == 0 ? job.file.name : "\(job.file.name) channel \(channel + 1)"
        let states = StateWriter(
            job.file.states, channel: channel, of: options.channels == .each ? job.header.channels : 1,
            rate: folder.sampleRate, unfinished: unfinished)
        let effort = try run(noisy, name, try reference(noisy, channel, of: job)) { chunk in
            try audio.append(chunk.audio)
            try states.append(chunk.states, of: noisy.count)
        }
        try states.finish()
        return (audio, effort)
    }

    private func run(
        _ noisy: some SampleSource, _ name: String, _ reference: NoiseReference, emit: (Enhancer.Chunk) throws -> Void
    ) throws -> Enhancer.Effort {
        try folder.enhancer.enhance(
            noisy, file: name, seed: options.seed, reference: reference, states: options.states,
            interruption: interruption,
            emit: emit)
    }

    /// A channel at the model's rate: the file itself, or a copy on the disk.
    private func source(_ channel: Int, of job: Job) throws -> any SampleSource {
        let file = FileSamples(path: job.file.input, channel: channel, count: job.header.frames)
        guard job.header.sampleRate != folder.sampleRate else { return file }
        let stream = try ResamplerStream(Resampler(from: job.header.sampleRate, to: folder.sampleRate))
        let copy = try ScratchSamples(in: place(of: job))
        for block in file.blocks {
            try interruption.check()
            try copy.append(try stream.process(try file.samples(in: block)))
        }
        try copy.append(try stream.finish())
        return copy
    }

    // MARK: Noise references

    /// The first seconds of a recording in which a reference is searched, so that the search is bounded.
    private static let referenceSeconds = 600

    private func reference(_ noisy: some SampleSource, _ channel: Int, of job: Job) throws -> NoiseReference {
        guard let references = folder.references else { return .zero }
        let beginning = try noisy.samples(in: 0..<min(noisy.count, Self.referenceSeconds * folder.sampleRate))
        let recording = ReferenceChooser.Recording(
            id: job.file.name, noisy: beginning, clean: try clean(job, channel, count: beginning.count))
        return try references.reference(for: recording).reference
    }

    private func clean(_ job: Job, _ channel: Int, count: Int) throws -> [Float]? {
        guard let path = job.file.clean else { return nil }
        let header = try SoundFile.header(of: path)
        let frames = min(header.frames, (count * header.sampleRate + folder.sampleRate - 1) / folder.sampleRate)
        let channels = try SoundFile.read(path, frames: 0..<frames).channels
        let samples = channels[min(channel, channels.count - 1)]
        return Array(try Resampler(from: header.sampleRate, to: folder.sampleRate).resample(samples).prefix(count))
    }

    // MARK: Writing

    /// Writes the enhanced channels at their rate, and puts the file on record.
    ///
    /// - Returns: Samples that saturated.
    private func write(_ channels: [ScratchSamples], of job: Job) throws -> Int {
        let restores = options.restoresRate && job.header.sampleRate != folder.sampleRate
        let rate = restores ? job.header.sampleRate : folder.sampleRate
        let frames = restores ? job.header.frames : channels[0].count
        let back = Resampler(from: folder.sampleRate, to: rate)
        let streams = restores ? try channels.map { _ in try ResamplerStream(back) } : nil
        let writer = try SoundFileWriter(
            to: job.file.output, sampleRate: rate, channels: channels.count, frames: frames, as: options.encoding)
        unfinished.add(writer.temporaryPath)
        defer { unfinished.remove(writer.temporaryPath) }
        var left = frames
        func put(_ parts: [[Float]]) throws {
            let parts = parts.map { Array($0.prefix(left)) }
            left -= parts[0].count
            try writer.append(parts)
        }
        for block in channels[0].blocks {
            try interruption.check()
            let parts = try channels.map { try $0.samples(in: block) }
            try put(try streams.map { try zip($0, parts).map { try $0.process($1) } } ?? parts)
        }
        if let streams { try put(try streams.map { try $0.finish() }) }
        if left > 0 { try put(channels.map { _ in [Float](repeating: 0, count: left) }) }
        try writer.close()
        try ledger.add(job.settings, of: writer.temporaryPath, as: job.file.output, check: check)
        try writer.publish()
        return writer.clipped
    }
}
