import Statistics

/// The part of the gap between two configurations that one factor explains.
public struct FactorShare: Hashable, Sendable {
    /// What kind of cause a share belongs to; the raw value is printed.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A setting of the evaluation, on the same weights.
        case evaluation
        /// A setting of training.
        case training
        /// The interaction of two settings of the evaluation.
        case interaction
        /// A seed of one end that collapsed.
        case collapse
    }

    /// The setting's path, two of them joined by ` × `, or the seed that collapsed.
    public var name: String
    /// What kind of cause it is.
    public var kind: Kind
    /// The share in the metric's unit; negative where it works against the gap.
    public var mean: Double
    /// The interval at 1 − alpha, not corrected for other shares; nil where the spread is not known.
    public var interval: ClosedRange<Double>?
    /// The p value, corrected for all shares that were compared (Holm); nil where the spread is not known.
    public var p: Double?
    /// Supported where the share is shown to be at least the effect that matters; refuted where it is shown to be
    /// smaller.
    public var verdict: Verdict
    /// How many files or trainings would decide; nil where the share is decided.
    public var needed: String?
}

/// What was measured of a factor's share, before it is judged beside the others.
struct MeasuredShare {
    var name: String
    var kind: FactorShare.Kind
    var mean: Double
    /// nil where it is not known.
    var error: ErrorOfMean?
    /// How many files or trainings would show a share of some size at some level.
    var units: (_ effect: Double, _ alpha: Double) -> String? = { _, _ in nil }
    /// What is missing before the share can be supported, such as a second training; nil where nothing is.
    var lacks: String?
}

/// How shares are judged.
public struct ShareRule: Hashable, Sendable {
    /// The probability of even one false *supported* among all shares.
    public var alpha: Double
    /// The smallest share that counts as a cause, in the metric's unit.
    public var effect: Double
    /// The cluster of each file, such as its speaker; each file is its own where nil.
    public var clusters: [Int]?

    public init(alpha: Double = 0.05, effect: Double, clusters: [Int]? = nil) {
        (self.alpha, self.effect, self.clusters) = (alpha, effect, clusters)
    }

    // MARK: Measuring

    /// The share of a factor of the evaluation, or an interaction: differences on the same weights, by training and
    /// file.
    ///
    /// Its error is that of other files and, with several trainings, of other trainings. What varies between the
    /// trainings of one file is part of both, and counts once.
    func ofEvaluation(_ name: String, _ kind: FactorShare.Kind, _ scores: ScoreMatrix) -> MeasuredShare {
        let sample = PairedSample(scores, clusters: clusters)
        guard sample.clusters > 1 else {
            return MeasuredShare(name: name, kind: kind, mean: sample.mean, lacks: "more than one file")
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
        let deviation = (error.variance * Double(units)).squareRoot()
        return MeasuredShare(
            name: name, kind: kind, mean: sample.mean, error: error,
            units: { Power.units(forMean: $0, deviation: deviation, alpha: $1).map { "\($0) \(unit)" } },
            lacks: scores.count == 1 ? "a second training: this holds for one seed's weights" : nil)
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
    func ofTraining(_ name: String, _ first: ScoreMatrix, _ second: ScoreMatrix, seeds: ErrorOfMean?) -> MeasuredShare {
        var share = MeasuredShare(
            name: name, kind: .training, mean: ScoreMatrices.mean(second) - ScoreMatrices.mean(first))
        let sample = PairedSample([ScoreMatrices.fileDifferences(second, first)], clusters: clusters)
        guard let seeds, sample.clusters > 1 else {
            share.lacks = seeds == nil ? "two trainings of each combination at least" : "more than one file"
            return share
        }
        let files = ErrorOfMean(variance: pow2(sample.standardError), freedom: Double(sample.clusters - 1))
        let error = ErrorOfMean(sumOf: [seeds, files])
        // 1 / n₁ + 1 / n₂ for n trainings of each is 2 / n.
        let deviation = (error.variance / (1 / Double(first.count) + 1 / Double(second.count)) * 2).squareRoot()
        share.error = error
        share.units = {
            Power.units(forMean: $0, deviation: deviation, alpha: $1).map { "\($0) trainings of each" }
        }
        return share
    }

    /// The share of a training that collapsed, one of the `count` trainings of its end. Its p value is corrected for
    /// all trainings, among which it was looked for.
    func ofCollapse(_ name: String, _ found: CollapsedTraining, mean: Double, of count: Int) -> FactorShare {
        let error = ErrorOfMean(variance: found.error.variance / pow2(Double(count)), freedom: found.error.freedom)
        return FactorShare(
            name: name, kind: .collapse, mean: mean, interval: error.interval(around: mean, alpha: alpha), p: found.p,
            verdict: abs(mean) >= effect ? .supported : .inconclusive)
    }

    // MARK: Judging

    /// Judges everything that was compared, together: Holm's correction keeps the chance of even one false *supported*
    /// among them at most `alpha`. An interval is not corrected, and *refuted* is decided by it.
    func judged(_ measured: [MeasuredShare]) -> [FactorShare] {
        // What has no p value could have had any.
        let corrected = HolmCorrection.adjusted(measured.map { $0.error?.p(of: $0.mean) ?? 1 })
        // The level at which the next one would be found.
        let next = alpha / Double(max(1, corrected.count { $0 > alpha }))
        return zip(measured, corrected).map { judged($0, p: $1, next: next) }
    }

    private func judged(_ share: MeasuredShare, p: Double, next: Double) -> FactorShare {
        let (name, kind, mean) = (share.name, share.kind, share.mean)
        guard let error = share.error else {
            return FactorShare(name: name, kind: kind, mean: mean, verdict: .inconclusive, needed: share.lacks)
        }
        let interval = error.interval(around: mean, alpha: alpha)
        let verdict: Verdict =
            p <= alpha && abs(mean) >= effect
            ? .supported
            : interval.lowerBound > -effect && interval.upperBound < effect ? .refuted : .inconclusive
        var judged = FactorShare(name: name, kind: kind, mean: mean, interval: interval, p: p, verdict: verdict)
        if verdict == .inconclusive, effect > 0 {
            // A difference that is shown has to be shown to be larger or smaller than `effect`.
            judged.needed =
                p <= alpha
                ? share.units(abs(effect - abs(mean)), alpha)
                : abs(mean) > effect
                    ? share.units(abs(mean), next).map { "\($0), if it is as large as measured" }
                    : share.units(effect, next)
        }
        if verdict == .supported, let lacks = share.lacks {
            (judged.verdict, judged.needed) = (.inconclusive, lacks)
        }
        return judged
    }
}

private func pow2(_ value: Double) -> Double { value * value }
