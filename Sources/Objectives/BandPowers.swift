import Kernels
import SpeechMetrics

/// The powers of a waveform in PESQ's Bark bands, and their gradient.
///
/// At 16 kHz: the level is set so that the band from 325 to 3250 Hz has a power of 10⁷, the ends are tapered over 15
/// samples, a high-pass is applied, and Hann frames of 512 samples, 256 apart, give the powers of 49 bands. The powers
/// do not depend on the waveform's scale. The signal grows by (length mod 256) zeros, as in torch-pesq, so that the
/// last samples may lie in no frame.
struct BandPowers: Sendable {
    /// `[frames, bands]`; the first band is zero.
    let powers: [Double]
    let frames: Int
    private let analysis: BandAnalysis
    private let sourceCount: Int
    private let signal: [Double]
    /// `signal` in the band that sets the level.
    private let filtered: [Double]
    private let levelPower: Double
    /// `[frames, 2 · bins]`
    private let spectra: [Double]

    /// Nil where the waveform has no power to set a level by.
    init?(of waveform: some Collection<Float>, _ analysis: BandAnalysis) {
        self.analysis = analysis
        sourceCount = waveform.count
        let samples = waveform.map(Double.init)
        let signal = analysis.resampling.map { $0(samples) } ?? samples
        filtered = analysis.levelFilter(signal)
        levelPower = filtered.reduce(0) { $0 + $1 * $1 } * BandAnalysis.powerScale(signal.count)
        guard levelPower.isNormal else { return nil }
        let gain = (BandAnalysis.level / levelPower).squareRoot()
        let tapered = signal.indices.map { gain * signal[$0] * BandAnalysis.taper($0, of: signal.count) }
        let emphasized = BandAnalysis.emphasis(tapered)
        self.signal = signal
        frames = BandAnalysis.frames(of: signal.count)
        spectra = analysis.spectra(of: emphasized, frames: frames)
        powers = analysis.powers(of: spectra, frames: frames)
    }

    /// The gradient with respect to the waveform, from that with respect to ``powers``.
    func gradient(_ powerGradient: [Double]) -> [Double] {
        let emphasized = analysis.adjoint(powerGradient, spectra: spectra, frames: frames, count: signal.count)
        var scaled = BandAnalysis.emphasis.adjoint(emphasized)
        for index in scaled.indices { scaled[index] *= BandAnalysis.taper(index, of: signal.count) }
        // The gain is √(level / P), so it falls by gain/(2P) where P rises.
        let gain = (BandAnalysis.level / levelPower).squareRoot()
        let alongGain = zip(scaled, signal).reduce(0) { $0 + $1.0 * $1.1 }
        let slope = -gain * alongGain / levelPower * BandAnalysis.powerScale(signal.count)
        let throughLevel = analysis.levelFilter.adjoint(filtered.map { slope * $0 })
        let gradient = zip(scaled, throughLevel).map { gain * $0 + $1 }
        return analysis.resampling?.adjoint(gradient, count: sourceCount) ?? gradient
    }
}

/// The fixed parts of ``BandPowers``: resampling, filters, and band tables.
struct BandAnalysis: Sendable {
    static let sampleRate = 16000
    static let hop = 256
    static let size = 512
    static let level = 1e7
    /// P.862's high-pass for headphones.
    static let emphasis = RecursiveFilter([2.740826, -5.4816519, 2.740826], over: [1, -1.9444777, 0.94597794])

    let bands = BarkBands(sampleRate: sampleRate)
    /// Of tenth order, with coefficients rounded to single precision as in torch-pesq: its poles lie so close together
    /// that this moves the measured power by one percent, and the loss by a thousandth.
    let levelFilter = RecursiveFilter.butterworthBandPass(
        order: 5, from: 325, to: 3250, sampleRate: Double(sampleRate)
    ).singlePrecision
    let resampling: SincResampling?
    private let fft = RealFFT<Double>(length: size)
    let window: [Double]
    /// The band of each bin; nil for bin 0 and the last bin, which belong to no band.
    let bandOfBin: [Int?]
    let scales: [Double]

    init(sampleRate: Int) {
        resampling = sampleRate == Self.sampleRate ? nil : SincResampling(from: sampleRate, to: Self.sampleRate)
        window = bands.window.map(Double.init)
        scales = bands.powerScales.map(Double.init)
        var bandOfBin = [Int?](repeating: nil, count: Self.size / 2 + 1)
        for (band, bins) in bands.bins.enumerated() {
            for bin in bins where bin > 0 { bandOfBin[bin] = band }
        }
        self.bandOfBin = bandOfBin
    }

    static func frames(of count: Int) -> Int {
        let padded = count + count % hop
        return padded < size ? 0 : 1 + (padded - size) / hop
    }

    /// The factor from a sum of squares to a power: P.862's reference divides by more than the length.
    static func powerScale(_ count: Int) -> Double { 1 / (Double(count + 5120) * 1.04684) }

    /// Sixteenths, over the first and the last 15 samples.
    static func taper(_ index: Int, of count: Int) -> Double {
        (index < 15 ? Double(index + 1) / 16 : 1) * (count - index <= 15 ? Double(count - index) / 16 : 1)
    }

    func spectra(of signal: [Double], frames: Int) -> [Double] {
        var windowed = [Double](repeating: 0, count: frames * Self.size)
        for frame in 0..<frames {
            let start = frame * Self.hop
            for n in 0..<max(0, min(Self.size, signal.count - start)) {
                windowed[frame * Self.size + n] = window[n] * signal[start + n]
            }
        }
        var spectra = [Double](repeating: 0, count: frames * 2 * fft.bins)
        var parts = spectra.mutableSpan
        fft.forward(frames: frames, of: windowed.span, hop: Self.size, into: &parts)
        return spectra
    }

    func powers(of spectra: [Double], frames: Int) -> [Double] {
        var powers = [Double](repeating: 0, count: frames * bands.count)
        for frame in 0..<frames {
            let base = frame * 2 * fft.bins
            for (bin, band) in bandOfBin.enumerated() {
                guard let band else { continue }
                let (re, im) = (spectra[base + 2 * bin], spectra[base + 2 * bin + 1])
                powers[frame * bands.count + band] += scales[band] * (re * re + im * im)
            }
        }
        return powers
    }

    /// The gradient with respect to the signal in the frames.
    ///
    /// Of `Σ_k g_k |X_k|²` over the bins strictly inside, a frame's samples have `2 Σ_k g_k Re(X_k e^{2πi kn/N})`,
    /// which is `N` times the inverse transform of `g X`.
    func adjoint(_ gradient: [Double], spectra: [Double], frames: Int, count: Int) -> [Double] {
        var weighted = [Double](repeating: 0, count: spectra.count)
        for frame in 0..<frames {
            let base = frame * 2 * fft.bins
            for (bin, band) in bandOfBin.enumerated() {
                guard let band else { continue }
                let weight = Double(Self.size) * scales[band] * gradient[frame * bands.count + band]
                weighted[base + 2 * bin] = weight * spectra[base + 2 * bin]
                weighted[base + 2 * bin + 1] = weight * spectra[base + 2 * bin + 1]
            }
        }
        var windowed = [Double](repeating: 0, count: frames * Self.size)
        var samples = windowed.mutableSpan
        fft.inverse(frames: frames, of: weighted.span, into: &samples)
        var sums = [Double](repeating: 0, count: count)
        for frame in 0..<frames {
            let start = frame * Self.hop
            for n in 0..<max(0, min(Self.size, count - start)) {
                sums[start + n] += window[n] * windowed[frame * Self.size + n]
            }
        }
        return sums
    }
}
