import Foundation
import Kernels

/// The level of a signal over time (to the right) and frequency (upwards), as an image.
///
///     L = 20 log₁₀ |STFT|,  from 80 dB below the greatest level, dark, to the greatest, bright
///
/// Hann windows of 512 samples, 128 apart; a long signal takes greater steps, so that no image is wider than 1024.
enum SpectrogramImage {
    private static let (length, shortestHop, range) = (512, 128, Float(80))

    static func image(of signal: [Float]) -> PNGImage {
        let levels = levels(of: signal)
        return image(levels, top: levels.joined().max() ?? 0)
    }

    /// Images of signals of one recording on one scale: the greatest level of all is the brightest.
    static func images(of signals: [[Float]], widest: Int) -> [PNGImage] {
        let all = signals.map { levels(of: $0, widest: widest) }
        let top = all.flatMap { $0.map { $0.max() ?? -200 } }.max() ?? 0
        return all.map { image($0, top: top) }
    }

    /// dB, by frame and bin.
    private static func levels(of signal: [Float], widest: Int = 1024) -> [[Float]] {
        let hop = max(shortestHop, (signal.count / widest / 16 + 1) * 16)
        let samples = signal + [Float](repeating: 0, count: max(0, length - signal.count))
        let frames = min(widest, (samples.count - length) / hop + 1)
        let fft = RealFFT<Float>(length: length)
        let window = (0..<length).map { n -> Float in
            let angle = 2 * Double.pi * (Double(n) + 0.5) / Double(length)
            return Float(0.5 - 0.5 * cos(angle))
        }
        var levels: [[Float]] = []
        var spectrum = [Float](repeating: 0, count: 2 * fft.bins)
        for frame in 0..<frames {
            fft.forward((0..<length).map { window[$0] * samples[frame * hop + $0] }, into: &spectrum)
            levels.append(
                (0..<fft.bins).map { bin in
                    let (re, im) = (spectrum[2 * bin], spectrum[2 * bin + 1])
                    return 10 * log10(max(re * re + im * im, 1e-20))
                })
        }
        return levels
    }

    private static func image(_ levels: [[Float]], top: Float) -> PNGImage {
        let bins = levels.first?.count ?? 0
        let pixels: [UInt8] = (0..<bins).reversed().flatMap { bin in
            levels.map { level in UInt8(max(0, min(255, 255 * (1 + (level[bin] - top) / range)))) }
        }
        return PNGImage(width: levels.count, height: bins, pixels: pixels, palette: palette)
    }

    /// Black through violet, red and orange to pale yellow, with lightness growing evenly.
    private static let palette: [(red: UInt8, green: UInt8, blue: UInt8)] = {
        let stops: [SIMD3<Float>] = [
            [0, 0, 8], [66, 14, 110], [150, 40, 110], [222, 80, 60], [252, 160, 30], [252, 250, 190],
        ]
        return (0..<256).map { level in
            let place = Float(level) / 255 * Float(stops.count - 1)
            let first = min(Int(place), stops.count - 2)
            let colour = stops[first] + (stops[first + 1] - stops[first]) * (place - Float(first))
            return (UInt8(colour.x), UInt8(colour.y), UInt8(colour.z))
        }
    }()
}
