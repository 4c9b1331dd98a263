import Foundation
import Kernels
public import Tensors

/// The short-time Fourier transform of a recording and its inverse, centred as in PyTorch.
///
/// Frames are `hop` samples apart, the first centred on sample 0; the signal is mirrored by `n_fft/2` at both
/// ends. `L` samples give `1 + ⌊L/hop⌋` frames of `⌊n_fft/2⌋ + 1` bins. Windows are periodic.
public struct ShortTimeFourier: Sendable {
    /// The window: Hann's, or its square root.
    public enum Window: String, CaseIterable, Sendable { case hann, sqrthann }

    /// Samples of a window.
    public let size: Int
    /// Samples between windows.
    public let hop: Int
    /// The window's `size` values.
    public let window: [Float]
    private let fft: RealFFT<Float>

    public init(size: Int, hop: Int, window: Window = .hann) {
        precondition(size > 1 && hop > 0, "an STFT of \(size) points every \(hop) samples")
        self.size = size
        self.hop = hop
        // In single precision, as PyTorch computes it: where only a frame's edge covers a sample, the inverse divides
        // by it.
        let step = Float(2 * Double.pi / Double(size))
        self.window = (0..<size).map { index in
            let hann = 0.5 - 0.5 * cos(Float(index) * step)
            return window == .hann ? hann : hann.squareRoot()
        }
        fft = RealFFT(length: size)
    }

    /// Bins of a spectrum, from 0 to half of the sample rate.
    public var bins: Int { size / 2 + 1 }
    /// Frames of a centred transform of so many samples.
    public func frames(of samples: Int) -> Int { 1 + samples / hop }
    /// Shorter signals cannot be mirrored.
    public var shortestSignal: Int { size / 2 + 1 }

    /// `[B, F, N, 2]` of signals of one length.
    ///
    /// - Precondition: Every signal has more than `n_fft/2` samples.
    public func forward(_ signals: [[Float]]) -> Tensor {
        precondition(!signals.isEmpty && signals.allSatisfy { $0.count == signals[0].count }, "signals of one length")
        let samples = signals[0].count
        precondition(samples >= shortestSignal, "\(samples) samples are too few for an STFT of \(size) points")
        let (bins, frames, half) = (bins, frames(of: samples), size / 2)
        if let device = Device.current {
            let shape = ShortTimeShape(
                batch: signals.count, samples: samples, frames: frames, size: size, hop: hop, window: window)
            let spectra = device.shortTimeTransform(FloatBuffer(Array(signals.joined())), shape)
            return Tensor(buffer: spectra, shape: [signals.count, bins, frames, 2])
        }
        var out = [Float](repeating: 0, count: signals.count * bins * frames * 2)
        var windowed = [Float](repeating: 0, count: frames * size)
        var spectra = [Float](repeating: 0, count: frames * bins * 2)
        for (index, signal) in signals.enumerated() {
            for frame in 0..<frames {
                for n in 0..<size {
                    var at = frame * hop + n - half
                    if at < 0 { at = -at }
                    if at >= samples { at = 2 * (samples - 1) - at }
                    windowed[frame * size + n] = signal[at] * window[n]
                }
            }
            var parts = spectra.mutableSpan
            fft.forward(frames: frames, of: windowed.span, hop: size, into: &parts)
            let base = index * bins * frames * 2
            for frame in 0..<frames {
                for bin in 0..<bins {
                    let (to, from) = (base + (bin * frames + frame) * 2, (frame * bins + bin) * 2)
                    out[to] = spectra[from]
                    out[to + 1] = spectra[from + 1]
                }
            }
        }
        return Tensor(out, shape: [signals.count, bins, frames, 2])
    }

