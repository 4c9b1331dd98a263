import Foundation
import Kernels

/// The second signal of a pair compared with the first: its delay, its gain, and the level of its quietest frames.
///
///     r(τ) = F⁻¹[ X̄ Y / √(S_x S_y) ],    delay = argmax |r(τ)|,    g = ⟨x, y⟩ / ⟨x, x⟩ at that delay
///
/// with `S` the power spectra, smoothed over 20 Hz: the smoothed coherence transform of Carter, Nuttall and Cable, *The
/// smoothed coherence transform*, Proc. IEEE 61, 1973, which gives little weight to noise that only one signal has.
/// Whitening removes the pitch; the reflections of a room appear as energy after the peak.
public struct Alignment: Hashable, Sendable {
    /// Samples by which the second signal is later than the first; 0 unless ``isCertain``.
    public var delay: Int
    /// Whether the correlation has one clear peak: the signals share a component, at ``delay`` and at no other lag.
    public var isCertain: Bool
    /// Energy of `r` at 1 to 50 ms after the peak, over the peak's energy, with the energy of the noise subtracted.
    public var tail: Double
    /// The same at 1 to 50 ms before the peak.
    public var lead: Double
    /// The level of the common part in the second signal over that in the first, in dB.
    public var gain: Double
    /// The quietest tenth of the second signal over that of the first, in dB, once the gain is taken out.
    public var floor: Double

    /// The longest part of a signal that is compared, and the largest delay that is found, both in s.
    public static let excerpt = 6.0, longestDelay = 1.0
    /// The longest delay in s that counts as the sound's path in a room: 60 ms, or 20 m.
    fileprivate static let longestPath = 0.06

    /// ``tail`` over ``lead``: about 1 without a room, above 1 if the second signal is the first in a room, below 1 if
    /// the first is the second in a room. One pair alone decides little; the median over several pairs is reliable.
    public var roomRatio: Double { max(tail, 0.005) / max(lead, 0.005) }

    /// Whether the second signal is late or early by at least `tolerance` samples. With `inRoom`, a lateness that the
    /// sound's path in a room explains does not count.
    public func isShifted(by tolerance: Int, sampleRate: Int, inRoom: Bool) -> Bool {
        guard isCertain, abs(delay) >= tolerance else { return false }
        return !(inRoom && delay > 0 && Double(delay) <= Self.longestPath * Double(sampleRate))
    }

    /// Compares two signals of one rate, at most ``excerpt`` of each; `nil` where there is too little to compare, or
    /// silence.
    public init?(of second: [Float], against first: [Float], sampleRate: Int) {
        let count = min(first.count, second.count, Int(Self.excerpt * Double(sampleRate)))
        guard count >= sampleRate / 2 else { return nil }
        let (x, y) = (Self.centred(first.prefix(count)), Self.centred(second.prefix(count)))
        guard Self.energy(x) > 0, Self.energy(y) > 0 else { return nil }
        let lags = min(count / 2, Int(Self.longestDelay * Double(sampleRate)))
        let correlation = Correlation(x, y, lags: lags, sampleRate: sampleRate)
        (isCertain, delay) = (correlation.isCertain, correlation.isCertain ? correlation.peak : 0)
        (tail, lead) = (correlation.energy(after: true), correlation.energy(after: false))
        let (a, b) = Self.overlapping(x, y, delay: delay)
        let common = zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let ratio = abs(common) / max(Self.energy(a), .leastNormalMagnitude)
        gain = 20 * log10(max(ratio, 1e-6))
        floor = Self.quiet(b, sampleRate) - Self.quiet(a, sampleRate) - gain
    }

    /// The overlapping parts of both signals once the second is moved by the delay.
    private static func overlapping(_ x: [Float], _ y: [Float], delay: Int) -> ([Float], [Float]) {
        let kept = x.count - abs(delay)
        return delay >= 0
            ? (Array(x.prefix(kept)), Array(y.suffix(kept))) : (Array(x.suffix(kept)), Array(y.prefix(kept)))
    }

    private static func centred(_ signal: ArraySlice<Float>) -> [Float] {
        let mean = Float(signal.reduce(0.0) { $0 + Double($1) } / Double(signal.count))
        return signal.map { $0 - mean }
    }

    /// The sum of squares, in four partial sums so that the additions do not depend on each other.
    private static func energy(_ signal: [Float]) -> Double {
        var (a, b, c, d) = (0.0, 0.0, 0.0, 0.0)
        var index = 0
        while index + 4 <= signal.count {
            a += Double(signal[index]) * Double(signal[index])
            b += Double(signal[index + 1]) * Double(signal[index + 1])
            c += Double(signal[index + 2]) * Double(signal[index + 2])
            d += Double(signal[index + 3]) * Double(signal[index + 3])
            index += 4
        }
        for sample in signal[index...] { a += Double(sample) * Double(sample) }
        return a + b + c + d
    }

    /// The tenth percentile of the levels of 32 ms frames, in dB; at least 80 dB below the mean.
    private static func quiet(_ signal: [Float], _ sampleRate: Int) -> Double {
        let length = max(1, sampleRate * 32 / 1000)
        let powers = stride(from: 0, to: signal.count - length + 1, by: length).map { start in
            energy(Array(signal[start..<start + length])) / Double(length)
        }.sorted()
        guard !powers.isEmpty else { return 0 }
        let least = 1e-8 * powers.reduce(0, +) / Double(powers.count)
        return 10 * log10(max(powers[powers.count / 10], least, .leastNormalMagnitude))
    }
}

