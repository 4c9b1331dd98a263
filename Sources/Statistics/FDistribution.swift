/// Fisher's F distribution: the ratio of two independent estimates of one variance.
public struct FDistribution: Hashable, Sendable {
    /// `ν₁`, degrees of freedom of the numerator.
    public var above: Double
    /// `ν₂`, degrees of freedom of the denominator.
    public var below: Double

    /// - Precondition: both are greater than 0.
    public init(above: Double, below: Double) {
        precondition(above > 0 && below > 0, "F needs degrees of freedom, not \(above) and \(below)")
        (self.above, self.below) = (above, below)
    }

    /// The probability of a ratio of at least `f`: `I_x(ν₂/2, ν₁/2)` with `x = ν₂ / (ν₂ + ν₁ f)`.
    public func upperTail(_ f: Double) -> Double {
        guard f > 0 else { return 1 }
        guard f.isFinite else { return 0 }
        return StudentDistribution.incompleteBeta(below / (below + above * f), below / 2, above / 2)
    }
}
