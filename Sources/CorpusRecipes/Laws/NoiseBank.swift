import Audio
import Corpora
import Foundation
import Parallelism

/// The noise recordings of a law, of which cuts are drawn.
struct NoiseBank: Sendable {
    /// A part of a recording, one channel, at the recipe's rate.
    struct Cut: Sendable {
        var file: String
        /// s from the recording's beginning.
        var start: Double
        /// From 0.
        var channel: Int
        var samples: [Float]
    }

    private struct Recording: Sendable {
        var file: String
        var header: SoundFile.Header
        /// The frames that cuts are taken from.
        var frames: Range<Int>
    }

    private let root: RecordingFolder
    private let rate: Int
    /// From 1; a random one if `nil`.
    private let channel: Int?
    /// Whether a recording that is shorter than a cut is repeated; it is not drawn otherwise.
    private let repeats: Bool
    private let recordings: [Recording]
    private(set) var skipped: [String] = []
    private(set) var remarks: [String] = []

    init(
        root: RecordingFolder, label: String, names: [String], rate: Int, shortest: Double, channel: Int?, trim: Double,
        trimmed: [String],
        repeats: Bool, skipsBad: Bool
    ) throws {
        (self.root, self.rate, self.channel, self.repeats) = (root, rate, channel, repeats)
        let headers = names.parallelMap(block: 64) { file in
            Result<SoundFile.Header, SoundFileError> { () throws(SoundFileError) in try root.header(of: file) }
        }
        var found: [Recording] = []
        for (file, result) in zip(names, headers) {
            guard case .success(let header) = result else {
                if !skipsBad { _ = try result.get() }
                skipped.append("\(root.path)/\(file)")
                continue
            }
            let cut = Glob.matches(file, trimmed) ? Int(trim * Double(header.sampleRate)) : 0
            guard header.frames > 2 * cut else {
                throw CorpusError(
                    "\(root.path)/\(file)",
                    .impossible("it lasts \(header.duration) s, of which \(trim) s at both ends are left out"))
            }
            if let channel, channel > header.channels {
                throw CorpusError(
                    "\(root.path)/\(file)", .impossible("channel \(channel) is asked for, it has \(header.channels)"))
            }
            let recording = Recording(file: file, header: header, frames: cut..<header.frames - cut)
            if Double(recording.frames.count) / Double(header.sampleRate) >= shortest { found.append(recording) }
        }
        guard !found.isEmpty else {
            throw CorpusError(root.path, .impossible("no noise for '\(label)' is there, as the recipe chooses it"))
        }
        recordings = found
        let lower = Set(found.map(\.header.sampleRate).filter { $0 < rate }).sorted()
        if !lower.isEmpty {
            remarks.append(
                """
                noise in \(root.path) is at \(lower.map(String.init).joined(separator: ", ")) Hz: it has nothing above \
                half of that
                """
            )
        }
    }

    /// `count` samples of a random recording from a random position.
    ///
    /// - Throws: `CorpusError` where twenty draws in a row were silent; `SoundFileError`, `ResamplingError`.
    func cut(of count: Int, _ draws: inout Draws) throws -> Cut {
        let long = repeats ? recordings : recordings.filter { $0.frames.count * rate >= count * $0.header.sampleRate }
        guard !long.isEmpty else {
            throw CorpusError(
                root.path, .impossible("no noise is as long as \(Double(count) / Double(rate)) s of speech"))
        }
        for _ in 0..<20 {
            let recording = draws.pick(long)
            let channel = self.channel.map { $0 - 1 } ?? draws.integer(0...recording.header.channels - 1)
            let cut = try self.cut(of: count, recording, channel, &draws)
            if cut.samples.meanSquare > 1e-10 { return cut }
        }
        throw CorpusError(root.path, .impossible("twenty draws of noise in a row were silent"))
    }

    private func cut(of count: Int, _ recording: Recording, _ channel: Int, _ draws: inout Draws) throws -> Cut {
        let own = recording.header.sampleRate
        // One frame more than needed, so that rounding leaves none out.
        let needed = (count * own + rate - 1) / rate + 1
        let spare = recording.frames.count - needed
        let start = recording.frames.lowerBound + (spare > 0 ? draws.integer(0...spare) : 0)
        let range = start..<min(start + needed, recording.frames.upperBound)
        var samples = try root.sound(recording.file, frames: range).channels[channel]
        if own != rate { samples = try Resampler(from: own, to: rate).resample(samples) }
        let piece = (0..<count).map { samples[$0 % samples.count] }
        return Cut(file: recording.file, start: Double(start) / Double(own), channel: channel, samples: piece)
    }
}
