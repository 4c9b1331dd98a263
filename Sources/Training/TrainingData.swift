import Audio
public import Corpora
import Foundation
import Kernels
import Models
public import Objectives
public import Specs
import Synchronization
public import Tensors

/// The training pairs of a run, addressed by number: pair `k` is the same on every machine and after every
/// interruption.
///
/// Epoch `k / files` shuffles the files by (seed, epoch); the crop of pair `k` starts at a place drawn by (seed, k),
/// and so does its noise reference.
public struct TrainingData: Sendable {
    private let files: [PairedFile]
    private let frontEnd: FrontEnd
    private let rule: SegmentRule
    private let referenceRule: TrainingReference?
    private let sampleRate: Int
    private let rates: RatePolicy
    private let seed: UInt64
    private let shuffle: EpochShuffle

    /// The pairs of a conditioned model come with a noise reference.
    public init(files: [PairedFile], spec: ExperimentSpec, frontEnd: FrontEnd, seed: UInt64) {
        precondition(!files.isEmpty, "training data without files")
        self.files = files
        self.frontEnd = frontEnd
        rule = SegmentRule(
            samples: (spec.data.numFrames - 1) * frontEnd.stft.hop, normalization: spec.data.normalize)
        referenceRule = spec.conditioning.map { TrainingReference($0, hop: frontEnd.stft.hop) }
        sampleRate = spec.data.sampleRate
        rates = spec.ratePolicy
        self.seed = seed
        shuffle = EpochShuffle(seed: seed, count: files.count)
    }

    /// Number of pairs in the training set, which is one epoch.
    public var fileCount: Int { files.count }

    /// Compressed spectrograms of a batch of pairs.
    public struct Pairs: Sendable {
        /// `[B, F, N, 2]`.
        public var clean, noisy: Tensor
        /// The noise references `[B, F, R, 2]` of a conditioned model.
        public var reference: Tensor?
    }

    /// The pairs of a range of numbers.
    public func batch(_ range: Range<Int>) throws -> Pairs { transformed(try range.map(pair)) }

    /// The centre crops of the first files, for validation.
    public func centred(_ range: Range<Int>) throws -> Pairs {
        transformed(try range.map { try crop(files[$0], start: rule.centre) { max(0, $0 - $1) / 2 } })
    }

    private func transformed(_ crops: [Crop]) -> Pairs {
        Pairs(
            clean: frontEnd.spectrogram(crops.map(\.clean)), noisy: frontEnd.spectrogram(crops.map(\.noisy)),
            reference: referenceRule.map { _ in frontEnd.spectrogram(crops.map(\.reference)) })
    }

    private struct Crop {
        var clean, noisy, reference: [Float]
    }

    private func pair(_ number: Int) throws -> Crop {
        let (epoch, place) = number.quotientAndRemainder(dividingBy: files.count)
        let draw = RandomStream(seed: seed, purpose: "crop", number).uniform(0)
        let stream = RandomStream(seed: seed, purpose: "reference", number)
        return try crop(files[shuffle.file(at: place, epoch: epoch)], start: { Int(draw * Double($0 - rule.samples)) })
        {
            $0 > $1 ? stream.integer(0, below: $0 - $1 + 1) : 0
        }
    }

    /// A segment of both files and its noise reference; only what is needed is read.
    ///
    /// - Parameters:
    ///   - start: The place of the segment in so many samples.
    ///   - choose: The place of a reference of so many samples (the second) among so many (the first).
    private func crop(_ file: PairedFile, start: (Int) -> Int, reference choose: (Int, Int) -> Int) throws -> Crop {
        let header = try SoundFile.header(of: file.noisyPath)
        let count: Int
        let read: (String, Range<Int>) throws -> [Float]
        if header.sampleRate == sampleRate || rates != .convert {
            count = header.frames
            let required = rates == .ignore ? nil : sampleRate
            read = { try SoundFile.readMono($0, frames: $1, sampleRate: required) }
        } else {
            let resampler = Resampler(from: header.sampleRate, to: sampleRate)
            let whole = try [file.cleanPath, file.noisyPath].map { try resampler.resample(SoundFile.readMono($0)) }
            count = whole[1].count
            read = { path, range in Array(whole[path == file.cleanPath ? 0 : 1][range]) }
        }
        let first = count > rule.samples ? start(count) : 0
        let range = first..<min(count, first + rule.samples)
        let segment = rule.cut(clean: try read(file.cleanPath, range), noisy: try read(file.noisyPath, range), start: 0)
        guard let referenceRule else { return Crop(clean: segment.clean, noisy: segment.noisy, reference: []) }
        let part = referenceRule.range(in: count, segment: range, choose)
        let noise = zip(try read(file.noisyPath, part), try read(file.cleanPath, part)).map {
            ($0 - $1) / segment.divisor
        }
        return Crop(
            clean: segment.clean, noisy: segment.noisy, reference: SegmentRule.fitted(noise, to: referenceRule.samples))
    }
}

/// The order of the files in the epoch that is being read.
private final class EpochShuffle: Sendable {
    private let seed: UInt64
    private let count: Int
    private let current = Mutex<(epoch: Int, order: [Int])?>(nil)

    init(seed: UInt64, count: Int) { (self.seed, self.count) = (seed, count) }

    func file(at place: Int, epoch: Int) -> Int {
        current.withLock { current in
            if let current, current.epoch == epoch { return current.order[place] }
            let order = RandomStream(seed: seed, purpose: "shuffle", epoch).permutation(count)
            current = (epoch, order)
            return order[place]
        }
    }
}

/// Where a training pair's noise reference is cut from `y − x`.
struct TrainingReference: Sendable {
    var samples: Int
    /// Outside the segment if the file is long enough, otherwise inside.
    var isElsewhere: Bool

    init(_ spec: ConditioningSpec, hop: Int) {
        samples = (spec.refNumFrames - 1) * hop
        isElsewhere = spec.refFrom == .elsewhere
    }

    /// The range of the reference in a file of `count` samples, for the pair that is cut at `segment`; shorter if the
    /// file is too short.
    ///
    /// - Parameter choose: The place of so many samples (the second) among so many (the first).
    func range(in count: Int, segment: Range<Int>, _ choose: (Int, Int) -> Int) -> Range<Int> {
        let length = min(samples, isElsewhere ? count : segment.count)
        guard isElsewhere else {
            let start = segment.lowerBound + choose(segment.count, length)
            return start..<start + length
        }
        // Start positions before the segment, then those after it.
        let before = max(0, segment.lowerBound - length + 1)
        let behind = max(0, count - segment.upperBound - length + 1)
        guard before + behind > 0 else {
            let start = choose(count, length)
            return start..<start + length
        }
        let place = choose(before + behind, 1)
        let start = place < before ? place : segment.upperBound + place - before
        return start..<start + length
    }
}
