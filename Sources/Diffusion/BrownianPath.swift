import Foundation
import Kernels

/// One path of complex Brownian motion on `[0, 1]`, a vector of them, whose value at any time is fixed by its stream.
///
/// The value at the middle of a dyadic interval is drawn from the bridge between its ends, keyed by the interval; so
/// the path is the same for every step size. Below 1/1024 a single time is bridged, keyed by the time itself: finer
/// grids would get a path that is slightly too rough.
struct BrownianPath: Sendable {
    private static let depth = 10

    private let stream: RandomStream
    /// Middles of the intervals around the last time asked for, one per level, with their interval's number.
    private var middles: [(interval: Int, values: [Float])] = []
    private var end: [Float] = []
    private var last: (time: Double, values: [Float]) = (0, [])

    init(stream: RandomStream) { self.stream = stream }

    /// The first `count` components at `time`, each of variance `time / 2`.
    mutating func value(at time: Double, count: Int) -> [Float] {
        if end.count != count {
            end = noise(0, count: count, variance: 1)
            middles = []
            last = (0, [Float](repeating: 0, count: count))
        }
        if last.time == time { return last.values }
        var (low, high) = (0.0, 1.0)
        var (atLow, atHigh) = ([Float](repeating: 0, count: count), end)
        var interval = 1  // as in a heap: the halves of interval i are 2i and 2i + 1
        for level in 0..<Self.depth where time != low && time != high {
            let middle = 0.5 * (low + high)
            let isKnown = middles.count > level && middles[level].interval == interval
            if !isKnown {
                middles.removeSubrange(min(level, middles.count)...)
                let variance = 0.25 * (high - low)
                let values = bridge(
                    atLow, atHigh, share: 0.5, noise(UInt64(interval), count: count, variance: variance))
                middles.append((interval, values))
            }
            if time < middle {
                (high, atHigh, interval) = (middle, middles[level].values, 2 * interval)
            } else {
                (low, atLow, interval) = (middle, middles[level].values, 2 * interval + 1)
            }
        }
        let values: [Float]
        if time == low {
            values = atLow
        } else if time == high {
            values = atHigh
        } else {
            let variance = (time - low) * (high - time) / (high - low)
            let drawn = noise(time.bitPattern, count: count, variance: variance)
            values = bridge(atLow, atHigh, share: (time - low) / (high - low), drawn)
        }
        last = (time, values)
        return values
    }

    private func bridge(_ low: [Float], _ high: [Float], share: Double, _ noise: [Float]) -> [Float] {
        let share = Float(share)
        return noise.indices.map { low[$0] + share * (high[$0] - low[$0]) + noise[$0] }
    }

    private func noise(_ key: UInt64, count: Int, variance: Double) -> [Float] {
        stream.child(Int(truncatingIfNeeded: key)).normals(count, standardDeviation: (0.5 * variance).squareRoot())
    }
}
