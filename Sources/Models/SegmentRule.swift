public import Specs

/// How a training segment is cut from a pair of signals.
public struct SegmentRule: Sendable {
    /// What a segment is divided by: the peak of one of its signals, or nothing.
    public typealias Normalization = DataSpec.Normalization

    /// Length of a segment in samples.
    public var samples: Int
    /// Which signal's peak divides both signals of a segment, or that none does.
    public var normalization: Normalization

    public init(samples: Int, normalization: Normalization) {
        self.samples = samples
        self.normalization = normalization
    }

    /// Where the middle segment of a signal begins.
    public func centre(of count: Int) -> Int { max(0, count - samples) / 2 }

    /// The segment from `start` on, zero-padded on both sides where the signals are shorter, and normalised; a silent
    /// segment stays as it is.
    public func cut(
        clean: [Float], noisy: [Float], start: Int
    ) -> (clean: [Float], noisy: [Float], divisor: Float) {
        let x = Self.fitted(clean, to: samples, from: start)
        let y = Self.fitted(noisy, to: samples, from: start)
        let peak: Float =
            switch normalization {
            case .noisy: y.reduce(0) { max($0, abs($1)) }
            case .clean: x.reduce(0) { max($0, abs($1)) }
            case .not: 1
            }
        guard peak > 0 else { return (x, y, 1) }
        return (x.map { $0 / peak }, y.map { $0 / peak }, peak)
    }

    /// `count` samples of a signal from `start` on; a shorter signal gets zeros on both sides.
    package static func fitted(_ signal: [Float], to count: Int, from start: Int = 0) -> [Float] {
        let missing = count - signal.count
        guard missing > 0 else { return Array(signal[start..<start + count]) }
        let before = missing / 2
        return [Float](repeating: 0, count: before) + signal + [Float](repeating: 0, count: missing - before)
    }
}
