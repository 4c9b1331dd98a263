public import Audio
import Foundation

/// Measurements of a sound file that the checks and the fingerprint use.
public struct AudioFacts: Hashable, Sendable {
    /// Sample rate, channels, and length as the file's header gives them.
    public var header: SoundFile.Header
    /// The largest absolute sample of all channels; full scale is 1.
    public var peak: Float
    /// Mean of the squared samples over all channels; full scale is 1.
    public var meanSquare: Double
    /// Samples in runs of three or more at full scale: flat tops of a recording that saturated.
    public var clipped: Int
    /// Digest of the decoded samples: the same for the same audio stored in 16 bits or in floats.
    public var content: AudioDigest
    /// The content's hash in earlier versions; `nil` unless it was asked for.
    public var earlier: ContentHash?

    public init(
        header: SoundFile.Header, peak: Float, meanSquare: Double, clipped: Int, content: AudioDigest,
        earlier: ContentHash? = nil
    ) {
        self.header = header
        self.peak = peak
        self.meanSquare = meanSquare
        self.clipped = clipped
        (self.content, self.earlier) = (content, earlier)
    }

    /// - Parameter namesEarlier: Whether the content gets the name of earlier versions, too, for stores that they
    ///   wrote.
    public init(of sound: Sound, namesEarlier: Bool = false) {
        var peak: Float = 0
        var power = 0.0
        var clipped = 0
        for samples in sound.channels {
            let level = Self.level(of: samples)
            peak = max(peak, level.peak)
            power += level.energy
            if level.peak >= Self.fullScale { clipped += Self.clipped(in: samples) }
        }
        self.init(
            header: .init(sampleRate: sound.sampleRate, channels: sound.channels.count, frames: sound.frames),
            peak: peak, meanSquare: power / Double(max(1, sound.frames * sound.channels.count)), clipped: clipped,
            content: AudioDigest(of: sound.channels),
            earlier: namesEarlier ? ContentHash(ofChannels: sound.channels) : nil)
    }

    /// Reads and measures a file.
    public static func measure(_ path: String, namesEarlier: Bool = false) -> Result<AudioFacts, SoundFileError> {
        do throws(SoundFileError) {
            let (sound, header) = try SoundFile.readWithHeader(path)
            var facts = AudioFacts(of: sound, namesEarlier: namesEarlier)
            facts.header = header
            return .success(facts)
        } catch {
            return .failure(error)
        }
    }

    /// Level in dB below full scale.
    public var decibels: Double { 10 * log10(max(meanSquare, 1e-20)) }

    static let fullScale: Float = 32766.5 / 32768

    /// Eight sums in `Float` per block of 4096 samples, gathered in `Double`.
    private static func level(of samples: [Float]) -> (peak: Float, energy: Double) {
        var peaks = SIMD8<Float>(repeating: 0)
        var energy = 0.0
        var index = 0
        while index + 8 <= samples.count {
            var sums = SIMD8<Float>(repeating: 0)
            let end = min(index + 4096, samples.count & ~7)
            while index < end {
                let x = SIMD8<Float>(
                    samples[index], samples[index + 1], samples[index + 2], samples[index + 3],
                    samples[index + 4], samples[index + 5], samples[index + 6], samples[index + 7])
                sums += x * x
                peaks = pointwiseMax(peaks, pointwiseMax(x, -x))
                index += 8
            }
            energy += Double(sums.sum())
        }
        var peak = peaks.max()
        for sample in samples[index...] {
            energy += Double(sample * sample)
            peak = max(peak, abs(sample))
        }
        return (peak, energy)
    }

    private static func clipped(in samples: [Float]) -> Int {
        var total = 0
        var run = 0
        for sample in samples {
            if abs(sample) >= fullScale {
                run += 1
                total += run == 3 ? 3 : run > 3 ? 1 : 0
            } else {
                run = 0
            }
        }
        return total
    }
}