/// The smoothed coherence transform of two signals of one length.
private struct Correlation {
    /// `r` at lags from `−lags` to `lags`.
    private let values: [Float]
    private let lags: Int
    private let sampleRate: Int
    /// Standard deviation of the values where the signals have nothing in common.
    private let noise: Float
    let peak: Int
    /// Whether the plain (not whitened) correlation within 1 ms of the peak exceeds by 20 % its value at every lag more
    /// than 60 ms away. A periodic sound correlates at every multiple of its period, so its whitened peak is arbitrary.
    /// Taken as true where the delay is 0 and the correlation coefficient is at least 0.8.
    private let isUnrivalled: Bool

    init(_ x: [Float], _ y: [Float], lags: Int, sampleRate: Int) {
        var length = 1
        while length < x.count + lags { length *= 2 }
        let transform = RealFFT<Float>(length: length)
        let padding = [Float](repeating: 0, count: length - x.count)
        let (a, b) = (transform.forward(x + padding), transform.forward(y + padding))
        let width = max(1, 10 * length / sampleRate)
        let weights = zip(Self.smoothed(a, width), Self.smoothed(b, width)).map { 1 / ($0 * $1).squareRoot() }
        func correlation(_ weight: (Int) -> Float) -> [Float] {
            var cross = [Float](repeating: 0, count: a.count)
            for bin in 0..<a.count / 2 {
                let (p, q, r, s) = (a[2 * bin], a[2 * bin + 1], b[2 * bin], b[2 * bin + 1])
                let weight = weight(bin)
                cross[2 * bin] = (p * r + q * s) * weight
                cross[2 * bin + 1] = (p * s - q * r) * weight
            }
            let all = transform.inverse(cross)
            return Array(all.suffix(lags)) + Array(all.prefix(lags + 1))
        }
        let values = correlation { weights[$0] }
        (self.values, self.lags, self.sampleRate) = (values, lags, sampleRate)
        // The median absolute value of Gaussian noise is 0.6745 standard deviations; the peak does not change it.
        var sizes = values.map { abs($0) }
        noise = max(Self.selected(sizes.count / 2, of: &sizes) / 0.6745, .leastNormalMagnitude)
        let top = values.indices.max { abs(values[$0]) < abs(values[$1]) } ?? lags
        peak = top - lags
        guard top != lags || Self.likeness(a, b) < 0.8 else {
            isUnrivalled = true
            return
        }
        let (near, far) = (sampleRate / 1000, Int(Alignment.longestPath * Double(sampleRate)))
        var (own, rival): (Float, Float) = (0, 0)
        for (place, value) in correlation({ _ in 1 }).enumerated() {
            let distance = abs(place - top)
            if distance <= near { own = max(own, abs(value)) }
            if distance > far { rival = max(rival, abs(value)) }
        }
        isUnrivalled = own > 1.2 * rival
    }

    /// The correlation coefficient of two signals without delay, from their spectra.
    private static func likeness(_ a: [Float], _ b: [Float]) -> Float {
        var (product, first, second): (Float, Float, Float) = (0, 0, 0)
        for (p, q) in zip(a, b) {
            product += p * q
            first += p * p
            second += q * q
        }
        return abs(product) / max((first * second).squareRoot(), .leastNormalMagnitude)
    }

    private func size(_ range: ClosedRange<Int>) -> Float {
        range.clamped(to: -lags...lags).reduce(0) { max($0, abs(values[$1 + lags])) }
    }

    /// Whether the peak exceeds ten standard deviations of the noise and twice the values near lag 0, and the plain
    /// correlation confirms it.
    var isCertain: Bool {
        let top = abs(values[peak + lags])
        let millisecond = sampleRate / 1000
        let isApart = abs(peak) <= millisecond || top > 2 * size(-millisecond...millisecond)
        return top > 10 * noise && isApart && isUnrivalled
    }

    /// The energy at 1 to 50 ms after (or before) the peak over the peak's, with the expected noise energy subtracted.
    func energy(after: Bool) -> Double {
        let (near, far) = (sampleRate / 1000, sampleRate / 20)
        let range = after ? peak + near...peak + far : peak - far...peak - near
        let top = Double(values[peak + lags])
        guard top != 0, range.overlaps(-lags...lags) else { return 0 }
        let inside = range.clamped(to: -lags...lags)
        let sum = inside.reduce(0.0) { $0 + pow(Double(values[$1 + lags]), 2) }
        return max(0, sum - Double(inside.count) * pow(Double(noise), 2)) / (top * top)
    }

    /// The value that sorting would put at `place`, by quickselect: sorting a whole correlation would take longer.
    private static func selected(_ place: Int, of values: inout [Float]) -> Float {
        var (first, last) = (0, values.count - 1)
        while first < last {
            let pivot = values[(first + last) / 2]
            var (low, high) = (first, last)
            while low <= high {
                while values[low] < pivot { low += 1 }
                while values[high] > pivot { high -= 1 }
                if low <= high {
                    values.swapAt(low, high)
                    low += 1
                    high -= 1
                }
            }
            if place <= high { last = high } else if place >= low { first = low } else { break }
        }
        return values[place]
    }

    /// Power by bin, averaged over `width` bins to either side, and never far below the mean.
    private static func smoothed(_ spectrum: [Float], _ width: Int) -> [Float] {
        let bins = spectrum.count / 2
        var sums = [0.0]
        sums.reserveCapacity(bins + 1)
        for bin in 0..<bins {
            let (re, im) = (Double(spectrum[2 * bin]), Double(spectrum[2 * bin + 1]))
            sums.append(sums[bin] + re * re + im * im)
        }
        let least = 1e-6 * sums[bins] / Double(bins)
        return (0..<bins).map { bin in
            let (from, to) = (max(0, bin - width), min(bins, bin + width + 1))
            return Float((sums[to] - sums[from]) / Double(to - from) + least)
        }
    }
}
