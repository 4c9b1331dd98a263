import Audio
import Foundation

/// All measurements of a pair, from one reading of both files.
struct PairExamination: Sendable {
    var clean: Result<AudioFacts, SoundFileError>
    var noisy: Result<AudioFacts, SoundFileError>
    /// Means of the samples.
    var (cleanMean, noisyMean) = (0.0, 0.0)
    var alignment: PairAlignment?
    /// dB: the part of the noisy file that the clean one explains over the rest; `nil` where the files cannot be
    /// compared.
    var snr: Double?
    /// Of the clean file; `nil` where it cannot be read.
    var fingerprint: Fingerprint?

    init(_ file: PairedFile) {
        let (x, y) = (Self.read(file.cleanPath), Self.read(file.noisyPath))
        (clean, noisy) = (x.map(\.1), y.map(\.1))
        if case .success(let (sound, _)) = x {
            cleanMean = Self.mean(sound.channels[0])
            fingerprint = Self.fingerprint(sound)
        }
        if case .success(let (sound, _)) = y { noisyMean = Self.mean(sound.channels[0]) }
        guard case .success(let (first, _)) = x, case .success(let (second, _)) = y,
            first.sampleRate == second.sampleRate,
            first.channels.count == 1, second.channels.count == 1
        else { return }
        let (a, b) = (first.channels[0], second.channels[0])
        alignment = PairAlignment(name: file.name, sampleRate: first.sampleRate, first: a, second: b)
        if a.count == b.count { snr = Self.snr(a, b) }
    }

    private static func read(_ path: String) -> Result<(Sound, AudioFacts), SoundFileError> {
        do throws(SoundFileError) {
            let (sound, header) = try SoundFile.readWithHeader(path)
            var facts = AudioFacts(of: sound)
            facts.header = header
            return .success((sound, facts))
        } catch {
            return .failure(error)
        }
    }

    private static func fingerprint(_ sound: Sound) -> Fingerprint? {
        guard let samples = sound.channels.first else { return nil }
        let head = Array(samples.prefix(Int(Fingerprint.longest * Double(sound.sampleRate))))
        guard sound.sampleRate % 1000 != 0 || sound.sampleRate < 7000 else {
            return Fingerprint(of: head, sampleRate: sound.sampleRate)
        }
        let resampled = try? Resampler(from: sound.sampleRate, to: 16_000).resample(head)
        return resampled.map { Fingerprint(of: $0, sampleRate: 16_000) }
    }

    /// Four partial sums, so that the additions do not depend on each other.
    private static func mean(_ samples: [Float]) -> Double {
        var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
        var index = 0
        while index + 4 <= samples.count {
            a += Double(samples[index])
            b += Double(samples[index + 1])
            c += Double(samples[index + 2])
            d += Double(samples[index + 3])
            index += 4
        }
        for sample in samples[index...] { a += Double(sample) }
        return samples.isEmpty ? 0 : (a + b + c + d) / Double(samples.count)
    }

    /// `10 log10(g²‖x‖² / ‖y − g x‖²)`, `g = ⟨x, y⟩ / ‖x‖²`; at most 100 dB.
    private static func snr(_ x: [Float], _ y: [Float]) -> Double? {
        var (xx, xy, yy) = (0.0, 0.0, 0.0)
        for index in x.indices {
            let (a, b) = (Double(x[index]), Double(y[index]))
            xx += a * a
            xy += a * b
            yy += b * b
        }
        guard xx > 0, yy > 0 else { return nil }
        let explained = xy * xy / xx
        return 10 * log10(max(explained, 1e-10 * yy) / max(yy - explained, 1e-10 * yy))
    }
}
