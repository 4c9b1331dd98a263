/// The path from one configuration to another, one factor at a time: each step changes the factor that moves the score
/// farthest toward the target.
///
/// Fawcett and Hoos, *Analysing Differences Between Algorithm Configurations Through Ablation*, Journal of Heuristics
/// 22, 2016. A path over k factors takes at most k (k + 1) / 2 − 1 combinations besides both ends; a round's
/// combinations do not depend on each other.
public struct AblationPath: Hashable, Sendable {
    /// The factors in the order of the path, as far as it is known.
    public var order: [Int]
    /// What has to be scored before the next step can be chosen; none at the end.
    public var missing: [Combination]
    /// The steps that were compared to choose the path, in its order.
    public var compared: [Step]

    /// One factor more at the target's value.
    public struct Step: Hashable, Sendable {
        /// The factors that are at the target's value before the step.
        public var from: Combination
        /// The number of the factor that the step changes.
        public var factor: Int
        /// The combination after the step.
        public var to: Combination { from.with(factor) }
        /// Whether the path takes it.
        public var isTaken = false
    }

    /// Builds the path as far as `scores` allow.
    ///
    /// - Parameters:
    ///   - start: Factors that are at the target's value from the beginning.
    ///   - isUpward: Whether the target's score is the higher one.
    public init(over factors: [Int], from start: Combination = [], isUpward: Bool, _ scores: [Combination: ScoreMatrix])
    {
        var (order, current, remaining, compared) = ([Int](), start, factors, [Step]())
        while !remaining.isEmpty {
            let open = remaining.map { current.with($0) }.filter { scores[$0] == nil }
            if !open.isEmpty {
                self.init(order: order, missing: open, compared: compared)
                return
            }
            let means = remaining.map { ScoreMatrices.mean(scores[current.with($0)] ?? []) }
            let best = means.indices.max { isUpward ? means[$0] < means[$1] : means[$0] > means[$1] } ?? 0
            compared += remaining.indices.map { Step(from: current, factor: remaining[$0], isTaken: $0 == best) }
            order.append(remaining[best])
            current = current.with(remaining.remove(at: best))
        }
        self.init(order: order, missing: [], compared: compared)
    }

    private init(order: [Int], missing: [Combination], compared: [Step]) {
        (self.order, self.missing, self.compared) = (order, missing, compared)
    }

    /// The most combinations besides both ends that a path over `count` factors takes.
    public static func most(of count: Int) -> Int { max(0, count * (count + 1) / 2 - 1) }
}
