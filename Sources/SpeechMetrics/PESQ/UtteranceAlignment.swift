/// A part of the reference, and the delay of the degraded signal in it.
struct Utterance {
    /// The first window of the reference that the delay holds for.
    var start: Int
    /// The window after the last one; borders moved for the degraded signal's sake may cross `start`.
    var end: Int
    /// Windows that the delay is searched in: the speech and 300 ms on either side.
    var search: Range<Int>
    /// Samples, from the envelopes.
    var crudeDelay: Int
    /// Samples.
    var delay: Int
    /// The share of correlation peaks that agree on `delay`.
    var confidence: Float
}

/// Cuts the reference into utterances of one delay each (P.862 §10.1.3–10.1.5).
///
/// Speech separated by pauses may have been shifted differently, as in packet networks; where two delays fit
/// a long utterance better than one, it is cut in two.
struct UtteranceAlignment {
    private static let shortestUtterance = 50  // windows
    private static let margin = 75
    private static let mostUtterances = 50
    private static let shortestSplit = 200

    private var search: DelaySearch
    private(set) var utterances: [Utterance] = []

    private var timing: PESQTiming { search.timing }
    private var activity: [Double] { search.referenceActivity.levels }

    /// - Throws: `noUtterances` where the reference has no speech that the degraded signal could cover.
    init(_ search: DelaySearch) throws(MetricFailure) {
        self.search = search
        let crude = search.crudeDelay()
        let speech = Self.utterances(in: search, crudeDelay: crude)
        guard !speech.isEmpty else { throw .noUtterances }
        for span in speech {
            let range =
                max(
                    0, span.lowerBound - Self.margin)..<min(
                    search.reference.windows - 1, span.upperBound + Self.margin)
            var utterance = Utterance(
                start: span.lowerBound, end: span.upperBound, search: range,
                crudeDelay: search.crudeDelay(from: range.lowerBound, to: range.upperBound, around: crude),
                delay: 0, confidence: 0)
            let fine = fineDelay(of: utterance)
            (utterance.delay, utterance.confidence) = (fine.delay, fine.confidence)
            utterances.append(utterance)
        }
        closeGaps()
        splitLongUtterances()
    }

    /// The delay at a sample of the padded reference.
    func delay(at sample: Int) -> Int {
        let utterance = utterances.last { $0.start * timing.window <= sample }
        return (utterance ?? utterances[0]).delay
    }

    /// Speech of at least 200 ms that overlaps the degraded signal by as much.
    private static func utterances(in search: DelaySearch, crudeDelay: Int) -> [Range<Int>] {
        let window = search.timing.window
        let earliestEnd = shortestUtterance - crudeDelay / window
        let latestStart = (search.degraded.count - crudeDelay) / window - shortestUtterance
        let last = search.reference.windows - 1
        return SpeechActivity.runs(of: search.referenceActivity.levels)
            .map { $0.lowerBound..<min($0.upperBound, last) }
            .filter {
                $0.count >= shortestUtterance && $0.lowerBound < latestStart && $0.upperBound > earliestEnd
            }
    }

    private mutating func fineDelay(of utterance: Utterance) -> (delay: Int, confidence: Float) {
        var histogram = DelayHistogram(length: timing.alignmentFrame)
        var frames = AlignmentFrames(
            from: utterance.search.lowerBound * timing.window, delay: utterance.crudeDelay, timing: timing)
        frames.countForward(to: utterance.search.upperBound * timing.window, &search, into: &histogram)
        let peak = histogram.peak
        return (utterance.crudeDelay + peak.lag, peak.confidence)
    }

    /// Moves the borders so that utterances meet, and none reaches beyond the degraded signal or into the next.
    private mutating func closeGaps() {
        let window = timing.window
        var starts = utterances.map(\.start)
        var ends = utterances.map(\.end)
        let delays = utterances.map(\.delay)
        let last = utterances.count - 1
        starts[0] = Self.margin
        ends[last] = search.reference.windows - Self.margin
        for index in 1..<max(1, utterances.count) {
            let middle = (starts[index] + ends[index - 1]) / 2
            (starts[index], ends[index - 1]) = (middle, middle)
        }
        if starts[0] * window + delays[0] < timing.margin {
            starts[0] = Self.margin + (window - 1 - delays[0]) / window
        }
        if ends[last] * window + delays[last] > search.degraded.count - timing.margin {
            ends[last] = (search.degraded.count - delays[last]) / window - Self.margin
        }
        for index in 1..<max(1, utterances.count) {
            let start = starts[index] * window + delays[index]
            let previousEnd = ends[index - 1] * window + delays[index - 1]
            if start < previousEnd {
                let middle = (start + previousEnd) / 2
                starts[index] = (window - 1 + middle - delays[index]) / window
                ends[index - 1] = (middle - delays[index - 1]) / window
            }
        }
        for index in utterances.indices {
            (utterances[index].start, utterances[index].end) = (starts[index], ends[index])
        }
    }

    /// Cuts utterances in two as long as both halves agree better on their delays than the whole did.
    private mutating func splitLongUtterances() {
        var index = 0
        while index < utterances.count, utterances.count < Self.mostUtterances {
            let whole = utterances[index]
            let speech = speechExtent(of: whole)
            if speech.count >= Self.shortestSplit, let halves = bestSplit(of: whole, speech: speech) {
                utterances.replaceSubrange(index...index, with: halves)
            } else {
                index += 1
            }
        }
    }

