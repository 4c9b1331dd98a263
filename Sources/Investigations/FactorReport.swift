public import JSONValues
public import Reports
import Statistics

/// Which factors explain the gap between two configurations, the largest first.
public struct FactorReport: Hashable, Sendable {
    /// The name of the metric.
    public var metric: String
    /// The mean scores of both ends, collapsed trainings among them.
    public var source: Double
    /// The mean score of the second configuration.
    public var target: Double
    /// The smallest share that counts as a cause, in the metric's unit.
    public var effect: Double
    /// How many shares, interactions and steps of the path were judged together.
    public var compared: Int
    /// By size.
    public var shares: [FactorShare]
    /// The interactions of pairs of evaluation factors, the largest first.
    public var interactions: [FactorShare]
    /// What was left out of the shares, in words: trainings between both ends that collapsed.
    public var remarks: [String]
    /// The difference to be explained, in the metric's unit.
    public var gap: Double { target - source }
    /// What no factor explains: a path that is not at its end, or something that no setting names.
    public var unexplained: Double { gap - shares.reduce(0) { $0 + $1.mean } }

    /// - Parameters:
    ///   - seeds: What the rows of the score matrices are called.
    ///   - clusters: The cluster of each file, such as its speaker; each file is its own where nil.
    public init(
        _ scores: FactorScores, metric: String, seeds: [Int]? = nil, clusters: [Int]? = nil, alpha: Double = 0.05
    ) {
        (self.metric, source, target, effect) = (metric, scores.source, scores.target, scores.effect)
        let rule = ShareRule(alpha: alpha, effect: scores.effect, clusters: clusters)
        let (factorial, steps) = (Self.factorial(scores, rule), Self.steps(scores.path, scores, rule))
        let judged = rule.judged(factorial + steps.map(\.share))
        compared = judged.count
        let ofEvaluation = judged.prefix(factorial.count)
        let ofTraining = zip(steps, judged.dropFirst(factorial.count)).filter(\.0.isTaken).map(\.1)
        let (ofCollapses, remarks) = Self.collapses(scores, rule, seeds)
        shares = (ofEvaluation.filter { $0.kind == .evaluation } + ofTraining + ofCollapses).sorted {
            abs($0.mean) > abs($1.mean)
        }
        interactions = ofEvaluation.filter { $0.kind == .interaction }.sorted { abs($0.mean) > abs($1.mean) }
        self.remarks = remarks
    }

    /// The shares of the factors of the evaluation, and what pairs of them are worth.
    private static func factorial(_ scores: FactorScores, _ rule: ShareRule) -> [MeasuredShare] {
        // The factors of the evaluation, counted from 0.
        let (numbers, factors) = (scores.evaluated, scores.factors)
        var own: [Combination: ScoreMatrix] = [:]
        for combination in Combination.every(of: numbers.count) {
            let whole = numbers.indices.reduce(Combination()) { combination.has($1) ? $0.with(numbers[$1]) : $0 }
            guard let found = scores.kept[whole] else { return [] }
            own[combination] = found
        }
        guard !numbers.isEmpty else { return [] }
        let shares = zip(numbers, ShapleyShares.shares(of: numbers.count, own)).map {
            rule.ofEvaluation(factors[$0].name, .evaluation, $1)
        }
        let pairs = numbers.indices.flatMap { i in numbers.indices.filter { $0 > i }.map { (i, $0) } }
        let interactions = pairs.map { i, j in
            rule.ofEvaluation(
                "\(factors[numbers[i]].name) × \(factors[numbers[j]].name)", .interaction,
                ShapleyShares.interaction(of: i, and: j, among: numbers.count, own))
        }
        return shares + interactions
    }

    /// Every step that was compared to choose the path: those that it takes were chosen among the others.
    private static func steps(
        _ path: AblationPath, _ scores: FactorScores, _ rule: ShareRule
    ) -> [(share: MeasuredShare, isTaken: Bool)] {
        path.compared.compactMap { step in
            guard let first = scores.kept[step.from], let second = scores.kept[step.to] else { return nil }
            let seeds = scores.errorOfTrainings(step.from, step.to)
            return (
                rule.ofTraining(scores.factors[step.factor].name, first, second, seeds: seeds), step.isTaken
            )
        }
    }

    /// What collapsed trainings of both ends are worth, and which others were left out.
    private static func collapses(
        _ scores: FactorScores, _ rule: ShareRule, _ seeds: [Int]?
    ) -> (shares: [FactorShare], remarks: [String]) {
        let all = Combination(all: scores.factors.count)
        let ends = [Combination(), all.subtracting(scores.start)].unique
        func change(_ whole: Combination) -> Double {
            ScoreMatrices.mean(scores.kept[whole] ?? []) - ScoreMatrices.mean(scores.measured[whole] ?? [])
        }
        var (shares, remarks): ([FactorShare], [String]) = ([], [])
        for end in ends {
            let own = scores.collapses.filter { $0.training == end }
            // Ends that differ in the evaluation alone have the same trainings.
            let change = (end.isEmpty ? change([]) : 0) - (end == ends.last ? change(all) : 0)
            let name = ends.count == 1 ? "both" : end.isEmpty ? "the first" : "the second"
            let drops = own.reduce(0) { $0 + $1.found.drop }
            for one in own {
                shares.append(
                    rule.ofCollapse(
                        "seed \(seeds?[one.row] ?? one.row) of \(name)", one.found,
                        // Several collapsed trainings share what they cost together.
                        mean: change * one.found.drop / drops,
                        of: scores.measured[end.isEmpty ? end : all]?.count ?? 1))
            }
        }
        for one in scores.collapses where !ends.contains(one.training) {
            let names = scores.factors.indices.filter { one.training.has($0) }.map { scores.factors[$0].name }
            remarks.append(
                "seed \(seeds?[one.row] ?? one.row) with the second one's \(names.joined(separator: ", ")) collapsed "
                    + "(\(one.found.drop.fixed(2)) worse than its other seeds) and is left out")
        }
        return (shares, remarks)
    }
}

