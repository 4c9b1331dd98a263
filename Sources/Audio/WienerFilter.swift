import Foundation
import Kernels

/// The classical anchor: a Wiener filter on short-time spectra, needing no training.
///
///     X̂ = ξ / (1 + ξ) Y,    ξ(n) = max(ξ_min, α |X̂(n−1)|² / σ²(n−1) + (1 − α) max(0, γ(n) − 1)),    γ = |Y|² / σ²
///
/// with the decision-directed a-priori SNR ξ of Ephraim and Malah, *Speech enhancement using a minimum mean-square
/// error short-time spectral amplitude estimator*, IEEE TASSP 32, 1984, Eq. (51), and the noise power σ² of
/// `NoiseTracker`. Frames of 32 ms, a quarter of it apart, with square-root Hann windows before and after.
public struct WienerFilter: Hashable, Sendable {
    /// The weight α of the last frame's estimate. The paper's 0.98 was chosen with the noise known; with tracked noise
    /// it costs speech at onsets: on 24 files of the synthetic corpus 0.98 gained 3.1 dB of SI-SDR, 0.95 3.9, 0.90 4.1.
    public var smoothing: Double
    /// The smallest a-priori SNR ξ_min in dB, which limits the attenuation of noise.
    public var floor: Double

    public init(smoothing: Double = 0.95, floor: Double = -25) {
        precondition((0..<1).contains(smoothing), "a smoothing of \(smoothing) is not in 0..<1")
        self.smoothing = smoothing
        self.floor = floor
    }

    /// The filtered signal, as long as the input and aligned with it.
    public func callAsFunction(_ noisy: [Float], sampleRate: Int) -> [Float] {
        guard !noisy.isEmpty else { return [] }
        var frames = ShortTimeFrames(of: noisy, hop: max(1, Int((0.008 * Double(sampleRate)).rounded())))
        let power = frames.power()
        let scale = power.reduce(0) { $0 + $1.reduce(0, +) }
        guard scale > 0 else { return noisy }
        let tiny = 1e-12 * scale / Double(power.count * power[0].count)
        let hop = Double(frames.hop) / Double(sampleRate)
        var noise = NoiseTracker(quietestOf: power, tiny: tiny, hop: hop)
        var lastRatio = [Double](repeating: 0, count: power[0].count)
        let lowest = pow(10, floor / 10)

        for (frame, periodogram) in power.enumerated() {
            noise.update(with: periodogram)
            var gains = [Float](repeating: 1, count: periodogram.count)
            for bin in periodogram.indices {
                let posterior = periodogram[bin] / noise.power[bin]
                let prior = max(
                    lowest, smoothing * lastRatio[bin] + (1 - smoothing) * max(0, posterior - 1))
                let gain = prior / (1 + prior)
                lastRatio[bin] = gain * gain * posterior
                gains[bin] = Float(gain)
            }
            frames.multiply(frame, by: gains)
        }
        return frames.signal()
    }
}

/// The power of the noise in each bin, tracked through speech by the probability that speech is present.
///
///     P = 1 / (1 + (1 + ξ₁) e^{−γ ξ₁ / (1 + ξ₁)}),    σ² ← β σ² + (1 − β) ((1 − P) |Y|² + P σ²)
///
/// Gerkmann and Hendriks, *Unbiased MMSE-based noise power estimation with low complexity and low tracking delay*,
/// IEEE TASL 20, 2012, with its fixed ξ₁ = 15 dB, β = 0.8 at a hop of 16 ms, and its guard against stagnation.
/// The start differs: the mean of the quietest tenth of the file's frames, not of its first frames, because a file may
/// begin with speech.
struct NoiseTracker {
    private(set) var power: [Double]
    private var presence: [Double]
    private let tiny: Double
    private let memory: Double
    private let presenceMemory: Double

    private static let speechRatio = pow(10, 1.5)

    /// - Parameters:
    ///   - frames: Periodograms of the whole signal.
    ///   - tiny: The smallest power, so that silence divides nothing by zero.
    ///   - hop: s between frames.
    init(quietestOf frames: [[Double]], tiny: Double, hop: Double) {
        let powers: [Double] = frames.map { $0.reduce(0, +) }
        let order = frames.indices.filter { powers[$0] > 0 }.sorted { powers[$0] < powers[$1] }
        let quiet = order.prefix(max(3, order.count / 10))
        var mean = [Double](repeating: 0, count: frames.first?.count ?? 0)
        for frame in quiet {
            for bin in mean.indices { mean[bin] += frames[frame][bin] / Double(quiet.count) }
        }
        power = mean.map { max($0, tiny) }
        presence = Array(repeating: 0.5, count: mean.count)
        self.tiny = tiny
        memory = pow(0.8, hop / 0.016)
        presenceMemory = pow(0.9, hop / 0.016)
    }

    mutating func update(with periodogram: [Double]) {
        let ratio = Self.speechRatio
        for bin in power.indices {
            let posterior = periodogram[bin] / power[bin]
            var speech = 1 / (1 + (1 + ratio) * exp(-posterior * ratio / (1 + ratio)))
            presence[bin] = presenceMemory * presence[bin] + (1 - presenceMemory) * speech
            if presence[bin] > 0.99 { speech = min(speech, 0.99) }
            let estimate = (1 - speech) * periodogram[bin] + speech * power[bin]
            power[bin] = max(tiny, memory * power[bin] + (1 - memory) * estimate)
        }
    }
}

/// A signal as windowed spectra that add up to it again: square-root Hann windows of four hops.
struct ShortTimeFrames {
    let hop: Int
    private let count: Int
    private let window: [Float]
    private let transform: RealFFT<Float>
    /// Real and imaginary parts in turn, per frame.
    private var spectra: [[Float]]

    init(of signal: [Float], hop: Int) {
        self.hop = hop
        count = signal.count
        let length = 4 * hop
        window = (0..<length).map { Float(sin(.pi * Double($0) / Double(length))) }
        transform = RealFFT(length: length)
        // Three hops of zeros in front give every sample four frames.
        let frames = (signal.count + hop - 1) / hop + 3
        var padded = [Float](repeating: 0, count: (frames + 3) * hop)
        padded.replaceSubrange(3 * hop..<3 * hop + count, with: signal)
        spectra = []
        spectra.reserveCapacity(frames)
        for frame in 0..<frames {
            spectra.append(transform.forward((0..<length).map { window[$0] * padded[frame * hop + $0] }))
        }
    }

    /// |Y|² by frame and bin.
    func power() -> [[Double]] {
        spectra.map { spectrum in
            (0..<spectrum.count / 2).map { bin in
                let (re, im) = (Double(spectrum[2 * bin]), Double(spectrum[2 * bin + 1]))
                return re * re + im * im
            }
        }
    }

    mutating func multiply(_ frame: Int, by gains: [Float]) {
        for bin in gains.indices {
            spectra[frame][2 * bin] *= gains[bin]
            spectra[frame][2 * bin + 1] *= gains[bin]
        }
    }

    /// Overlap-add; the squared windows sum to 2 everywhere.
    func signal() -> [Float] {
        var sum = [Float](repeating: 0, count: (spectra.count + 3) * hop)
        for (frame, spectrum) in spectra.enumerated() {
            let samples = transform.inverse(spectrum)
            for index in samples.indices { sum[frame * hop + index] += 0.5 * window[index] * samples[index] }
        }
        return Array(sum[3 * hop..<3 * hop + count])
    }
}
