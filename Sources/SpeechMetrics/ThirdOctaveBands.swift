import Foundation
import Kernels

/// The one-third octave band amplitudes of the speech in a pair, which STOI and ESTOI compare.
///
/// Both signals are brought to 10 kHz and cut into 25.6 ms Hann frames, half overlapping. Frames in which the
/// clean signal lies more than 40 dB below its loudest frame are left out of both and the rest is joined again; 15
/// bands from 150 Hz then sum the power of a 512-point spectrum.
///
/// Taal et al., *An Algorithm for Intelligibility Prediction of Time–Frequency Weighted Noisy Speech*, IEEE
/// TASLP 19(7), 2011.
struct ThirdOctaveBands {
    static let sampleRate = 10_000
    static let bandCount = 15
    /// One lane per band; the last lane is always zero.
    typealias Amplitudes = SIMD16<Double>
    /// The frames of an intermediate measure, 384 ms.
    static let segment = 30

    private static let frame = 256
    private static let hop = 128
    private static let fft = RealFFT<Double>(length: 512)
    private static let dynamicRange = 40.0  // dB
    private static let lowestCentre = 150.0  // Hz
    /// A Hann window without its zeros at both ends.
    private static let window = (1...frame).map { 0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(frame + 1)) }

    /// The amplitudes of each frame.
    let clean: [Amplitudes]
    let enhanced: [Amplitudes]
    var frames: Int { clean.count }

    /// - Throws: `tooShort` where fewer than 30 frames of speech are left.
    init(_ pair: SpeechPair) throws(MetricFailure) {
        let resampler = OctaveResampler(from: pair.sampleRate, to: Self.sampleRate)
        let (x, y) = (resampler.resample(pair.clean), resampler.resample(pair.enhanced))
        let loud = Self.loudFrames(of: x)
        let frames = max(0, loud.count - 1)
        guard frames >= Self.segment else {
            throw .tooShort(count: frames, minimum: Self.segment, of: "frames of speech")
        }
        clean = Self.bands(of: Self.joined(x, frames: loud), frames: frames)
        enhanced = Self.bands(of: Self.joined(y, frames: loud), frames: frames)
    }

    /// The starts of the frames less than 40 dB below the loudest one.
    private static func loudFrames(of signal: [Double]) -> [Int] {
        let starts = Array(stride(from: 0, to: signal.count - frame, by: hop))
        let levels = starts.map { start in
            var energy = 0.0
            for n in 0..<frame {
                let x = window[n] * signal[start + n]
                energy += x * x
            }
            return 20 * log10(energy.squareRoot() + Double.ulpOfOne)
        }
        guard let loudest = levels.max() else { return [] }
        return zip(starts, levels).filter { loudest - dynamicRange - $1 < 0 }.map(\.0)
    }

    /// The windowed frames, overlapped and added at their new positions.
    private static func joined(_ signal: [Double], frames starts: [Int]) -> [Double] {
        var result = [Double](repeating: 0, count: (starts.count - 1) * hop + frame)
        for (index, start) in starts.enumerated() {
            for n in 0..<frame { result[index * hop + n] += window[n] * signal[start + n] }
        }
        return result
    }

    private static func bands(of signal: [Double], frames: Int) -> [Amplitudes] {
        var padded = [Double](repeating: 0, count: fft.length)
        var spectrum = [Double](repeating: 0, count: 2 * fft.bins)
        return (0..<frames).map { index in
            for n in 0..<frame { padded[n] = window[n] * signal[index * hop + n] }
            fft.forward(padded, into: &spectrum)
            var powers = Amplitudes.zero
            for (band, bins) in bandBins.enumerated() {
                var power = 0.0
                for part in 2 * bins.lowerBound..<2 * bins.upperBound { power += spectrum[part] * spectrum[part] }
                powers[band] = power
            }
            return powers.squareRoot()
        }
    }

    /// The bins of each band: its edges, a sixth of an octave from the centre, at the nearest bin.
    private static let bandBins: [Range<Int>] = (0..<bandCount).map { band in
        func nearestBin(_ sixths: Int) -> Int {
            let edge = lowestCentre * exp2(Double(sixths) / 6)
            // An edge exactly between two bins belongs to the lower one.
            return Int((edge * Double(fft.length) / Double(sampleRate) - 0.5).rounded(.up))
        }
        return nearestBin(2 * band - 1)..<nearestBin(2 * band + 1)
    }
}
