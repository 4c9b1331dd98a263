import Foundation
import Kernels

/// The lengths that P.862 measures time in, at one rate.
struct PESQTiming: Sendable, Hashable {
    let sampleRate: Int
    /// Samples of one envelope window, 4 ms: the unit of utterances and crude delays.
    var window: Int { sampleRate / 250 }
    /// Samples of silence put before and after a signal, 75 windows, so that it can be shifted.
    var margin: Int { 75 * window }
    /// Samples of silence after that again, 320 ms, for filters to ring out.
    var tail: Int { sampleRate * 320 / 1000 }
    /// Samples of a fine alignment frame, 64 ms.
    var alignmentFrame: Int { 16 * window }
    /// Samples of a perceptual frame, 32 ms.
    var frame: Int { 8 * window }
    var hop: Int { frame / 2 }
}

/// A signal between margins of silence: `margin` samples, the signal, `margin` samples and the tail.
struct PESQSignal: Sendable {
    let timing: PESQTiming
    /// Signal and both margins, without the tail.
    let count: Int
    var samples: [Float]

    init(_ signal: [Float], timing: PESQTiming) {
        self.timing = timing
        count = signal.count + 2 * timing.margin
        let margin = [Float](repeating: 0, count: timing.margin)
        samples = margin + signal + margin + [Float](repeating: 0, count: timing.tail)
    }

    /// Where the signal lies.
    var body: Range<Int> { timing.margin..<count - timing.margin }
    /// The signal and as many samples as the tail has: what frequency curves act on.
    var filtered: Range<Int> { timing.margin..<count - timing.margin + timing.tail }
    /// Whole envelope windows.
    var windows: Int { count / timing.window }

    /// Appends silence until the signal with its margins has `count` samples.
    func extended(to count: Int) -> [Float] {
        samples + [Float](repeating: 0, count: max(0, count - self.count))
    }
}

extension PESQSignal {
    /// Scales the signal so that its power between 350 and 3250 Hz, averaged over `longest` samples and the
    /// tail, is 1e7 (P.862 §10.1.1).
    ///
    /// Returns whether there was any power to scale.
    mutating func alignLevel(longest: Int) -> Bool {
        let band = FrequencyCurve.levelBand.filter(samples[filtered], sampleRate: timing.sampleRate)
        let total = band.reduce(0.0) { $0 + Double($1) * Double($1) }
        let power = Float(total / Double(longest - 2 * timing.margin + timing.tail))
        guard power > 0 else { return false }
        let gain = Float((1e7 / Double(power)).squareRoot())
        guard gain.isFinite else { return false }
        for index in 0..<count { samples[index] *= gain }
        return true
    }

    /// The receiving side of a telephone handset, for narrow-band scores (P.862 §10.1.2).
    mutating func filterAsHandset() {
        let curve = FrequencyCurve.handset
        samples.replaceSubrange(filtered, with: curve.filter(samples[filtered], sampleRate: timing.sampleRate))
    }

    /// Flat headphones, for wide-band scores: short fades and a high-pass at 100 Hz (P.862.2 §6).
    mutating func filterAsHeadphones() {
        for step in 0..<min(15, body.count) {
            let weight = Float(step + 1) / 16
            samples[body.lowerBound + step] *= weight
            samples[body.upperBound - 1 - step] *= weight
        }
        BiquadCascade.headphones(timing.sampleRate).filter(&samples, in: body)
    }

    /// The signal that delays are searched in: without offset, faded at both ends, and band-limited (P.862 §10.1.3).
    func preparedForAlignment() -> PESQSignal {
        var result = self
        let mean = Float(samples[body].reduce(0.0) { $0 + Double($1) } / Double(count))
        for index in body { result.samples[index] -= mean }
        for step in 0..<min(timing.window, body.count) {
            let weight = (0.5 + Float(step)) / Float(timing.window)
            result.samples[body.lowerBound + step] *= weight
            result.samples[body.upperBound - 1 - step] *= weight
        }
        BiquadCascade.alignment(timing.sampleRate).filter(&result.samples, in: result.samples.indices)
        return result
    }
}
