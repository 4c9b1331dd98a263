public import Failures

/// Parts of a spec that cannot work together.
public struct IncompatibleParts: Diagnostic, Hashable, Sendable {
    /// The settings and why they contradict each other, such as `sampler: …`.
    public var reason: String

    public init(reason: String) { self.reason = reason }

    public var summary: String { reason }
    public var category: FailureCategory { .request }
    public var description: String { line }
}
