import Audio
import Corpora
import Foundation
import Models
import Parallelism
import Specs

/// Enhances files of any length, each in the memory of a segment.
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

    /// A channel of a file on its way.
    private struct Track {
        /// At the model's rate.
        let noisy: any SampleSource
        let reference: NoiseReference
        let name: String
        let audio: ScratchSamples
        let states: StateWriter
        /// It is silent beside other channels, and stays so.
        let isDead: Bool
    }

    /// Enhances files, several in one batch where their lengths allow it.
    ///
    /// - Throws: What concerns all files alike, such as a full disk; what is wrong with one is its outcome.
    func enhance(_ jobs: [Job]) throws -> [Outcome] {
        let begun = try jobs.map { job in try alone { (job: job, tracks: try tracks(of: job)) } }
        return try begun.mapTogether { begun in
            var efforts = try run(begun.flatMap(\.tracks))[...]
            return try begun.map { job, tracks in
                let own = tracks.map { _ in efforts.removeFirst() }
                return try alone { try finish(job, tracks, own) }
            }
        }.map { outcome in try outcome.flatMapError { error in Result { .failed(try Self.reason(error)) } }.get() }
    }

    /// What `body` makes of one file, or what is wrong with that file.
    ///
    /// - Throws: What concerns all files.
    private func alone<Made>(_ body: () throws -> Made) throws -> Result<Made, any Error> {
        let made = Result { try body() }
        if case .failure(let error) = made { _ = try Self.reason(error) }
        return made
    }

    /// Why a file alone fails.
    ///
    /// - Throws: The error, where it concerns all files.
    private static func reason(_ error: any Error) throws -> String {
        switch error {
        case let error as EnhancementError: return error.description
        case let error as SoundFileError:
            if case .unwritable = error.reason { throw error }
            return error.summary
        case let error as ResamplingError: return error.description
        case let error as ReferenceError: return error.description
        default: throw error
        }
    }

    private func tracks(of job: Job) throws -> [Track] {
        try FileManager.default.createDirectory(atPath: place(of: job), withIntermediateDirectories: true)
        return try (0..<(options.channels == .each ? job.header.channels : 1)).map { try track($0, of: job) }
    }

    private func track(_ channel: Int, of job: Job) throws -> Track {
        let channels = options.channels == .each ? job.header.channels : 1
        let noisy = try source(channel, of: job)
        let isDead = try channels > 1 && noisy.peak(interruption) == 0
        return Track(
            noisy: noisy, reference: isDead ? .zero : try reference(noisy, channel, of: job),
            name: channel == 0 ? job.file.name : "\(job.file.name) channel \(channel + 1)",
            audio: try ScratchSamples(in: place(of: job)),
            states: StateWriter(
                job.file.states, channel: channel, of: channels, rate: folder.sampleRate, unfinished: unfinished),
            isDead: isDead)
    }

    /// Enhances all tracks but dead ones, which are copied.
    private func run(_ tracks: [Track]) throws -> [Result<Enhancer.Effort, any Error>] {
        let living = tracks.filter { !$0.isDead }
        var efforts = try folder.enhancer.enhance(
            living.map { Enhancer.Recording(noisy: $0.noisy, name: $0.name, reference: $0.reference) },
            seed: options.seed, states: options.states, together: options.filesPerBatch, interruption: interruption
        ) { place, chunk in
            try living[place].audio.append(chunk.audio)
            try living[place].states.append(chunk.states, of: living[place].noisy.count)
        }[...]
        return tracks.map { track in
            guard track.isDead else { return efforts.removeFirst() }
            return Result {
                for block in track.noisy.blocks { try track.audio.append(try track.noisy.samples(in: block)) }
                return Enhancer.Effort(segments: 1)
            }
        }
    }

    /// Writes a file's output.
    ///
    /// - Throws: What ended one of its tracks.
    private func finish(_ job: Job, _ tracks: [Track], _ efforts: [Result<Enhancer.Effort, any Error>]) throws
        -> Outcome
    {
        var effort = Enhancer.Effort()
        for (track, own) in zip(tracks, efforts) {
            let own = try own.get()
            try track.states.finish()
            effort.nfe += own.nfe
            effort.segments = max(effort.segments, own.segments)
        }
        let clipped = try write(tracks.map(\.audio), of: job)
        return .done(seconds: job.header.duration, effort, clipped: clipped)
    }

    /// The folder of a job's output, in which intermediate files are written.
    private func place(of job: Job) -> String {
        let folder = (job.file.output as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
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