    /// From the first to the last window of speech of an utterance.
    private func speechExtent(of utterance: Utterance) -> Range<Int> {
        let isSpeech = { (window: Int) in activity.indices.contains(window) && activity[window] > 0 }
        var (start, end) = (utterance.start, utterance.end)
        while start < utterance.end, !isSpeech(start) { start += 1 }
        while end > utterance.start, !isSpeech(end) { end -= 1 }
        return start..<max(start, end + 1)
    }

    /// Both halves at the break that fits best, or nil where no break beats the whole.
    private mutating func bestSplit(of whole: Utterance, speech: Range<Int>) -> [Utterance]? {
        let breaks = breakPoints(in: speech)
        search.restoreWindow()
        var (firstCrude, secondCrude): ([Int], [Int]) = ([], [])
        for cut in breaks {
            firstCrude.append(search.crudeDelayForSplit(from: whole.start, to: cut, around: whole.crudeDelay))
            secondCrude.append(search.crudeDelayForSplit(from: cut, to: whole.end, around: whole.crudeDelay))
        }
        let first = fineDelays(from: whole.start, to: breaks, crude: firstCrude)
        let candidates = breaks.indices.filter { first[$0].confidence > whole.confidence }
        let second = fineDelays(from: whole.end, backTo: breaks, crude: secondCrude, at: candidates)

        var (best, bestSum): (Int?, Float) = (nil, 0)
        for index in candidates {
            guard let after = second[index] else { continue }
            let sum = first[index].confidence + after.confidence
            let isJump = abs(after.delay - first[index].delay) >= timing.window
            if isJump, after.confidence > whole.confidence, sum > bestSum { (best, bestSum) = (index, sum) }
        }
        guard let best, let after = second[best] else { return nil }
        return halves(
            of: whole, at: breaks[best],
            before: (firstCrude[best], first[best]), after: (secondCrude[best], after))
    }

    /// Up to 40 places 16 ms or more apart, away from both ends of the speech.
    private func breakPoints(in speech: Range<Int>) -> [Int] {
        let unit = timing.alignmentFrame / (4 * timing.window)
        let step = Int((0.801 * Double(speech.count) + Double(40 * unit - 1)) / Double(40 * unit)) * unit
        let distance = max(75, speech.count / 10)
        let first = speech.lowerBound + distance
        let rest = stride(from: first + step, through: speech.upperBound - distance, by: step)
        return [first] + rest.prefix(39)
    }

    private typealias FineDelay = (delay: Int, confidence: Float)

    /// The delay from a window up to each break. Breaks with the same crude delay share one growing histogram.
    private mutating func fineDelays(from start: Int, to breaks: [Int], crude: [Int]) -> [FineDelay] {
        var result = [FineDelay](repeating: (0, 0), count: breaks.count)
        for delay in Set(crude) {
            var histogram = DelayHistogram(length: timing.alignmentFrame)
            var frames = AlignmentFrames(from: max(0, start) * timing.window, delay: delay, timing: timing)
            for index in breaks.indices where crude[index] == delay {
                frames.countForward(to: breaks[index] * timing.window, &search, into: &histogram)
                let peak = histogram.peak
                result[index] = (delay + peak.lag, peak.confidence)
            }
        }
        return result
    }

    /// The delay from each chosen break up to a window, with histograms that grow backwards.
    private mutating func fineDelays(
        from end: Int, backTo breaks: [Int], crude: [Int], at chosen: [Int]
    ) -> [Int: FineDelay] {
        var result: [Int: FineDelay] = [:]
        for delay in Set(chosen.map { crude[$0] }) {
            var histogram = DelayHistogram(length: timing.alignmentFrame)
            var frames = AlignmentFrames(
                backFrom: min(end * timing.window, search.reference.count), delay: delay, timing: timing,
                degraded: search.degraded.count)
            for index in chosen.reversed() where crude[index] == delay {
                frames.countBackward(to: breaks[index] * timing.window, &search, into: &histogram)
                let peak = histogram.peak
                result[index] = (delay + peak.lag, peak.confidence)
            }
        }
        return result
    }

    private func halves(
        of whole: Utterance, at cut: Int, before: (crude: Int, fine: FineDelay), after: (crude: Int, fine: FineDelay)
    ) -> [Utterance] {
        let window = timing.window
        let jump = after.fine.delay - before.fine.delay
        // Where the delay grows, the degraded signal has a gap: both halves reach into it.
        let overlap = jump < 0 ? 0 : jump / (2 * window)
        var (start, end) = (whole.start, whole.end)
        if start * window - timing.margin + before.fine.delay < 0 {
            start = Self.margin + (window - 1 - before.fine.delay) / window
        }
        if end * window + after.fine.delay > search.degraded.count - timing.margin {
            end = (search.degraded.count - after.fine.delay) / window - Self.margin
        }
        return [
            Utterance(
                start: start, end: cut + overlap, search: whole.search, crudeDelay: before.crude,
                delay: before.fine.delay, confidence: before.fine.confidence),
            Utterance(
                start: cut - overlap, end: end, search: whole.search, crudeDelay: after.crude,
                delay: after.fine.delay, confidence: after.fine.confidence),
        ]
    }
}
