import Kernels

/// The Bark-band powers of short frames of a signal.
struct BandSpectra {
    let bands: BarkBands
    /// `[frame, band]`
    private(set) var powers: [Float]
    let frames: Int

    private let fft: RealFFT<Float>
    private var frame: [Float]
    private var spectrum: [Float]

    /// All powers zero.
    init(_ bands: BarkBands, frames: Int) {
        self.bands = bands
        self.frames = frames
        powers = [Float](repeating: 0, count: frames * bands.count)
        fft = RealFFT(length: bands.frameLength)
        frame = [Float](repeating: 0, count: fft.length)
        spectrum = [Float](repeating: 0, count: 2 * fft.bins)
    }

    /// The powers of one frame.
    func row(_ index: Int) -> ArraySlice<Float> { powers[index * bands.count..<(index + 1) * bands.count] }

    subscript(index: Int, band: Int) -> Float { powers[index * bands.count + band] }

    /// Sets the powers of frame `index` to those of the samples from `start`.
    mutating func analyze(_ samples: [Float], from start: Int, frame index: Int) {
        for n in 0..<fft.length { frame[n] = samples[start + n] * bands.window[n] }
        fft.forward(frame, into: &spectrum)
        (spectrum[0], spectrum[1]) = (0, 0)
        for band in 0..<bands.count {
            var sum: Float = 0
            for bin in bands.bins[band] {
                sum += spectrum[2 * bin] * spectrum[2 * bin] + spectrum[2 * bin + 1] * spectrum[2 * bin + 1]
            }
            powers[index * bands.count + band] = sum * bands.powerScales[band]
        }
    }

    /// The summed power of the bands that exceed `factor` times their threshold, in one frame.
    func audiblePower(_ index: Int, above factor: Float = 1) -> Float {
        var sum = 0.0
        for band in 1..<bands.count {
            let power = self[index, band]
            if power > factor * bands.thresholds[band] { sum += Double(power) }
        }
        return Float(sum)
    }

    /// The mean power of each band over the chosen frames, counting only what is 20 dB above threshold, and
    /// dividing by `count`.
    func clearMeans(over chosen: [Int], dividedBy count: Int) -> [Float] {
        (0..<bands.count).map { band in
            let limit = 100 * bands.thresholds[band]
            var sum = 0.0
            for index in chosen where self[index, band] > limit { sum += Double(self[index, band]) }
            return Float(sum / Double(count))
        }
    }

    mutating func scale(frame index: Int, by gain: Float) {
        for band in 0..<bands.count { powers[index * bands.count + band] *= gain }
    }

    /// Multiplies each band by its gain, in all frames.
    mutating func scale(bands gains: [Float]) {
        for index in 0..<frames {
            for band in 0..<bands.count { powers[index * bands.count + band] *= gains[band] }
        }
    }
}
