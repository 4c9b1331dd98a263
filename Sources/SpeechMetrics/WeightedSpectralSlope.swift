import Foundation
import Kernels

/// The squared difference of the slopes of the critical-band spectrum, weighted towards its peaks.
///
///     WSS = Σ_b W_b (Δ_b − Δ̂_b)² / Σ_b W_b,    Δ_b = E_{b+1} − E_b  in dB
///     W_b = mean of both signals' 20 / (20 + E_max − E_b) · 1 / (1 + E_peak(b) − E_b)
///
/// with 25 critical bands and `E_peak(b)` the level of the peak that band `b` climbs towards. Klatt, ICASSP 1982, in
/// the form of Loizou's implementation.
struct WeightedSpectralSlope {
    private let fft: RealFFT<Double>
    /// The gains of each band and the first bin they belong to.
    private let filters: [(first: Int, gains: [Double])]

    init(frames: QualityFrames) {
        var length = 1
        while length < 2 * frames.length { length *= 2 }
        fft = RealFFT(length: length)
        let (half, nyquist) = (length / 2, Double(frames.sampleRate) / 2)
        let narrowest = Self.bandwidths[0]
        let least = exp(-30 / (2 * 2.303))
        filters = zip(Self.centres, Self.bandwidths).map { centre, bandwidth in
            let middle = (centre / nyquist * Double(half)).rounded(.down)
            let width = bandwidth / nyquist * Double(half)
            let level = log(narrowest) - log(bandwidth)
            let reach = ((level - log(least)) / 11).squareRoot() * width  // beyond, gains are below the least
            let bins = max(0, Int(middle - reach))...min(half - 1, Int(middle + reach) + 1)
            let gains = bins.map { bin in
                let distance = (Double(bin) - middle) / width
                let gain = exp(-11 * distance * distance + level)
                return gain > least ? gain : 0
            }
            return (bins.lowerBound, gains)
        }
    }

    func callAsFunction(_ clean: [Double], _ enhanced: [Double]) -> Double {
        let (x, y) = (levels(of: clean), levels(of: enhanced))
        let (xSlopes, ySlopes) = (slopes(of: x), slopes(of: y))
        let (xWeights, yWeights) = (weights(x, xSlopes), weights(y, ySlopes))
        var (sum, total) = (0.0, 0.0)
        for band in xSlopes.indices {
            let weight = (xWeights[band] + yWeights[band]) / 2
            sum += weight * (xSlopes[band] - ySlopes[band]) * (xSlopes[band] - ySlopes[band])
            total += weight
        }
        return sum / total
    }

    /// Band energies, in dB.
    private func levels(of frame: [Double]) -> [Double] {
        let powers = fft.forward(frame + [Double](repeating: 0, count: fft.length - frame.count)).powers
        return filters.map { first, gains in
            var energy = 0.0
            for (offset, gain) in gains.enumerated() { energy += powers[first + offset] * gain }
            return 10 * log10(max(energy, 1e-10))
        }
    }

    private func slopes(of levels: [Double]) -> [Double] {
        zip(levels, levels.dropFirst()).map { $1 - $0 }
    }

    private func weights(_ levels: [Double], _ slopes: [Double]) -> [Double] {
        let largest = levels.max() ?? 0
        return slopes.indices.map { band in
            let peak = levels[peak(near: band, slopes)]
            return 20 / (20 + largest - levels[band]) / (1 + peak - levels[band])
        }
    }

    /// The band where a climb from `band` ends: upwards if its slope rises, else downwards.
    ///
    /// Going up, this is the band before the slope falls, as in the implementation that published numbers come from.
    private func peak(near band: Int, _ slopes: [Double]) -> Int {
        var index = band
        if slopes[band] > 0 {
            while index < slopes.count, slopes[index] > 0 { index += 1 }
            return index - 1
        }
        while index >= 0, slopes[index] <= 0 { index -= 1 }
        return index + 1
    }

    private static let centres: [Double] = [
        50, 120, 190, 260, 330, 400, 470, 540, 617.372, 703.378, 798.717, 904.128, 1020.38, 1148.3, 1288.72,
        1442.54, 1610.7, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63,
    ]

    private static let bandwidths: [Double] = [
        70, 70, 70, 70, 70, 70, 70, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914, 140.423, 153.823,
        168.154, 183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136,
    ]
}