extension FactorReport {
    /// `data.sample_rate 0.71 of 1.05 PESQ [0.66, 0.77]; evaluate.N 0.01; left unexplained 0.31`.
    public var sentence: String {
        let parts = shares.enumerated().map { place, share in
            let of = place == 0 ? " of \(gap.fixed(2)) \(metric.asPrintedMetric)" : ""
            let range = share.interval.map { " [\($0.lowerBound.fixed(2)), \($0.upperBound.fixed(2))]" } ?? ""
            return "\(share.shown) \(share.mean.fixed(2))\(of)\(place == 0 || share.verdict == .supported ? range : "")"
        }
        return (parts + ["left unexplained \(unexplained.fixed(2))"]).joined(separator: "; ")
    }

    /// The supported, the refuted and the inconclusive factors, as a sentence.
    public var conclusion: String {
        func names(_ verdict: Verdict) -> String {
            shares.filter { $0.verdict == verdict }.map(\.shown).joined(separator: ", ")
        }
        let size = "\(effect.fixed(2)) \(metric.asPrintedMetric)"
        let (found, innocent, open) = (names(.supported), names(.refuted), names(.inconclusive))
        let parts = [
            found.isEmpty
                ? "nothing is supported: no difference between the two is shown to explain \(size) or more"
                : "supported, the largest first: \(found)",
            innocent.isEmpty ? nil : "refuted, worth less than \(size) each: \(innocent)",
            open.isEmpty ? nil : "inconclusive: \(open)",
        ]
        return parts.compactMap(\.self).joined(separator: "; ")
    }

    /// A line for each share, with those interactions that are supported.
    public var table: Table {
        var table = Table(
            title: "\(metric.asPrintedMetric) from \(source.fixed(2)) to \(target.fixed(2))",
            columns: [
                .init("factor", alignment: .leading, isKey: true), .init("of", alignment: .leading), .init("explains"),
                .init("interval"),
                .init("p"), .init("verdict", alignment: .leading), .init("would decide", alignment: .leading),
            ])
        table.rows = (shares + interactions.filter { $0.verdict == .supported }).map(row)
        table.notes = [sentence + ".", conclusion + "."] + remarks
        let ofCollapses = shares.contains { $0.kind == .collapse } ? ", that of a collapse for all trainings" : ""
        if compared > 1 {
            table.notes.append(
                "p is corrected for the \(compared) differences that were compared (Holm)\(ofCollapses); "
                    + "an interval is that of its share alone (95 %); "
                    + "supported is read from p and the size, refuted from the interval")
        }
        if shares.contains(where: { $0.kind == .training }) {
            table.notes.append(
                "shares of training follow the path that moves the score farthest at each step; "
                    + "shares of evaluation are Shapley's on the first one's weights")
        }
        return table
    }

    private func row(_ share: FactorShare) -> Table.Row {
        let range = share.interval.map { "[\($0.lowerBound.fixed(2)), \($0.upperBound.fixed(2))]" } ?? "–"
        return .init([
            .text(share.name), .text(share.kind.rawValue), .number(share.mean, digits: 2), .text(range),
            .text(share.p.map { $0 < 0.001 ? "< 0.001" : $0.fixed(3) } ?? "–"),
            .text(share.verdict.rawValue), .text(share.needed ?? ""),
        ])
    }

    /// All shares and interactions with their intervals, p values and verdicts.
    public var json: JSON {
        func list(_ shares: [FactorShare]) -> JSON {
            .array(
                shares.map {
                    [
                        "factor": .string($0.name), "kind": .string($0.kind.rawValue),
                        "explains": .number($0.mean), "low": $0.interval.map { .number($0.lowerBound) } ?? .null,
                        "high": $0.interval.map { .number($0.upperBound) } ?? .null,
                        "p": $0.p.map(JSON.number) ?? .null, "verdict": .string($0.verdict.rawValue),
                        "needed": JSON($0.needed),
                    ]
                })
        }
        return [
            "metric": .string(metric), "source": .number(source), "target": .number(target), "gap": .number(gap),
            "effect": .number(effect), "compared": .number(Double(compared)), "shares": list(shares),
            "interactions": list(interactions),
            "unexplained": .number(unexplained),
            "conclusion": .string(conclusion), "remarks": .array(remarks.map(JSON.string)),
        ]
    }
}

extension FactorShare {
    /// Its name, as sentences say it.
    fileprivate var shown: String { kind == .collapse ? "the collapse of \(name)" : name }
}
