import Foundation

/// A moving average of weights whose profile is a power function of training time.
///
///     ŵ(t) = Σ β-weighted weights,   β = (1 − δ/t)^{γ+1},   profile  p(τ) ∝ τ^γ for τ ≤ t
///
/// Its length is stated as the profile's standard deviation in units of training time, so that it grows with the
/// training:
///
///     s = √((γ + 1)/((γ + 2)² (γ + 3)))
///
/// Karras et al., *Analyzing and Improving the Training Dynamics of Diffusion Models*, CVPR 2024, Eq. (121)–(127),
/// Algorithms 2 and 3.
public struct PowerFunction: Hashable, Sendable {
    /// `s`, between 0 and 0.2886.
    public let std: Double
    /// `γ`, the largest root of `γ³ + 7γ² + (16 − s⁻²)γ + 12 − s⁻²`.
    public let exponent: Double

    /// - Precondition: `std` is above 0 and below 1/√12, the deviation of the even average of all weights.
    public init(std: Double) {
        precondition(std > 0 && std < (1.0 / 12).squareRoot(), "a power function of standard deviation \(std)")
        self.std = std
        let q = 1 / (std * std)
        func value(_ g: Double) -> (f: Double, slope: Double) {
            (((g + 7) * g + 16 - q) * g + 12 - q, (3 * g + 14) * g + 16 - q)
        }
        // The cubic is convex from below its largest root on, and positive at 1/s: Newton's steps descend to the root.
        var g = 1 / std
        for _ in 0..<100 {
            let (f, slope) = value(g)
            let next = g - f / slope
            guard next < g else { break }
            g = next
        }
        exponent = g
    }

    /// The standard deviation of a profile with an exponent.
    public static func std(exponent g: Double) -> Double { ((g + 1) / ((g + 2) * (g + 2) * (g + 3))).squareRoot() }

    /// The share of the old average at an update.
    ///
    /// - Parameters:
    ///   - time: Examples seen after the update.
    ///   - delta: Examples since the last update.
    public func decay(at time: Double, delta: Double) -> Double { pow(1 - delta / time, exponent + 1) }

    /// The profile at whole times `0 ..< count` for an average that ends at `offset`, with a sum of 1.
    public func response(offset: Double, count: Int) -> [Double] {
        let values = (0..<count).map {
            Double($0) <= offset ? pow(Double($0) / offset, exponent) / offset * (exponent + 1) : 0
        }
        let sum = values.reduce(0, +)
        return values.map { $0 / sum }
    }

    /// The inner product of two profiles that end at `offset` and at `other`.
    public func correlation(at offset: Double, with profile: PowerFunction, at other: Double) -> Double {
        let (a, b) = (exponent, profile.exponent)
        let power = offset < other ? b : -a
        return (a + 1) * (b + 1) * pow(offset / other, power) / ((a + b + 1) * max(offset, other))
    }
}

/// A stored or a wanted average: its profile and the training time at which it ends.
public struct AverageProfile: Hashable, Sendable {
    /// The training time at which the average ends, in the unit of all times compared with it (examples or steps).
    public var offset: Double
    /// The weighting over training time up to ``offset``.
    public var profile: PowerFunction

    public init(offset: Double, std: Double) { (self.offset, profile) = (offset, PowerFunction(std: std)) }

    /// The coefficients, with sum 1, of the combination of stored averages whose profile is nearest to the wanted one
    /// in the least-squares sense.
    ///
    /// Solves `A x = b` for the correlations `A` of the kept profiles with each other and `b` with the wanted one.
    /// - Returns: One coefficient for each of `kept`; `nil` where two of them are the same profile.
    public static func coefficients(of kept: [AverageProfile], for wanted: AverageProfile) -> [Double]? {
        func product(_ a: AverageProfile, _ b: AverageProfile) -> Double {
            a.profile.correlation(at: a.offset, with: b.profile, at: b.offset)
        }
        var rows = kept.map { a in kept.map { product(a, $0) } + [product(a, wanted)] }
        let n = kept.count
        for column in 0..<n {
            guard let pivot = (column..<n).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
                rows[pivot][column] != 0
            else { return nil }
            rows.swapAt(column, pivot)
            for row in 0..<n where row != column {
                let factor = rows[row][column] / rows[column][column]
                guard factor != 0 else { continue }
                for k in column...n { rows[row][k] -= factor * rows[column][k] }
            }
        }
        let solution = (0..<n).map { rows[$0][n] / rows[$0][$0] }
        let sum = solution.reduce(0, +)
        guard sum.isFinite, sum != 0 else { return nil }
        return solution.map { $0 / sum }
    }
}

/// A moving average with a half-life, which grows with the training until it reaches its length.
///
///     β = 0.5^{δ/h},   h = min(half-life, ramp · t)
///
/// The average that EDM2 calls traditional. Karras et al., NeurIPS 2022, Appendix F.
public struct HalfLife: Hashable, Sendable {
    /// Examples after which the influence of a weight is halved; without limit if `nil`.
    public var examples: Double?
    /// The largest half-life as a share of the examples seen.
    public var ramp: Double

    public init(examples: Double?, ramp: Double = 0.09) { (self.examples, self.ramp) = (examples, ramp) }

    /// The share of the old average at an update, as ``PowerFunction/decay(at:delta:)``.
    public func decay(at time: Double, delta: Double) -> Double {
        pow(0.5, delta / max(min(examples ?? .infinity, time * ramp), 1e-8))
    }
}
