/// Frames of both signals, a quarter of a frame apart, that advance through an utterance at one delay.
struct AlignmentFrames {
    private var reference: Int
    private var degraded: Int
    private let length: Int

    init(from start: Int, delay: Int, timing: PESQTiming) {
        length = timing.alignmentFrame
        reference = start + delay < 0 ? -delay : start
        degraded = reference + delay
    }

    init(backFrom end: Int, delay: Int, timing: PESQTiming, degraded count: Int) {
        length = timing.alignmentFrame
        degraded = min(end - length + delay, count - length)
        reference = degraded - delay
    }

    /// Counts every frame that ends by `end` of the reference.
    mutating func countForward(to end: Int, _ search: inout DelaySearch, into histogram: inout DelayHistogram) {
        while degraded + length <= search.degraded.count, reference + length <= end {
            search.accumulate(referenceStart: reference, degradedStart: degraded, into: &histogram)
            reference += length / 4
            degraded += length / 4
        }
    }

    /// Counts every frame that starts at or after `start` of the reference.
    mutating func countBackward(to start: Int, _ search: inout DelaySearch, into histogram: inout DelayHistogram) {
        while degraded >= 0, reference >= start {
            search.accumulate(referenceStart: reference, degradedStart: degraded, into: &histogram)
            reference -= length / 4
            degraded -= length / 4
        }
    }
}
