import Foundation

/// How a long recording is cut into overlapping segments and joined again, so that the memory of enhancing it is that
/// of a segment.
///
/// The segments are of one length, or the whole recording where it is no longer; neighbours share `overlap` samples,
/// over which one fades into the other as `cos²` into `sin²`. The network's input ends at the segment's edges, so the
/// result differs from that of the whole recording.
public struct Segments: Hashable, Sendable {
    /// Samples of a segment.
    public let length: Int
    /// Samples that neighbouring segments share.
    public let overlap: Int

    /// - Parameters:
    ///   - length: Samples of a segment.
    ///   - overlap: Samples that neighbours share, at most half of a segment.
    public init(length: Int, overlap: Int) {
        precondition(overlap >= 0 && length > 0 && 2 * overlap <= length, "segments of \(length) that share \(overlap)")
        self.length = length
        self.overlap = overlap
    }

    /// Segments of so many seconds that share one, or a quarter of themselves if that is less.
    public init(seconds: Double, sampleRate: Int) {
        self.init(
            length: Int((seconds * Double(sampleRate)).rounded()),
            overlap: Int((min(1, seconds / 4) * Double(sampleRate)).rounded()))
    }

    /// The segments of `count` samples: each begins `overlap` samples before the previous one ends; the last ends with
    /// the recording.
    public func ranges(of count: Int) -> [Range<Int>] {
        guard count > length else { return [0..<count] }
        let hop = length - overlap
        var ranges = stride(from: 0, to: count - length, by: hop).map { $0..<$0 + length }
        ranges.append(count - length..<count)
        return ranges
    }

    /// Joins the enhanced segments into one signal.
    public func joined(_ pieces: [[Float]], of count: Int) -> [Float] {
        var joiner = SegmentJoiner(ranges: ranges(of: count), overlap: overlap)
        return pieces.flatMap { joiner.add($0) }
    }
}

/// Joins enhanced segments one after the other, and stores only their overlap.
struct SegmentJoiner {
    private let ranges: [Range<Int>]
    private let overlap: Int
    private var number = 0
    /// The end of the previous segment, which the next one may still change.
    private var tail: [Float] = []

    /// - Parameter ranges: The segments in order, each beginning no later than the end of the previous one.
    init(ranges: [Range<Int>], overlap: Int) { (self.ranges, self.overlap) = (ranges, overlap) }

    /// Adds the next enhanced segment, and returns the samples that later segments do not change.
    mutating func add(_ piece: [Float]) -> [Float] {
        let range = ranges[number]
        precondition(piece.count == range.count, "a piece of \(piece.count) samples for a segment of \(range.count)")
        // The last segment may overlap more than the others; only the last `overlap` samples of the overlap are faded.
        var merged = Array(piece[(start(of: number) - range.lowerBound)...])
        for (index, old) in tail.enumerated() {
            let rise = sin((Float(index) + 0.5) / Float(tail.count) * .pi / 2)
            merged[index] = old + (merged[index] - old) * rise * rise
        }
        let kept = number + 1 < ranges.count ? range.upperBound - start(of: number + 1) : 0
        tail = Array(merged.suffix(kept))
        number += 1
        return Array(merged.dropLast(kept))
    }

    /// The first sample at which a segment contributes.
    private func start(of number: Int) -> Int {
        guard number > 0 else { return ranges[0].lowerBound }
        let end = ranges[number - 1].upperBound
        return end - max(0, min(overlap, end - ranges[number].lowerBound))
    }
}
