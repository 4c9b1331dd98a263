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
    private let samples: Int
    private let normalization: Normalization
    private let sampleRate: Int
    private let resamples: Bool
    private let seed: UInt64

    /// What a crop is divided by.
    public enum Normalization: String, Sendable { case noisy, clean, not }

    public init(files: [PairedFile], spec: DataSpec, frontEnd: FrontEnd, seed: UInt64) {
        precondition(!files.isEmpty, "training data without files")
        self.files = files
        self.frontEnd = frontEnd
        samples = (spec.numFrames - 1) * frontEnd.stft.hop
        normalization = Normalization(rawValue: spec.normalize) ?? .noisy
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
        let pairs = try range.map { try crop(files[$0]) { ($0 - samples) / 2 } }
        return (frontEnd.spectrogram(pairs.map(\.clean)), frontEnd.spectrogram(pairs.map(\.noisy)))
    }

    private func pair(_ number: Int) throws -> (clean: [Float], noisy: [Float]) {
        let (epoch, place) = number.quotientAndRemainder(dividingBy: files.count)
        let order = RandomStream(seed: seed, purpose: "shuffle", epoch).permutation(files.count)
        let draw = RandomStream(seed: seed, purpose: "crop", number).uniform(0)
        return try crop(files[order[place]]) { Int(draw * Double($0 - samples)) }
    }

    /// A crop of both signals, zero-padded on both sides where the file is shorter, and normalised.
    private func crop(_ file: PairedFile, start: (Int) -> Int) throws -> (clean: [Float], noisy: [Float]) {
        let header = try SoundFile.header(of: file.noisyPath)
        var (clean, noisy): ([Float], [Float])
        if header.sampleRate != sampleRate, resamples {
            let rates = (Double(header.sampleRate), Double(sampleRate))
            clean = try resampled(file.cleanPath, rates)
            noisy = try resampled(file.noisyPath, rates)
            if noisy.count > samples {
                let first = start(noisy.count)
                clean = Array(clean[first..<first + samples])
                noisy = Array(noisy[first..<first + samples])
            }
        } else {
            var range = 0..<header.frames
            if header.frames > samples {
                let first = start(header.frames)
                range = first..<first + samples
            }
            clean = try SoundFile.readMono(file.cleanPath, frames: range, sampleRate: sampleRate)
            noisy = try SoundFile.readMono(file.noisyPath, frames: range, sampleRate: sampleRate)
        }
        let missing = samples - noisy.count
        if missing > 0 {
            clean = padded(clean, missing)
            noisy = padded(noisy, missing)
        }
        let peak: Float =
            switch normalization {
            case .noisy: noisy.reduce(0) { max($0, abs($1)) }
            case .clean: clean.reduce(0) { max($0, abs($1)) }
            case .not: 1
            }
        guard peak > 0 else { return (clean, noisy) }
        return (clean.map { $0 / peak }, noisy.map { $0 / peak })
    }

    private func padded(_ signal: [Float], _ missing: Int) -> [Float] {
        let before = missing / 2
        return [Float](repeating: 0, count: before) + signal + [Float](repeating: 0, count: missing - before)
    }

    private func resampled(_ path: String, _ rates: (Double, Double)) throws -> [Float] {
        try Resampler(from: Int(rates.0), to: Int(rates.1)).resample(SoundFile.readMono(path))
    }
}
