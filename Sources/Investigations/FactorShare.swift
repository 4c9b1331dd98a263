import Statistics

/// What one factor explains of the gap between two configurations.
public struct FactorShare: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A setting of the evaluation, on the same weights.
        case evaluation
        /// A setting of training.
        case training
        /// What two settings of the evaluation are worth together beyond their parts.
        case interaction
        /// A seed of one end that collapsed.
        case collapse
    }

    public var name: String
    public var kind: Kind
    public var mean: Double
    /// At 1 − alpha; nil where the spread is not known.
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
    /// How many shares are judged together; p values are corrected for them (Bonferroni).
    public var compared: Int
    /// The cluster of each file, such as its speaker; each file is its own where nil.
    public var clusters: [Int]?

    public init(alpha: Double = 0.05, effect: Double, compared: Int, clusters: [Int]? = nil) {
        (self.alpha, self.effect, self.compared, self.clusters) = (alpha, effect, compared, clusters)
    }

    /// The share of a factor of the evaluation, or an interaction: differences on the same weights, by training and
    /// file.
    ///
    /// Its error is that of other files and, with several trainings, of other trainings. What varies between the
    /// trainings of one file is part of both, and counts once.
    func ofEvaluation(_ name: String, _ kind: FactorShare.Kind, _ scores: ScoreMatrix) -> FactorShare {
        let sample = PairedSample(scores, clusters: clusters)
        guard sample.clusters > 1 else {
            return FactorShare(name, kind, mean: sample.mean, needed: "more than one file")
        }
        let files = ErrorOfMean(variance: pow2(sample.standardError), freedom: Double(sample.clusters - 1))
        let seeds = TrainingNoise(ofMeans: [ScoreMatrices.seedMeans(scores)]).map {
            ErrorOfMean(variance: $0.variance / Double(scores.count), freedom: $0.freedom)
        }
        var error = ErrorOfMean(sumOf: [files, seeds].compactMap(\.self))
        error.variance = max(files.variance, seeds?.variance ?? 0, error.variance - Self.residual(scores))
        // What varies more is what there should be more of.
        let isOfFiles = files.variance >= seeds?.variance ?? 0
        let (units, unit) =
            isOfFiles ? (sample.clusters, clusters == nil ? "files" : "speakers") : (scores.count, "trainings")
        var share = judged(name, kind, mean: sample.mean, error: error) { effect in
            Power.units(forMean: effect, deviation: (error.variance * Double(units)).squareRoot(), alpha: alpha).map {
                "\($0) \(unit)"
            }
        }
        if scores.count == 1, share.verdict == .supported {
            (share.verdict, share.needed) = (.inconclusive, "a second training: this holds for one seed's weights")
        }
        return share
    }

    /// The variance of the mean by what is particular to one file of one training.
    private static func residual(_ scores: ScoreMatrix) -> Double {
        let (seeds, files) = (scores.count, scores[0].count)
        guard seeds > 1, files > 1 else { return 0 }
        let (mean, seedMeans) = (ScoreMatrices.mean(scores), ScoreMatrices.seedMeans(scores))
        let fileMeans = (0..<files).map { file in scores.reduce(0) { $0 + $1[file] } / Double(seeds) }
        let sum = scores.indices.reduce(0.0) { sum, seed in
            (0..<files).reduce(sum) { $0 + pow2(scores[seed][$1] - seedMeans[seed] - fileMeans[$1] + mean) }
        }
        return sum / Double((seeds - 1) * (files - 1)) / Double(seeds * files)
    }

    /// The share of a factor of training: the difference between two sets of trainings on the same files.
    ///
    /// - Parameter seeds: What other trainings would change in it; nil where that is not known.
    func ofTraining(_ name: String, _ first: ScoreMatrix, _ second: ScoreMatrix, seeds: ErrorOfMean?) -> FactorShare {
        let mean = ScoreMatrices.mean(second) - ScoreMatrices.mean(first)
        guard let seeds else {
            return FactorShare(name, .training, mean: mean, needed: "two trainings of each combination at least")
        }
        let sample = PairedSample([ScoreMatrices.fileDifferences(second, first)], clusters: clusters)
        guard sample.clusters > 1 else { return FactorShare(name, .training, mean: mean, needed: "more than one file") }
        let files = ErrorOfMean(variance: pow2(sample.standardError), freedom: Double(sample.clusters - 1))
        let error = ErrorOfMean(sumOf: [seeds, files])
        return judged(name, .training, mean: mean, error: error) {
            // 1 / n₁ + 1 / n₂ for n trainings of each is 2 / n.
            let weight = 1 / Double(first.count) + 1 / Double(second.count)
            return Power.units(forMean: $0, deviation: (error.variance / weight * 2).squareRoot(), alpha: alpha)
                .map { "\($0) trainings of each" }
        }
    }

    /// The share of a training that collapsed, one of the `count` trainings of its end.
    func ofCollapse(_ name: String, _ found: CollapsedTraining, mean: Double, of count: Int) -> FactorShare {
        let error = ErrorOfMean(variance: found.error.variance / pow2(Double(count)), freedom: found.error.freedom)
        return FactorShare(
            name: name, kind: .collapse, mean: mean, interval: error.interval(around: mean, alpha: alpha), p: found.p,
            verdict: abs(mean) >= effect ? .supported : .inconclusive)
    }

    private func judged(
        _ name: String, _ kind: FactorShare.Kind, mean: Double, error: ErrorOfMean, needed: (Double) -> String?
    ) -> FactorShare {
        let p = min(1, Double(compared) * error.p(of: mean))
        let interval = error.interval(around: mean, alpha: alpha)
        let verdict: Verdict =
            p <= alpha && abs(mean) >= effect
            ? .supported
            : interval.lowerBound > -effect && interval.upperBound < effect ? .refuted : .inconclusive
        return FactorShare(
            name: name, kind: kind, mean: mean, interval: interval, p: p, verdict: verdict,
            // Where there is a difference, it is its distance from the one that would matter that has to be shown.
            needed: verdict == .inconclusive && effect > 0 ? needed(p <= alpha ? abs(effect - abs(mean)) : effect) : nil
        )
    }
}

private func pow2(_ value: Double) -> Double { value * value }

extension FactorShare {
    /// A share whose error is not known.
    fileprivate init(_ name: String, _ kind: Kind, mean: Double, needed: String) {
        self.init(name: name, kind: kind, mean: mean, verdict: .inconclusive, needed: needed)
    }
}
