import Foundation
import Kernels

/// A fingerprint of a recording that does not depend on level, start, sample rate or coding.
///
///     word[n] bit b = [ Δ(n, b) − Δ(n − 3, b) > 0 ],    Δ(n, b) = log E(n, b) − log E(n, b + 1)
///
/// with `E` the energy of frame `n` (128 ms, every 24 ms) in 33 bands from 300 to 3400 Hz, logarithmically spaced:
/// Haitsma and Kalker, *A highly robust audio fingerprinting system*, ISMIR 2002, with shorter frames and logarithms,
/// for speech. Frames far below the loudest, and frames in which nothing changes, have no word.
public struct Fingerprint: Hashable, Sendable {
    /// One word per frame; `nil` for a frame that is too quiet or does not change.
    public var words: [UInt32?]

    /// s between frames, and of a frame.
    public static let hop = 0.024, window = 0.128
    /// The longest part of a recording that is fingerprinted, in s.
    static let longest = 60.0
    private static let bands = 33
    /// Frames between which the change is taken.
    private static let distance = 3

    /// - Precondition: The rate is a multiple of 1000 Hz, so that a hop is a whole number of samples.
    public init(of samples: [Float], sampleRate: Int) {
        precondition(sampleRate % 1000 == 0, "a fingerprint at \(sampleRate) Hz")
        let (hop, window) = (Int(Self.hop * Double(sampleRate)), Int(Self.window * Double(sampleRate)))
        let count = min(samples.count, Int(Self.longest * Double(sampleRate)))
        guard count >= window else {
            words = []
            return
        }
        let frames = (count - window) / hop + 1
        let energies = Self.energies(samples, frames: frames, hop: hop, window: window, sampleRate: sampleRate)
        let totals = energies.map { $0.reduce(0, +) }
        // 45 dB below the loudest frame.
        let least = (totals.max() ?? 0) * 3e-5
        let contrasts = energies.map { bands in
            (0..<Self.bands - 1).map {
                log(bands[$0] + 0.01 * least + 1e-20) - log(bands[$0 + 1] + 0.01 * least + 1e-20)
            }
        }
        words = (0..<frames).map { frame in
            guard frame >= Self.distance, totals[frame] > least, totals[frame - Self.distance] > least else {
                return nil
            }
            return Self.word(contrasts[frame], contrasts[frame - Self.distance])
        }
    }

    private static func word(_ now: [Float], _ before: [Float]) -> UInt32? {
        var (word, change): (UInt32, Float) = (0, 0)
        for band in now.indices {
            let difference = now[band] - before[band]
            change += abs(difference)
            if difference > 0 { word |= 1 << UInt32(band) }
        }
        return change > 0.1 * Float(now.count) ? word : nil
    }

    /// Energies by frame and band.
    private static func energies(_ samples: [Float], frames: Int, hop: Int, window: Int, sampleRate: Int) -> [[Float]] {
        // Bins of 7.8125 Hz at every rate.
        let transform = RealFFT<Float>(length: window)
        let taper = (0..<window).map { Float(0.5 - 0.5 * cos(2 * .pi * (Double($0) + 0.5) / Double(window))) }
        let edges = (0...bands).map { band -> Int in
            let frequency: Double = 300 * pow(3400.0 / 300, Double(band) / Double(bands))
            return Int((frequency * Double(window) / Double(sampleRate)).rounded())
        }
        var (signal, spectrum) = (
            [Float](repeating: 0, count: window), [Float](repeating: 0, count: 2 * transform.bins)
        )
        return (0..<frames).map { frame in
            let start = frame * hop
            for index in 0..<window { signal[index] = samples[start + index] * taper[index] }
            transform.forward(signal, into: &spectrum)
            return (0..<bands).map { band in
                var sum: Float = 0
                for bin in edges[band]..<max(edges[band] + 1, edges[band + 1]) {
                    sum += spectrum[2 * bin] * spectrum[2 * bin] + spectrum[2 * bin + 1] * spectrum[2 * bin + 1]
                }
                return sum
            }
        }
    }

    /// The share of bits that differ where both have words, and how many frames that are.
    ///
    /// - Parameter offset: The frame of this recording at which the other one begins.
    func difference(to other: Fingerprint, offset: Int) -> (share: Double, frames: Int) {
        var (bits, frames) = (0, 0)
        for frame in max(0, -offset)..<max(0, -offset, min(other.words.count, words.count - offset)) {
            guard let mine = words[frame + offset], let theirs = other.words[frame] else { continue }
            bits += (mine ^ theirs).nonzeroBitCount
            frames += 1
        }
        return (frames == 0 ? 1 : Double(bits) / Double(32 * frames), frames)
    }
}
