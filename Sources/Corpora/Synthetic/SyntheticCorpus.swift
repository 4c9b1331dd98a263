import Audio
import Foundation
package import Kernels
public import Parallelism

/// The recipe `synthetic`: speech-like signals of several speakers in noise, or in rooms, without any download.
///
/// Speakers are disjoint between training, validation and test sets; the noise families, or the rooms'
/// reverberation times, of `test-ood` appear in no other set. Equal parameters give equal files, byte for byte.
public struct SyntheticCorpus: CorpusMaker {
    /// The name by which a spec chooses this recipe.
    public static let name = "synthetic"
    /// Raised whenever equal parameters would give other audio; part of the record and of the folder's name.
    public static let version = 1

    /// Decides speakers, speech, noise, rooms, lengths and levels.
    public var seed: UInt64 = 0
    /// Hz, 8000 to 192,000.
    public var sampleRate = 16_000
    /// Denoising adds noise, dereverberation convolves with a room's response.
    public var layout = Layout.denoising
    /// Pairs of the training set; 0 leaves the set out.
    public var train = 200
    /// Pairs of the validation set; 0 leaves the set out.
    public var valid = 8
    /// Pairs of the test set; 0 leaves the set out.
    public var test = 8
    /// Pairs of each out-of-distribution test set; 0 leaves them out.
    public var testOOD = 8
    /// Lengths in s, drawn uniformly; 0.25 to 60.
    public var seconds = 1.5...3.0
    /// SNRs (ratios of mean squares) in dB, drawn uniformly and rounded to 0.01 dB.
    public var snr = 0.0...10.0
    /// If not empty, `test-ood` becomes one set per ratio, such as `test-ood-5dB`, with the same speech and noise.
    public var oodSNRs: [Double] = []
    /// Noise families of the training, validation and test sets, taken in turn.
    public var noises = NoiseFamily.inDistribution
    /// Noise families of the out-of-distribution sets; none may be among ``noises``.
    public var oodNoises = NoiseFamily.outOfDistribution
    /// Reverberation times of the training, validation and test rooms, in s, drawn uniformly.
    public var t60 = 0.3...0.7
    /// Reverberation times of the out-of-distribution rooms, in s, drawn uniformly.
    public var oodT60 = 0.9...1.3

    public init() {}

    public init(_ change: (inout SyntheticCorpus) -> Void) { change(&self) }

    /// The sets with at least one pair: `train`, `valid`, `test`, and `test-ood` or one set per ratio.
    public var setNames: [String] { sets.map(\.name) }

    /// Computes and writes all sets in parallel; the same bytes for any number of workers.
    ///
    /// - Throws: ``CorpusError`` where a parameter is out of range or the disk fails; `Interrupted`.
    public func make(in folder: String, interruption: Interruption) throws {
        try validate(folder)
        for set in sets { try make(set, in: "\(folder)/\(set.name)", interruption) }
    }

    // MARK: Sets

    /// A set to be made. Sets of one `material` have the same speech and noise.
    package struct SetPlan: Sendable {
        package var name: String
        var material: String
        package var count: Int
        /// Numbers of the voices.
        var voices: Range<Int>
        var noises: [NoiseFamily]
        var t60: ClosedRange<Double>
        /// `nil` draws it.
        var snr: Double?
    }

    package var sets: [SetPlan] {
        func plan(
            _ name: String, _ count: Int, _ voices: Range<Int>, ood: Bool = false, material: String? = nil,
            snr: Double? = nil
        )
            -> SetPlan
        {
            SetPlan(
                name: name, material: material ?? name, count: count, voices: voices, noises: ood ? oodNoises : noises,
                t60: ood ? oodT60 : t60, snr: snr)
        }
        let series = oodSNRs.map { snr in
            let label = snr == snr.rounded() ? "\(Int(snr))" : "\(snr)"
            return plan("test-ood-\(label)dB", testOOD, 24..<30, ood: true, material: "test-ood", snr: snr)
        }
        let all =
            [plan("train", train, 0..<20), plan("valid", valid, 20..<24), plan("test", test, 24..<30)]
            + (series.isEmpty ? [plan("test-ood", testOOD, 24..<30, ood: true)] : series)
        return all.filter { $0.count > 0 }
    }