    /// Signals `[B, L]` from `[B, F, N, 2]`, by overlap-add over the squared windows; gradients flow through it.
    ///
    /// - Parameter length: `L`; `hop · (N − 1)` unless given. Samples after the last frame are zero.
    public func inverse(_ spectra: Tensor, length: Int? = nil) -> Tensor {
        precondition(
            spectra.rank == 4 && spectra.shape[1] == bins && spectra.shape[3] == 2,
            "an inverse STFT of \(spectra.shape) with \(bins) bins")
        let (batch, frames) = (spectra.shape[0], spectra.shape[2])
        let length = length ?? hop * (frames - 1)
        let envelope = envelope(frames)
        if let device = Device.current {
            return inverse(
                spectra, on: device,
                ShortTimeShape(
                    batch: batch, samples: length, frames: frames, size: size, hop: hop, window: window,
                    envelope: envelope))
        }
        let (bins, half) = (bins, size / 2)
        var out = [Float](repeating: 0, count: batch * length)
        var frame = [Float](repeating: 0, count: size)
        var bin = [Float](repeating: 0, count: bins * 2)
        spectra.withSpan { z in
            for b in 0..<batch {
                for n in 0..<frames {
                    for k in 0..<bins {
                        let from = ((b * bins + k) * frames + n) * 2
                        bin[2 * k] = z[from]
                        bin[2 * k + 1] = z[from + 1]
                    }
                    var samples = frame.mutableSpan
                    fft.inverse(bin.span, into: &samples)
                    let start = n * hop - half
                    for i in max(0, -start)..<max(0, -start, min(size, length - start)) {
                        out[b * length + start + i] += frame[i] * window[i]
                    }
                }
                for i in 0..<min(length, envelope.count) { out[b * length + i] *= envelope[i] }
            }
        }
        let transform = self
        return Tensor(out, shape: [batch, length], from: [spectra]) { dy in
            [transform.adjointInverse(dy, envelope: envelope, frames: frames)]
        }
    }

    private func inverse(_ spectra: Tensor, on device: Device, _ shape: ShortTimeShape) -> Tensor {
        let inShape = spectra.shape
        return Tensor(
            buffer: device.inverseShortTimeTransform(spectra.buffer, shape), shape: [shape.batch, shape.samples],
            from: [spectra]
        ) { dy, sink in
            sink.add(Tensor(buffer: device.inverseShortTimeTransformGradient(dy.buffer, shape), shape: inShape), to: 0)
        }
    }

    /// The sum of the squared windows of `frames` frames at each sample from 0 to the last window's end.
    ///
    /// The inverse divides by it. Over the last half window it falls to almost nothing, and the rounding of the frames
    /// grows as it falls.
    public func squaredWindows(_ frames: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: size + hop * (frames - 1))
        for n in 0..<frames {
            for i in 0..<size { sums[n * hop + i] += Double(window[i]) * Double(window[i]) }
        }
        return Array(sums.dropFirst(size / 2))
    }

    /// One over the sum of squared windows at each sample from 0 on; 0 where no window reaches.
    private func envelope(_ frames: Int) -> [Float] {
        squaredWindows(frames).map { $0 > 1e-11 ? Float(1 / $0) : 0 }
    }

    /// `dL/dZ_k = c_k/N · FFT(w · dL/dframe)_k` with `c` 1 at the ends of the spectrum and 2 between.
    private func adjointInverse(_ dy: Tensor, envelope: [Float], frames: Int) -> Tensor {
        let (batch, length, bins, half) = (dy.shape[0], dy.shape[1], bins, size / 2)
        var out = [Float](repeating: 0, count: batch * bins * frames * 2)
        var frame = [Float](repeating: 0, count: size)
        var bin = [Float](repeating: 0, count: bins * 2)
        dy.withSpan { g in
            for b in 0..<batch {
                for n in 0..<frames {
                    let start = n * hop - half
                    for i in 0..<size {
                        let at = start + i
                        frame[i] =
                            at >= 0 && at < length && at < envelope.count
                            ? g[b * length + at] * envelope[at] * window[i] : 0
                    }
                    var parts = bin.mutableSpan
                    fft.forward(frame.span, into: &parts)
                    for k in 0..<bins {
                        let isEnd = k == 0 || (size % 2 == 0 && k == size / 2)
                        let weight = (isEnd ? 1 : 2) / Float(size)
                        let to = ((b * bins + k) * frames + n) * 2
                        out[to] = bin[2 * k] * weight
                        out[to + 1] = isEnd ? 0 : bin[2 * k + 1] * weight
                    }
                }
            }
        }
        return Tensor(out, shape: [batch, bins, frames, 2])
    }
}

/// The front end: STFT and compression, and their inverses.
public struct FrontEnd: Sendable {
    /// The transform, from samples to spectra.
    public let stft: ShortTimeFourier
    /// The compression of the spectra's magnitudes.
    public let compression: SpectralCompression

    public init(stft: ShortTimeFourier, compression: SpectralCompression) {
        self.stft = stft
        self.compression = compression
    }

    /// Compressed spectrograms `[B, F, N, 2]` of signals of one length.
    public func spectrogram(_ signals: [[Float]]) -> Tensor { compression.compress(stft.forward(signals)) }

    /// Signals `[B, L]` of compressed spectrograms.
    public func audio(_ spectra: Tensor, length: Int? = nil) -> Tensor {
        stft.inverse(compression.expand(spectra), length: length)
    }
}
