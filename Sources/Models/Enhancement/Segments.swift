import Foundation

/// How a long recording is cut into overlapping segments and joined again, so that the memory of enhancing it is that of
/// a segment.
///
/// The segments are of one length, or the whole recording where it is no longer; neighbours share `overlap` samples, over
/// which one fades into the other as `cos²` into `sin²`. What a segment's network sees ends at its edges, so the result is
/// not that of the whole recording.
public struct Segments: Hashable, Sendable {
    public let length: Int
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

    /// The segments of `count` samples: each begins where the one before has `overlap` left, the last ends with the recording.
    public func ranges(of count: Int) -> [Range<Int>] {
        guard count > length else { return [0..<count] }
        let hop = length - overlap
        var ranges = stride(from: 0, to: count - length, by: hop).map { $0..<$0 + length }
        ranges.append(count - length..<count)
        return ranges
    }

    /// One signal of what was made of the segments.
    public func joined(_ pieces: [[Float]], of count: Int) -> [Float] {
        let ranges = ranges(of: count)
        precondition(zip(pieces, ranges).allSatisfy { $0.count == $1.count } && pieces.count == ranges.count, "pieces of other segments")
        var result = [Float](repeating: 0, count: count)
        var end = 0
        for (piece, range) in zip(pieces, ranges) {
            // The last segment may share more than the others: it fades in at the end of what there is.
            let shared = max(0, min(overlap, end - range.lowerBound))
            let fade = end - shared
            for index in range where index >= fade {
                let sample = piece[index - range.lowerBound]
                if index < end {
                    let angle = Float(index - fade) + 0.5
                    let rise = sin(angle / Float(shared) * .pi / 2)
                    result[index] += (sample - result[index]) * rise * rise
                } else {
                    result[index] = sample
                }
            }
            end = range.upperBound
        }
        return result
    }
}
