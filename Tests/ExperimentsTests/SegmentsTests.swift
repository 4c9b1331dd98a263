import Experiments
import Models
import Testing

/// Cutting and joining.
@Suite struct SegmentsTests {
    @Test(arguments: [
        (1, 10, 3), (10, 10, 3), (11, 10, 3), (17, 10, 3), (18, 10, 3), (1000, 64, 16), (1000, 64, 0), (129, 64, 32),
    ])
    func segmentsCoverTheRecordingAndJoinToIt(count: Int, length: Int, overlap: Int) {
        let segments = Segments(length: length, overlap: overlap)
        let ranges = segments.ranges(of: count)
        #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == count)
        #expect(ranges.allSatisfy { $0.count == min(count, length) })
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound - $1.lowerBound >= overlap })
        let signal = (0..<count).map { Float($0 % 7) - 3 }
        let joined = segments.joined(ranges.map { Array(signal[$0]) }, of: count)
        #expect(zip(joined, signal).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// Between two levels the join goes from one to the other without a step.
    @Test func neighboursFadeIntoEachOther() {
        let segments = Segments(length: 100, overlap: 40)
        let ranges = segments.ranges(of: 160)
        let joined = segments.joined(ranges.indices.map { [Float](repeating: Float($0), count: 100) }, of: 160)
        #expect(ranges == [0..<100, 60..<160])
        #expect(joined[..<60].allSatisfy { $0 == 0 } && joined[100...].allSatisfy { $0 == 1 })
        #expect(zip(joined, joined.dropFirst()).allSatisfy { $1 >= $0 && $1 - $0 < 0.05 })
    }
}
