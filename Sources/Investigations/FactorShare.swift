import Foundation
import Statistics

/// What one factor explains of the gap between two configurations.
public struct FactorShare: Hashable, Sendable {
    public var name: String
    /// Whether it changes the evaluation alone.
    public var isOfEvaluation: Bool
    public var mean: Double
    /// At 1 − alpha; nil where nothing tells of the spread.
    public var interval: ClosedRange<Double>?
    /// After the correction for all that was compared.
    public var p: Double?
    public var verdict: Verdict
    /// What would decide, where nothing is decided yet.
    public var needed: String?
}

/// How shares are judged.
public struct ShareRule: Hashable, Sendable {
    public var alpha: Double
    /// The share that would matter.
    public var effect: Double

    public init(alpha: Double = 0.05, effect: Double) { (self.alpha, self.effect) = (alpha, effect) }

    /// The share of a factor of the evaluation: the same weights, so that files alone vary.
    ///
    /// - Parameters:
    ///   - compared: How many shares are judged together; Bonferroni's correction.
    ///   - clusters: The speaker of each file, where known.
    func ofEvaluation(_ name: String, _ scores: ScoreMatrix, compared: Int, clusters: [Int]? = nil) -> FactorShare {
        let sample = PairedSample(scores, clusters: clusters)
        guard sample.clusters > 1 else { return FactorShare(name, true, mean: sample.mean, needed: "more than one file") }
        return judged(
            name, isOfEvaluation: true, mean: sample.mean, error: sample.standardError, freedom: Double(sample.clusters - 1),
            compared: compared
        ) { effect in
            let deviation = sample.standardError * Double(sample.clusters).squareRoot()
            return Power.units(forMean: effect, deviation: deviation, alpha: alpha).map { "\($0) files" }
        }
    }

    /// The share of a factor of training: two sets of trainings, whose spread is pooled over all that were made.
    func ofTraining(
        _ name: String, _ first: ScoreMatrix, _ second: ScoreMatrix, noise: TrainingNoise?, compared: Int
    ) -> FactorShare {
        let mean = ScoreMatrices.mean(second) - ScoreMatrices.mean(first)
        guard let noise else { return FactorShare(name, false, mean: mean, needed: "two trainings of each combination at least") }
        let error = noise.deviation * (1 / Double(first.count) + 1 / Double(second.count)).squareRoot()
        return judged(name, isOfEvaluation: false, mean: mean, error: error, freedom: noise.freedom, compared: compared) {
            Power.units(forMean: $0, deviation: noise.deviation * 2.0.squareRoot(), alpha: alpha).map { "\($0) trainings of each" }
        }
    }

    private func judged(
        _ name: String, isOfEvaluation: Bool, mean: Double, error: Double, freedom: Double, compared: Int, needed: (Double) -> String?
    ) -> FactorShare {
        let student = StudentDistribution(freedom: freedom)
        let reach = student.quantile(1 - alpha / 2) * error
        let raw = error > 0 ? student.twoSided(mean / error) : mean == 0 ? 1 : 0
        let p = min(1, Double(compared) * raw)
        let interval = (mean - reach)...(mean + reach)
        let verdict: Verdict =
            p <= alpha && abs(mean) >= effect ? .supported
            : interval.lowerBound > -effect && interval.upperBound < effect ? .refuted : .inconclusive
        return FactorShare(
            name: name, isOfEvaluation: isOfEvaluation, mean: mean, interval: interval, p: p, verdict: verdict,
            // Where there is a difference, it is its distance from the one that would matter that has to be shown.
            needed: verdict == .inconclusive && effect > 0 ? needed(p <= alpha ? abs(effect - abs(mean)) : effect) : nil)
    }
}

extension FactorShare {
    /// A share without anything that tells of its error.
    fileprivate init(_ name: String, _ isOfEvaluation: Bool, mean: Double, needed: String) {
        self.init(name: name, isOfEvaluation: isOfEvaluation, mean: mean, verdict: .inconclusive, needed: needed)
    }
}

/// How far trainings of one combination lie apart, pooled over all combinations.
public struct TrainingNoise: Hashable, Sendable {
    public var deviation: Double
    public var freedom: Double

    /// nil where every combination was trained once.
    public init?(_ scores: some Sequence<ScoreMatrix>) {
        var (sum, freedom) = (0.0, 0.0)
        for matrix in scores where matrix.count > 1 {
            let means = ScoreMatrices.seedMeans(matrix)
            let mean = means.reduce(0, +) / Double(means.count)
            sum += means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            freedom += Double(means.count - 1)
        }
        guard freedom > 0 else { return nil }
        (deviation, self.freedom) = ((sum / freedom).squareRoot(), freedom)
    }
}
