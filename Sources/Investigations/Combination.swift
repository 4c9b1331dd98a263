/// Which of several factors have the target's value; the others have the source's.
public struct Combination: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// One factor, by its number.
    ///
    /// - Precondition: `factor < 64`.
    public init(factor: Int) {
        precondition((0..<64).contains(factor), "a combination has factors 0 to 63, not \(factor)")
        rawValue = 1 << UInt64(factor)
    }

    /// The first `count` factors.
    public init(all count: Int) { rawValue = count >= 64 ? .max : (1 << UInt64(count)) - 1 }

    /// The same combination with one factor more at the target's value.
    public func with(_ factor: Int) -> Self { union(Self(factor: factor)) }
    /// Whether the factor has the target's value.
    public func has(_ factor: Int) -> Bool { contains(Self(factor: factor)) }
    /// How many factors have the target's value.
    public var size: Int { rawValue.nonzeroBitCount }

    /// Every combination of the first `count` factors.
    ///
    /// - Precondition: `count ≤ 16`.
    public static func every(of count: Int) -> [Self] {
        precondition(count <= 16, "a full factorial of \(count) factors has too many combinations")
        return (0..<UInt64(1) << UInt64(count)).map { Self(rawValue: $0) }
    }
}

/// The scores of one combination: by training and file, NaN where there is none.
public typealias ScoreMatrix = [[Double]]

/// Sums of score matrices of one shape.
enum ScoreMatrices {
    static func weighted(_ terms: [(weight: Double, scores: ScoreMatrix)]) -> ScoreMatrix {
        guard let first = terms.first?.scores else { return [] }
        return first.indices.map { seed in
            first[seed].indices.map { file in terms.reduce(0) { $0 + $1.weight * $1.scores[seed][file] } }
        }
    }

    static func mean(_ scores: ScoreMatrix) -> Double {
        let count = scores.reduce(0) { $0 + $1.count }
        return count == 0 ? .nan : scores.reduce(0) { $0 + $1.reduce(0, +) } / Double(count)
    }

    /// By file, the mean over one set of trainings less that over another.
    static func fileDifferences(_ first: ScoreMatrix, _ second: ScoreMatrix) -> [Double] {
        func mean(_ scores: ScoreMatrix, _ file: Int) -> Double {
            scores.reduce(0) { $0 + $1[file] } / Double(scores.count)
        }
        return (first.first ?? []).indices.map { mean(first, $0) - mean(second, $0) }
    }

    /// The mean of each training.
    static func seedMeans(_ scores: ScoreMatrix) -> [Double] { scores.map { $0.reduce(0, +) / Double($0.count) } }
}
