import Foundation

/// From two level-aligned, filtered signals and their alignment to the raw PESQ score (P.862 §10.2).
struct PerceptualModel {
    private let timing: PESQTiming
    private let bands: BarkBands
    private let meter: DisturbanceMeter
    private let alignment: UtteranceAlignment
    private let reference: [Float]
    private let degraded: [Float]
    /// Samples of the longer signal with its margins.
    private let longest: Int
    /// The last frame that overlaps the reference, and the first.
    private let speechFrames: ClosedRange<Int>

    private var referencePowers: BandSpectra
    private var degradedPowers: BandSpectra
    private var disturbances: [FrameDisturbance] = []
    private var referenceLevels: [Float] = []

    private static let badDisturbance: Float = 30
    private static let greatestDisturbance: Float = 45

    init(reference: PESQSignal, degraded: PESQSignal, alignment: UtteranceAlignment) {
        timing = reference.timing
        self.alignment = alignment
        longest = max(reference.count, degraded.count)
        self.reference = reference.extended(to: longest)
        self.degraded = degraded.extended(to: longest)
        bands = BarkBands(sampleRate: timing.sampleRate)
        meter = DisturbanceMeter(bands)
        speechFrames = Self.speechFrames(of: self.reference, longest: longest, timing: timing)
        referencePowers = BandSpectra(bands, frames: speechFrames.upperBound + 1)
        degradedPowers = BandSpectra(bands, frames: speechFrames.upperBound + 1)
    }

    /// `4.5 − 0.1 D − 0.0309 A`
    mutating func score() -> Double {
        analyze()
        equalize()
        compareFrames()
        ignoreLostFrames()
        realignBadIntervals()
        normalize()
        let symmetric = DisturbanceSum.sum(disturbances.map(\.symmetric), over: speechFrames, weight: weight)
        let asymmetric = DisturbanceSum.sum(disturbances.map(\.asymmetric), over: speechFrames, weight: weight)
        return 4.5 - 0.1 * symmetric - 0.0309 * asymmetric
    }

    private func start(ofFrame frame: Int) -> Int { timing.margin + frame * timing.hop }

    /// The frames between leading and trailing digital silence of the reference: where five samples in a row sum
    /// to less than 500.
    private static func speechFrames(
        of reference: [Float], longest: Int, timing: PESQTiming
    ) -> ClosedRange<Int> {
        func silence(from first: Int, step: Int) -> Int {
            var skipped = 0
            while skipped < longest / 2 {
                var sum: Float = 0
                for offset in 0..<5 { sum += abs(reference[first + step * (skipped + offset)]) }
                if sum >= 500 { break }
                skipped += 1
            }
            return skipped
        }
        let end = longest - timing.margin + timing.tail
        let lead = silence(from: timing.margin, step: 1)
        let trail = silence(from: end - 1, step: -1)
        let last = (end - timing.margin - trail) / timing.hop - 1
        return min(lead / timing.hop, last)...last
    }

    /// Band powers of all frames; the degraded signal's are taken where its utterance has been shifted to.
    private mutating func analyze() {
        for frame in 0..<referencePowers.frames {
            let start = start(ofFrame: frame)
            referencePowers.analyze(reference, from: start, frame: frame)
            let shifted = start + alignment.delay(at: start)
            if shifted > 0, shifted + timing.frame < longest + timing.tail {
                degradedPowers.analyze(degraded, from: shifted, frame: frame)
            }
        }
    }

    /// Gives the reference the degraded signal's long-term spectrum, within 20 dB: a constant frequency response
    /// disturbs little (P.862 §10.2.4).
    private mutating func equalize() {
        let active = (0..<referencePowers.frames).filter {
            referencePowers.audiblePower($0, above: 100) >= 1e7
        }
        let count = (longest - 2 * timing.margin + timing.tail) / timing.hop - 1
        let before = referencePowers.clearMeans(over: active, dividedBy: count)
        let after = degradedPowers.clearMeans(over: active, dividedBy: count)
        referencePowers.scale(bands: zip(before, after).map { min(max(($1 + 1000) / ($0 + 1000), 0.01), 100) })
    }

