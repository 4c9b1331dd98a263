/// Shapley's share of each factor in a full factorial, and the interactions of pairs.
///
///     φᵢ  = Σ over S without i of  v(S ∪ i) − v(S), weighted by |S|! (k − |S| − 1)! / k!
///     Iᵢⱼ = Σ over S without i, j of  v(S ∪ ij) − v(S ∪ i) − v(S ∪ j) + v(S),
///           weighted by |S|! (k − |S| − 2)! / (k − 1)!
///
/// The shares add up to `v(all) − v(none)`, exactly and file by file. Shapley, *A Value for n-Person Games*, 1953;
/// Grabisch and Roubens, *An Axiomatic Approach to the Concept of Interaction Among Players*, 1999.
public enum ShapleyShares {
    /// The share of each of `count` factors, by training and file.
    ///
    /// - Precondition: `scores` has every combination of the factors.
    public static func shares(of count: Int, _ scores: [Combination: ScoreMatrix]) -> [ScoreMatrix] {
        (0..<count).map { factor in
            let terms = Combination.every(of: count).filter { !$0.has(factor) }.flatMap {
                rest -> [(weight: Double, scores: ScoreMatrix)] in
                let weight = 1 / (Double(count) * choices(count - 1, rest.size))
                return [(weight, known(rest.with(factor), scores)), (-weight, known(rest, scores))]
            }
            return ScoreMatrices.weighted(terms)
        }
    }

    /// The interaction of two factors, by training and file.
    public static func interaction(
        of first: Int, and second: Int, among count: Int, _ scores: [Combination: ScoreMatrix]
    ) -> ScoreMatrix {
        let rests = Combination.every(of: count).filter { !$0.has(first) && !$0.has(second) }
        return ScoreMatrices.weighted(
            rests.flatMap { rest -> [(weight: Double, scores: ScoreMatrix)] in
                let weight = 1 / (Double(count - 1) * choices(count - 2, rest.size))
                return [
                    (weight, known(rest.with(first).with(second), scores)), (-weight, known(rest.with(first), scores)),
                    (-weight, known(rest.with(second), scores)), (weight, known(rest, scores)),
                ]
            })
    }

    private static func known(_ combination: Combination, _ scores: [Combination: ScoreMatrix]) -> ScoreMatrix {
        guard let found = scores[combination] else {
            preconditionFailure("combination \(combination.rawValue) has no scores")
        }
        return found
    }

    /// Binomial coefficient.
    private static func choices(_ count: Int, _ part: Int) -> Double {
        (0..<part).reduce(1) { $0 * Double(count - $1) / Double($1 + 1) }
    }
}
