/// The result of one test.
public struct TestAnswer: Hashable, Sendable {
    /// What a test found.
    public enum Outcome: Hashable, Sendable {
        case holds, fails
        /// The evidence does not decide; how much of it would.
        case undecided(needed: String?)
        /// There is no evidence yet.
        case missing
    }

    /// Whether the test holds, fails, or cannot be decided.
    public var outcome: Outcome
    /// What the outcome means for the claim; `nothing` where it is not decided.
    public var meaning: EvidenceTest.Meaning
    /// The result with the cells' numbers, as a sentence.
    public var sentence: String
    /// Where the cells' numbers come from: files with lines, or runs.
    public var places: [String]
    /// The difference with its interval, where the test has one.
    public var difference: Double?
    /// The interval of `difference` at the level 1 − alpha of the test.
    public var interval: ClosedRange<Double>?
    /// What would measure the cells that are missing; empty unless the outcome is `missing`.
    public var measurements: [MissingMeasurement]
}

/// The result of all tests of a claim together.
public enum Verdict: String, Hashable, Sendable, CaseIterable {
    case supported, refuted, inconclusive, missing

    /// Whether the claim is supported or refuted.
    public var isDecided: Bool { self == .supported || self == .refuted }

    /// Supported or refuted by what the answers mean, inconclusive where they contradict each other or do not decide,
    /// and missing where nothing was measured.
    init(_ answers: [TestAnswer]) {
        let meanings = answers.filter { $0.outcome == .holds || $0.outcome == .fails }.map(\.meaning)
        let isUndecided = answers.contains { if case .undecided = $0.outcome { true } else { false } }
        switch (meanings.contains(.supports), meanings.contains(.refutes)) {
        case (true, false): self = .supported
        case (false, true): self = .refuted
        case (true, true): self = .inconclusive
        case (false, false): self = isUndecided ? .inconclusive : .missing
        }
    }
}
