import Kernels

/// Intervals of frames whose disturbance is so large that they may be misaligned (P.862 §10.2.10).
enum BadIntervals {
    private static let reach = 2  // frames
    private static let shortest = 5

    /// Runs of at least five frames that have a bad frame, or are one, within two places on both sides.
    static func find(in isBad: [Bool]) -> [Range<Int>] {
        var isBad = isBad
        isBad[0] = false
        let last = isBad.count - 1
        var smeared = [Bool](repeating: false, count: isBad.count)
        for frame in stride(from: reach, to: last - reach, by: 1) {
            smeared[frame] =
                isBad[frame - reach...frame].contains(true) && isBad[frame...frame + reach].contains(true)
        }
        var (intervals, start): ([Range<Int>], Int?) = ([], nil)
        for frame in smeared.indices {
            if smeared[frame] {
                start = start ?? frame
            } else if let first = start {
                if frame - first >= shortest { intervals.append(first..<frame) }
                start = nil
            }
        }
        return intervals
    }

    /// The aligned signal with each interval shifted once more, by what its envelope says.
    static func realign(
        _ intervals: [Range<Int>], reference: [Float], aligned: [Float], longest: Int, timing: PESQTiming
    ) -> [Float] {
        var result = aligned
        for interval in intervals {
            let start = timing.margin + interval.lowerBound * timing.hop
            let end = timing.margin + interval.upperBound * timing.hop + timing.frame
            let delay = delay(
                of: start..<end, reference: reference, aligned: aligned,
                limit: longest - timing.margin + timing.tail, timing: timing)
            for index in start..<end { result[index] = aligned[min(max(index + delay, 0), longest - 1)] }
        }
        return result
    }

    /// The lag of up to four frames at which the magnitudes correlate best, or 0 where that is below one half.
    private static func delay(
        of range: Range<Int>, reference: [Float], aligned: [Float], limit: Int, timing: PESQTiming
    ) -> Int {
        let search = 4 * timing.frame
        let count = range.count + 2 * search
        var length = 1
        while length < 2 * count { length *= 2 }
        var x = [Float](repeating: 0, count: length)
        var y = x
        for (offset, index) in range.enumerated() { x[search + offset] = abs(reference[index]) }
        for offset in 0..<count {
            let index = range.lowerBound - search + offset
            y[offset] = abs(aligned[min(max(index, timing.margin), limit - 1)])
        }
        let energy = { (signal: [Float]) in signal.reduce(0.0) { $0 + Double($1) * Double($1) } }
        let (xEnergy, yEnergy) = (energy(x), energy(y))
        let least = 1e-6 * Double(length)
        guard xEnergy > least, yEnergy > least else { return 0 }
        let fft = RealFFT<Float>(length: length)
        var product = fft.forward(y)
        product.multiply(byConjugateOf: fft.forward(x))
        let correlation = fft.inverse(product)
        var (best, bestLag) = (Float(0), 0)
        for lag in -search..<search {
            let value = abs(correlation[lag < 0 ? lag + length : lag])
            if value > best { (best, bestLag) = (value, lag) }
        }
        return Double(best) / (xEnergy * yEnergy).squareRoot() < 0.5 ? 0 : bestLag
    }
}
