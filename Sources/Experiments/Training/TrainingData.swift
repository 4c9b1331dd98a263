import Audio
import Corpora
import Foundation
import Kernels
import Objectives
import Specs
import Tensors

/// The training pairs of a run, addressed by number: pair `k` is the same on every machine and after every interruption.
///
/// Epoch `k / files` shuffles the files by (seed, epoch); the crop of pair `k` starts at a place drawn by (seed, k).
public struct TrainingData: Sendable {
    private let files: [PairedFile]
    private let frontEnd: FrontEnd
    private let rule: SegmentRule
    private let sampleRate: Int
    private let resamples: Bool
    private let seed: UInt64

    public init(files: [PairedFile], spec: DataSpec, frontEnd: FrontEnd, seed: UInt64) {
        precondition(!files.isEmpty, "training data without files")
        self.files = files
        self.frontEnd = frontEnd
        rule = SegmentRule(
            samples: (spec.numFrames - 1) * frontEnd.stft.hop, normalization: .init(rawValue: spec.normalize) ?? .noisy)
        sampleRate = spec.sampleRate
        resamples = spec.resample
        self.seed = seed
    }

    public var fileCount: Int { files.count }

    /// Compressed spectrograms `[B, F, N, 2]` of pairs `range`, clean and noisy.
    public func batch(_ range: Range<Int>) throws -> (clean: Tensor, noisy: Tensor) {
        let pairs = try range.map(pair)
        return (frontEnd.spectrogram(pairs.map(\.clean)), frontEnd.spectrogram(pairs.map(\.noisy)))
    }

    /// The centre crops of the first files, for validation.
    public func centred(_ range: Range<Int>) throws -> (clean: Tensor, noisy: Tensor) {
        let pairs = try range.map { try crop(files[$0], start: rule.centre) }
        return (frontEnd.spectrogram(pairs.map(\.clean)), frontEnd.spectrogram(pairs.map(\.noisy)))
    }

    private func pair(_ number: Int) throws -> (clean: [Float], noisy: [Float]) {
        let (epoch, place) = number.quotientAndRemainder(dividingBy: files.count)
        let order = RandomStream(seed: seed, purpose: "shuffle", epoch).permutation(files.count)
        let draw = RandomStream(seed: seed, purpose: "crop", number).uniform(0)
        return try crop(files[order[place]]) { Int(draw * Double($0 - rule.samples)) }
    }

    /// A segment of both files; only what is needed is read.
    private func crop(_ file: PairedFile, start: (Int) -> Int) throws -> (clean: [Float], noisy: [Float]) {
        let header = try SoundFile.header(of: file.noisyPath)
        guard header.sampleRate == sampleRate || !resamples else {
            let rates = (header.sampleRate, sampleRate)
            let (clean, noisy) = (try resampled(file.cleanPath, rates), try resampled(file.noisyPath, rates))
            return rule.cut(clean: clean, noisy: noisy, start: noisy.count > rule.samples ? start(noisy.count) : 0)
        }
        let first = header.frames > rule.samples ? start(header.frames) : 0
        let range = first..<min(header.frames, first + rule.samples)
        return rule.cut(
            clean: try SoundFile.readMono(file.cleanPath, frames: range, sampleRate: sampleRate),
            noisy: try SoundFile.readMono(file.noisyPath, frames: range, sampleRate: sampleRate), start: 0)
    }

    private func resampled(_ path: String, _ rates: (Int, Int)) throws -> [Float] {
        try Resampler(from: rates.0, to: rates.1).resample(SoundFile.readMono(path))
    }
}

/// How a training segment is cut from a pair of signals.
public struct SegmentRule: Sendable {
    /// What a segment is divided by: the peak of one of its signals, or nothing.
    public enum Normalization: String, Sendable { case noisy, clean, not }

    public var samples: Int
    public var normalization: Normalization

    public init(samples: Int, normalization: Normalization) {
        self.samples = samples
        self.normalization = normalization
    }

    /// Where the middle segment of a signal begins.
    public func centre(of count: Int) -> Int { max(0, count - samples) / 2 }

    /// The segment from `start` on, zero-padded on both sides where the signals are shorter, and normalised; a silent
    /// segment stays as it is.
    public func cut(clean: [Float], noisy: [Float], start: Int) -> (clean: [Float], noisy: [Float]) {
        func segment(_ signal: [Float]) -> [Float] {
            let missing = samples - signal.count
            guard missing > 0 else { return Array(signal[start..<start + samples]) }
            let before = missing / 2
            return [Float](repeating: 0, count: before) + signal + [Float](repeating: 0, count: missing - before)
        }
        let (x, y) = (segment(clean), segment(noisy))
        let peak: Float =
            switch normalization {
            case .noisy: y.reduce(0) { max($0, abs($1)) }
            case .clean: x.reduce(0) { max($0, abs($1)) }
            case .not: 1
            }
        return peak > 0 ? (x.map { $0 / peak }, y.map { $0 / peak }) : (x, y)
    }
}