    private mutating func compareFrames() {
        var tracker = GainTracker()
        for frame in 0..<referencePowers.frames {
            referenceLevels.append(referencePowers.audiblePower(frame))
            disturbances.append(compare(frame, &tracker))
        }
    }

    private mutating func compare(_ frame: Int, _ tracker: inout GainTracker) -> FrameDisturbance {
        let gain = tracker.gain(
            reference: referenceLevels[frame], degraded: degradedPowers.audiblePower(frame),
            isFirst: frame == 0)
        degradedPowers.scale(frame: frame, by: gain)
        return meter.disturbance(reference: referencePowers, degraded: degradedPowers, frame: frame)
    }

    /// Sets the disturbance of frames to 0 where the delay decreases by more than half a frame from one utterance to
    /// the next: the degraded signal lacks these samples.
    private mutating func ignoreLostFrames() {
        let utterances = alignment.utterances
        for (previous, next) in zip(utterances, utterances.dropFirst()) {
            let jump = next.delay - previous.delay
            guard jump < -timing.hop else { continue }
            let start = next.start * timing.window - timing.margin
            let previousEnd = previous.end * timing.window - timing.margin
            let first = max(
                0,
                min(
                    (start + next.delay) / timing.hop, (previousEnd + previous.delay) / timing.hop))
            let last = (start + abs(jump)) / timing.hop + 1
            for frame in first...max(first, last) where frame <= last && frame < speechFrames.upperBound {
                disturbances[frame] = FrameDisturbance()
            }
        }
    }

    /// Frames of great disturbance may only be misaligned: they are searched again, and keep the better of
    /// both results (P.862 §10.2.10).
    private mutating func realignBadIntervals() {
        let isBad = disturbances.map { $0.symmetric > Self.badDisturbance }
        let intervals = BadIntervals.find(in: isBad)
        guard !intervals.isEmpty else { return }
        let aligned = alignedDegraded()
        let realigned = BadIntervals.realign(
            intervals, reference: reference, aligned: aligned, longest: longest, timing: timing)
        for interval in intervals {
            for frame in interval { degradedPowers.analyze(realigned, from: start(ofFrame: frame), frame: frame) }
            var tracker = GainTracker()
            for frame in interval {
                let other = compare(frame, &tracker)
                disturbances[frame].symmetric = min(disturbances[frame].symmetric, other.symmetric)
                disturbances[frame].asymmetric = min(disturbances[frame].asymmetric, other.asymmetric)
            }
        }
    }

    /// The degraded signal with every utterance moved back into place.
    private func alignedDegraded() -> [Float] {
        let count = longest + timing.tail
        var result = [Float](repeating: 0, count: count)
        let inner = timing.margin..<count - timing.margin
        for block in stride(from: inner.lowerBound, to: inner.upperBound, by: timing.window) {
            let delay = alignment.delay(at: block)  // utterances begin with a window
            for index in block..<min(block + timing.window, inner.upperBound) {
                result[index] = degraded[min(max(index + delay, inner.lowerBound), inner.upperBound - 1)]
            }
        }
        return result
    }

    /// Divides by the reference's own level, so that disturbances of soft speech count more.
    private mutating func normalize() {
        for frame in disturbances.indices {
            let level = Float(pow((Double(referenceLevels[frame]) + 1e5) / 1e7, 0.04))
            let most = Self.greatestDisturbance
            disturbances[frame].symmetric = min(disturbances[frame].symmetric / level, most)
            disturbances[frame].asymmetric = min(disturbances[frame].asymmetric / level, most)
        }
    }

    /// In files of more than 16 s, the end counts more than the beginning.
    private func weight(_ frame: Int) -> Double {
        guard speechFrames.upperBound + 1 > 1000 else { return 1 }
        let count = Double((longest - 2 * timing.margin) / timing.hop - 1)
        let slope = min((count - 1000) / 5500, 0.5)
        return 1 - slope + slope * Double(frame) / count
    }
}
