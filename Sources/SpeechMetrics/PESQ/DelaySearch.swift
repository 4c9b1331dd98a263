import Foundation
import Kernels

/// Finds by how much the degraded signal lags the reference: from envelopes in windows of 4 ms, then to the
/// sample from histograms of short-time correlation peaks (P.862 §10.1.4–10.1.5).
///
/// A positive delay means that the degraded signal comes later. Belongs to one task; its buffers are reused.
struct DelaySearch {
    let timing: PESQTiming
    let reference: PESQSignal
    let degraded: PESQSignal
    let referenceActivity: SpeechActivity
    let degradedActivity: SpeechActivity

    private let fft: RealFFT<Float>
    private var window: [Float]
    private var frames: (reference: [Float], degraded: [Float])
    private var spectra: (reference: [Float], degraded: [Float])

    /// - Parameters: both signals as `preparedForAlignment` makes them.
    init(reference: PESQSignal, degraded: PESQSignal) {
        timing = reference.timing
        self.reference = reference
        self.degraded = degraded
        referenceActivity = SpeechActivity(reference)
        degradedActivity = SpeechActivity(degraded)
        fft = RealFFT(length: timing.alignmentFrame)
        window = .periodicHann(timing.alignmentFrame)
        let frame = [Float](repeating: 0, count: fft.length)
        let spectrum = [Float](repeating: 0, count: 2 * fft.bins)
        (frames, spectra) = ((frame, frame), (spectrum, spectrum))
    }

    /// The delay of the whole degraded signal, in samples.
    func crudeDelay() -> Int {
        let correlation = Self.correlation(referenceActivity.logLevels[...], degradedActivity.logLevels[...])
        return Self.bestLag(of: correlation, reference: reference.windows) * timing.window
    }

    /// The delay at which the envelopes fit best, in samples, given a guess to look around.
    ///
    /// Compares the reference's windows from `first` to `end` with as many of the degraded signal's, shifted by
    /// the guess.
    func crudeDelay(from first: Int, to end: Int, around guess: Int) -> Int {
        guard let (correlation, count) = envelopes(from: first, to: end, around: guess) else { return guess }
        return guess + Self.bestLag(of: correlation, reference: count) * timing.window
    }

    /// The same, as the search for a split does it.
    ///
    /// The standard's software keeps that search's window in the memory its envelope correlations are written to,
    /// behind three frames and six words. In utterances of some 6 s (3 s at 8 kHz) and more they reach it; scores
    /// everywhere include the effect, so it is part of the measure.
    mutating func crudeDelayForSplit(from first: Int, to end: Int, around guess: Int) -> Int {
        guard let (correlation, count) = envelopes(from: first, to: end, around: guess) else { return guess }
        let distance = 3 * timing.alignmentFrame + 6
        for (index, value) in correlation.dropFirst(distance).prefix(window.count).enumerated() {
            window[index] = value
        }
        return guess + Self.bestLag(of: correlation, reference: count) * timing.window
    }

    /// Restores the frames' window.
    mutating func restoreWindow() { window = .periodicHann(timing.alignmentFrame) }

    /// The correlation of both envelopes around a guess, and how many windows of the reference are in it.
    private func envelopes(from first: Int, to end: Int, around guess: Int) -> ([Float], Int)? {
        let shift = guess / timing.window
        // Halves of a split reach over their border, so they may begin before the signal or end behind it.
        let start = max(0, first, -shift)
        let count = min(end, reference.windows) - start
        let degradedStart = start + shift
        let degradedCount = min(count, degraded.windows - degradedStart)
        guard count > 1, degradedCount > 1 else { return nil }
        let correlation = Self.correlation(
            referenceActivity.logLevels[start..<start + count],
            degradedActivity.logLevels[degradedStart..<degradedStart + degradedCount])
        return (correlation, count)
    }

