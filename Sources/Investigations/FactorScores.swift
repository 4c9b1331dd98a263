/// The scores of combinations of factors, without the trainings that collapsed.
///
/// Combinations that differ in factors of the evaluation alone share their weights: a training that collapsed is left
/// out of all of them.
public struct FactorScores: Hashable, Sendable {
    /// One factor, as the analysis needs it.
    public struct Factor: Hashable, Sendable {
        /// What the report calls it: a setting's path.
        public var name: String
        /// Whether it changes the evaluation alone, so that weights are reused.
        public var isOfEvaluation: Bool

        public init(_ name: String, isOfEvaluation: Bool) { (self.name, self.isOfEvaluation) = (name, isOfEvaluation) }
    }

    /// A seed that collapsed, in the combination of training factors that it was trained with.
    public struct Collapse: Hashable, Sendable {
        /// The combination of training factors; factors of the evaluation are left out of it.
        public var training: Combination
        /// Its row in the score matrices as they were given.
        public var row: Int
        /// How far the seed lies below the others, and how sure that is.
        public var found: CollapsedTraining
    }

    /// Numbered by their place, as ``Combination`` names them.
    public let factors: [Factor]
    /// All scores, as they were measured.
    public let measured: [Combination: ScoreMatrix]
    /// Those of the trainings that did not collapse.
    public let kept: [Combination: ScoreMatrix]
    /// Every training that collapsed, at the ends and between them.
    public let collapses: [Collapse]
    /// The smallest share of the gap that counts as a cause, in the metric's unit.
    public let effect: Double
    /// The variance between trainings of one combination; its configurations are numbered like `trainings`.
    public let spread: TrainingSpread
    private let trainings: [Combination]

    /// - Parameters:
    ///   - factors: Those of the evaluation have a full factorial on the source's weights in `scores`; for the others,
    ///     the
    ///     path begins where all of the evaluation's are at the target's value.
    ///   - effect: nil takes a tenth of the gap.
    ///   - isHigherBetter: Whether a larger value of the metric is a better one.
    /// - Precondition: both ends have scores.
    public init(
        _ factors: [Factor], _ scores: [Combination: ScoreMatrix], effect: Double? = nil, isHigherBetter: Bool = true
    ) {
        guard let first = scores[[]], let last = scores[Combination(all: factors.count)] else {
            preconditionFailure("an end of the path has no scores")
        }
        (self.factors, measured) = (factors, scores)
        let effect = effect ?? abs(ScoreMatrices.mean(last) - ScoreMatrices.mean(first)) / 10
        let start = Self.start(of: factors)
        // Each training once, at the target's values of the evaluation's factors.
        let trainings = scores.keys.filter { $0.isSuperset(of: start) }.sorted { $0.rawValue < $1.rawValue }
        let means = trainings.map { ScoreMatrices.seedMeans(scores[$0] ?? []) }
        let found = CollapsedTraining.find(in: means, effect: effect, isHigherBetter: isHigherBetter)
        let fallen = found.map { Collapse(training: trainings[$0.group].subtracting(start), row: $0.place, found: $0) }
        let kept = scores.reduce(into: [Combination: ScoreMatrix]()) { kept, one in
            let training = one.key.subtracting(start)
            kept[one.key] = one.value.indices.filter { row in
                !fallen.contains { $0.training == training && $0.row == row }
            }
            .map { one.value[$0] }
        }
        spread = TrainingSpread(ofMeans: trainings.map { ScoreMatrices.seedMeans(kept[$0] ?? []) })
        (self.kept, self.trainings) = (kept, trainings)
        (collapses, self.effect) = (fallen, effect)
    }

    /// The mean score of the first configuration, collapsed trainings included.
    public var source: Double { ScoreMatrices.mean(measured[[]] ?? []) }
    /// The mean score of the second configuration, collapsed trainings included.
    public var target: Double { ScoreMatrices.mean(measured[Combination(all: factors.count)] ?? []) }
    /// The numbers of the factors of the evaluation, and of training.
    var evaluated: [Int] { factors.indices.filter { factors[$0].isOfEvaluation } }
    var trained: [Int] { factors.indices.filter { !factors[$0].isOfEvaluation } }
    /// All evaluation factors at the target's value.
    var start: Combination { Self.start(of: factors) }

    private static func start(of factors: [Factor]) -> Combination {
        factors.indices.filter { factors[$0].isOfEvaluation }.reduce(Combination()) { $0.with($1) }
    }

    /// The path over the factors of training, from where all of the evaluation's are at the target's value.
    public var path: AblationPath {
        let (first, last) = (kept[[]] ?? [], kept[Combination(all: factors.count)] ?? [])
        return AblationPath(
            over: trained, from: start, isUpward: ScoreMatrices.mean(last) >= ScoreMatrices.mean(first), kept)
    }

    /// The error of the difference between two combinations by the choice of trainings; nil where that is not known.
    func errorOfTrainings(_ first: Combination, _ second: Combination) -> ErrorOfMean? {
        func group(_ combination: Combination) -> (group: Int, count: Int)? {
            trainings.firstIndex(of: combination).map { ($0, kept[combination]?.count ?? 0) }
        }
        guard let first = group(first), let second = group(second) else { return nil }
        return spread.error(first, second)
    }
}