    package func validate(_ folder: String) throws(CorpusError) {
        let problem: String? =
            if sampleRate < 8000 || sampleRate > 192_000 {
                "a sampling rate of \(sampleRate) Hz is not in 8000...192000"
            } else if [train, valid, test, testOOD].contains(where: { $0 < 0 }) {
                "a number of files is negative"
            } else if seconds.lowerBound < 0.25 || seconds.upperBound > 60 {
                "lengths must lie in 0.25...60 s"
            } else if noises.isEmpty || oodNoises.isEmpty {
                "a list of noise families is empty"
            } else if !Set(noises).isDisjoint(with: oodNoises) {
                "a noise family is both in and out of distribution"
            } else if layout == .dereverberation && !oodSNRs.isEmpty {
                "a reverberant corpus has no SNR"
            } else if t60.lowerBound <= 0 || oodT60.lowerBound <= 0 { "a reverberation time is not positive" } else {
                nil
            }
        if let problem { throw CorpusError(folder, .impossible(problem)) }
    }

    private func make(_ set: SetPlan, in folder: String, _ interruption: Interruption) throws {
        let (clean, noisy) = ("\(folder)/\(layout.cleanFolder)", "\(folder)/\(layout.noisyFolder)")
        do {
            for path in [clean, noisy] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            }
        } catch {
            throw CorpusError(folder, .disk(error.localizedDescription))
        }
        let results = try (0..<set.count).parallelMap(block: 2, interruption: interruption) { number in
            let (mixture, entry) = pair(number, of: set)
            do throws(SoundFileError) {
                try SoundFile.write(mixture.clean, sampleRate: sampleRate, to: "\(clean)/\(entry.file)", durable: false)
                try SoundFile.write(mixture.noisy, sampleRate: sampleRate, to: "\(noisy)/\(entry.file)", durable: false)
                return Result<Manifest.Entry, SoundFileError>.success(entry)
            } catch {
                return .failure(error)
            }
        }
        do {
            let entries = try results.map { try $0.get() }.sorted { $0.file < $1.file }
            try Data(Manifest.csv(entries).utf8).write(to: URL(fileURLWithPath: "\(folder)/\(Manifest.fileName)"))
        } catch {
            throw CorpusError(folder, .disk("\(error)"))
        }
    }

    // MARK: Pairs

    /// One pair, a function of seed, material and number alone.
    package func pair(_ number: Int, of set: SetPlan) -> (Mixture, Manifest.Entry) {
        pair(number, of: set) { request in
            Voice(seed: seed, number: request.speaker).speech(
                count: request.count, sampleRate: sampleRate, stream: request.stream)
        }
    }

    /// The speech that a pair needs.
    package struct SpeechRequest {
        /// The number of the speaker.
        package var speaker: Int
        /// Samples that were drawn for it.
        package var count: Int
        package var stream: RandomStream
    }

    /// One pair with the speech that `speech` gives, of the length drawn or another.
    package func pair(
        _ number: Int, of set: SetPlan, speech: (SpeechRequest) throws -> [Float]
    ) rethrows -> (Mixture, Manifest.Entry) {
        let stream = RandomStream(seed: seed, purpose: "synthetic \(set.material)", number)
        var draws = Draws(stream.child(0))
        let count = Int(draws.uniform(seconds) * Double(sampleRate))
        let speaker = set.voices.lowerBound + number % set.voices.count
        let level = draws.uniform(-32...(-22))
        let drawnSNR = (draws.uniform(snr) * 100).rounded() / 100
        var speech = try speech(SpeechRequest(speaker: speaker, count: count, stream: stream.child(1)))
        speech.scale(toRootMeanSquare: pow(10, level / 20))

        let file = String(format: "s%02d_%04d.wav", speaker, number)
        var entry = Manifest.Entry(file: file, speaker: String(format: "s%02d", speaker), seed: seed)
        switch layout {
        case .denoising:
            let family = set.noises[number % set.noises.count]
            let noise = family.samples(speech.count, sampleRate: sampleRate, stream: stream.child(2))
            let ratio = set.snr ?? drawnSNR
            (entry.noise, entry.snr) = (family.rawValue, ratio)
            return (Mixture(speech, with: noise, snr: ratio), entry)
        case .dereverberation:
            let time = (draws.uniform(set.t60) * 1000).rounded() / 1000
            let room = Room(t60: time, sampleRate: Double(sampleRate), draws: &draws)
            entry.noise = "room"
            entry.other = ["t60": "\(time)", "drr_db": String(format: "%.2f", room.directRatio)]
            return (Mixture(speech, noisy: room.reverberate(speech)), entry)
        }
    }
}