    /// `c_k = Σ_i x_i y_{i + k}`, from the first lag `1 − n_x` to the last, `n_y − 1`.
    private static func correlation(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> [Float] {
        let count = x.count + y.count - 1
        var length = 1
        while length < count { length *= 2 }
        let fft = RealFFT<Float>(length: length)
        // Reversed, a convolution is a correlation in the order of its lags.
        let xSpectrum = fft.forward(Array(x.reversed()) + [Float](repeating: 0, count: length - x.count))
        var product = fft.forward(Array(y) + [Float](repeating: 0, count: length - y.count))
        product.multiply(by: xSpectrum)
        return Array(fft.inverse(product)[..<count])
    }

    /// The lag of the largest value; 0 if none is positive.
    private static func bestLag(of correlation: [Float], reference count: Int) -> Int {
        var (best, bestLag) = (Float(0), 0)
        for (index, value) in correlation.enumerated() where value > best {
            (best, bestLag) = (value, index - count + 1)
        }
        return bestLag
    }

    /// Adds the correlation peaks of one frame to a histogram.
    mutating func accumulate(
        referenceStart: Int, degradedStart: Int, into histogram: inout DelayHistogram
    ) {
        let length = fft.length
        for n in 0..<length {
            frames.reference[n] = reference.samples[referenceStart + n] * window[n]
            frames.degraded[n] = degraded.samples[degradedStart + n] * window[n]
        }
        fft.forward(frames.reference, into: &spectra.reference)
        fft.forward(frames.degraded, into: &spectra.degraded)
        spectra.degraded.multiply(byConjugateOf: spectra.reference)
        fft.inverse(spectra.degraded, into: &frames.reference)
        histogram.add(correlation: frames.reference)
    }
}

/// A histogram of the delays that the short-time correlations of an utterance indicate.
///
/// Each frame votes for every lag whose correlation exceeds 99 % of the frame's maximum, with a weight of that
/// maximum to the power 1/8; votes are spread over neighbouring lags by a triangle of ±1 ms.
struct DelayHistogram {
    private var votes: [Float]
    private var total: Float = 0
    private let spread: Int

    init(length: Int) {
        votes = [Float](repeating: 0, count: length)
        spread = length / 64
    }

    mutating func add(correlation: [Float]) {
        var largest: Float = 0
        for value in correlation { largest = max(largest, abs(value)) }
        let limit = 0.99 * largest
        let weight = limit.squareRoot().squareRoot().squareRoot()
        for (lag, value) in correlation.enumerated() where abs(value) > limit {
            votes[lag] += weight
            total += weight
        }
    }

    /// The lag with the most votes and its share of them; lag 0 with share 0 before the first vote.
    var peak: (lag: Int, confidence: Float) {
        guard total > 0 else { return (0, 0) }
        let length = votes.count
        var smooth = [Float](repeating: 0, count: length)
        for (lag, vote) in votes.enumerated() where vote > 0 {
            for offset in 1 - spread..<spread {
                let weight = Float(spread - abs(offset)) / Float(spread)
                smooth[(lag + offset + length) % length] += vote * weight
            }
        }
        var (best, bestLag) = (Float(0), 0)
        for (lag, value) in smooth.enumerated() where value > best { (best, bestLag) = (value, lag) }
        return (bestLag >= length / 2 ? bestLag - length : bestLag, best / total)
    }
}

extension [Float] {
    /// A Hann window whose period is `length`.
    static func periodicHann(_ length: Int) -> [Float] {
        (0..<length).map { Float(0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(length))) }
    }

    /// Complex numbers, part by part: `z ← z · w`.
    mutating func multiply(by other: [Float]) {
        for k in stride(from: 0, to: count, by: 2) {
            let (re, im) = (self[k], self[k + 1])
            self[k] = re * other[k] - im * other[k + 1]
            self[k + 1] = im * other[k] + re * other[k + 1]
        }
    }

    /// Complex numbers, part by part: `z ← z · conj(w)`.
    mutating func multiply(byConjugateOf other: [Float]) {
        for k in stride(from: 0, to: count, by: 2) {
            let (re, im) = (self[k], self[k + 1])
            self[k] = re * other[k] + im * other[k + 1]
            self[k + 1] = im * other[k] - re * other[k + 1]
        }
    }
}
