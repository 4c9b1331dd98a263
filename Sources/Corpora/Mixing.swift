import Foundation

/// The target, the mixture, and the gain that both received so that neither clips.
public struct Mixture: Hashable, Sendable {
    /// The target: clean speech times ``gain``.
    public var clean: [Float]
    /// The network's input: the noisy or reverberant signal times ``gain``, as long as ``clean``.
    public var noisy: [Float]
    /// 1 unless the peak would have passed the ceiling.
    public var gain: Double

    /// Adds noise at a ratio of mean squares, taken over the whole of both signals, silence included.
    ///
    ///     noisy = clean + g noise,   g² = mean(clean²) / (mean(noise²) 10^(snr/10))
    ///
    /// Both results are scaled alike if a peak is above `ceiling`, which leaves the ratio as it is.
    ///
    /// - Precondition: Equal lengths, and neither signal is silent.
    public init(_ clean: [Float], with noise: [Float], snr: Double, ceiling: Double = 0.99) {
        precondition(clean.count == noise.count, "clean has \(clean.count) samples, noise \(noise.count)")
        let (speechPower, noisePower) = (clean.meanSquare, noise.meanSquare)
        precondition(speechPower > 0 && noisePower > 0, "a ratio to silence has no dB")
        var noisy = clean
        noisy.add(noise, gain: Float((speechPower / noisePower / pow(10, snr / 10)).squareRoot()))
        self.init(clean, noisy: noisy, ceiling: ceiling)
    }

    /// A pair scaled alike so that no peak is above the ceiling.
    public init(_ clean: [Float], noisy: [Float], ceiling: Double = 0.99) {
        self.clean = clean
        self.noisy = noisy
        let peak = Double(max(clean.peak, noisy.peak))
        gain = peak > ceiling ? ceiling / peak : 1
        if gain != 1 {
            self.clean.scale(by: gain)
            self.noisy.scale(by: gain)
        }
    }
}
