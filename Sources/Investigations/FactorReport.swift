import Reports
import Statistics

/// Which factors explain the gap between two configurations, the largest first.
public struct FactorReport: Hashable, Sendable {
    public var metric: String
    /// The mean scores of both ends.
    public var source: Double
    public var target: Double
    /// By size.
    public var shares: [FactorShare]
    /// What pairs of evaluation factors are worth beyond their parts, by size.
    public var interactions: [FactorShare]
    public var gap: Double { target - source }
    /// What no factor explains: a path that is not at its end, or something that no setting names.
    public var unexplained: Double { gap - shares.reduce(0) { $0 + $1.mean } }

    /// One factor, as the report needs it.
    public struct Factor: Hashable, Sendable {
        public var name: String
        public var isOfEvaluation: Bool

        public init(_ name: String, isOfEvaluation: Bool) { (self.name, self.isOfEvaluation) = (name, isOfEvaluation) }
    }

    /// - Parameters:
    ///   - factors: Those of the evaluation have a full factorial on the source's weights in `scores`; for the others, the
    ///     path begins where all of the evaluation's are at the target's value.
    ///   - rule: nil takes a tenth of the gap for the share that would matter.
    /// - Precondition: both ends have scores.
    public init(_ factors: [Factor], _ scores: [Combination: ScoreMatrix], metric: String, alpha: Double = 0.05, effect: Double? = nil) {
        let all = Combination(all: factors.count)
        guard let first = scores[[]], let last = scores[all] else { preconditionFailure("an end of the path has no scores") }
        (self.metric, source, target) = (metric, ScoreMatrices.mean(first), ScoreMatrices.mean(last))
        let rule = ShareRule(alpha: alpha, effect: effect ?? abs(target - source) / 10)
        let evaluated = factors.indices.filter { factors[$0].isOfEvaluation }
        let trained = factors.indices.filter { !factors[$0].isOfEvaluation }
        let (ofEvaluation, pairs) = Self.factorial(evaluated, factors, scores, rule)
        let start = evaluated.reduce(Combination()) { $0.with($1) }
        let ofTraining = Self.path(trained, from: start, factors, scores, isUpward: target >= source, rule)
        shares = (ofEvaluation + ofTraining).sorted { abs($0.mean) > abs($1.mean) }
        interactions = pairs.sorted { abs($0.mean) > abs($1.mean) }
    }

    private static func factorial(
        _ numbers: [Int], _ factors: [Factor], _ scores: [Combination: ScoreMatrix], _ rule: ShareRule
    ) -> (shares: [FactorShare], interactions: [FactorShare]) {
        // The factors of the evaluation, counted from 0.
        var own: [Combination: ScoreMatrix] = [:]
        for combination in Combination.every(of: numbers.count) {
            let whole = numbers.indices.reduce(Combination()) { combination.has($1) ? $0.with(numbers[$1]) : $0 }
            guard let found = scores[whole] else { return ([], []) }
            own[combination] = found
        }
        guard !numbers.isEmpty else { return ([], []) }
        let shares = zip(numbers, ShapleyShares.shares(of: numbers.count, own)).map {
            rule.ofEvaluation(factors[$0].name, $1, compared: numbers.count)
        }
        let pairs = numbers.indices.flatMap { i in numbers.indices.filter { $0 > i }.map { (i, $0) } }
        let interactions = pairs.map { i, j in
            rule.ofEvaluation(
                "\(factors[numbers[i]].name) × \(factors[numbers[j]].name)",
                ShapleyShares.interaction(of: i, and: j, among: numbers.count, own), compared: pairs.count)
        }
        return (shares, interactions)
    }

    private static func path(
        _ numbers: [Int], from start: Combination, _ factors: [Factor], _ scores: [Combination: ScoreMatrix], isUpward: Bool,
        _ rule: ShareRule
    ) -> [FactorShare] {
        let path = AblationPath(over: numbers, from: start, isUpward: isUpward, scores)
        let noise = TrainingNoise(scores.values)
        var (current, shares) = (start, [FactorShare]())
        for factor in path.order {
            let next = current.with(factor)
            if let first = scores[current], let second = scores[next] {
                shares.append(rule.ofTraining(factors[factor].name, first, second, noise: noise, compared: path.compared))
            }
            current = next
        }
        return shares
    }
}

extension FactorReport {
    /// `data.sample_rate 0.71 of 1.05 PESQ [0.66, 0.77]; evaluate.N 0.01; left unexplained 0.31`.
    public var sentence: String {
        let parts = shares.enumerated().map { place, share in
            let of = place == 0 ? " of \(gap.fixed(2)) \(metric.asPrintedMetric)" : ""
            let range = share.interval.map { " [\($0.lowerBound.fixed(2)), \($0.upperBound.fixed(2))]" } ?? ""
            return "\(share.name) \(share.mean.fixed(2))\(of)\(place == 0 || share.verdict == .supported ? range : "")"
        }
        return (parts + ["left unexplained \(unexplained.fixed(2))"]).joined(separator: "; ")
    }

    public var table: Table {
        var table = Table(
            title: "\(metric.asPrintedMetric) from \(source.fixed(2)) to \(target.fixed(2))",
            columns: [
                .init("factor", alignment: .leading, isKey: true), .init("of", alignment: .leading), .init("explains"), .init("interval"),
                .init("p"), .init("verdict", alignment: .leading), .init("would decide", alignment: .leading),
            ])
        let pairs = interactions.filter { $0.verdict == .supported }
        table.rows = shares.map { row($0, $0.isOfEvaluation ? "evaluation" : "training") } + pairs.map { row($0, "interaction") }
        table.notes = [sentence + "."]
        if shares.contains(where: { !$0.isOfEvaluation }) {
            table.notes.append(
                "shares of training follow the path that moves the score farthest at each step; "
                    + "shares of evaluation are Shapley's on the source's weights")
        }
        return table
    }

    private func row(_ share: FactorShare, _ kind: String) -> Table.Row {
        let range = share.interval.map { "[\($0.lowerBound.fixed(2)), \($0.upperBound.fixed(2))]" } ?? "–"
        return .init([
            .text(share.name), .text(kind), .number(share.mean, digits: 2), .text(range),
            .text(share.p.map { $0 < 0.001 ? "< 0.001" : $0.fixed(3) } ?? "–"),
            .text(share.verdict.rawValue), .text(share.needed ?? ""),
        ])
    }

    public var json: JSON {
        func list(_ shares: [FactorShare]) -> JSON {
            .array(
                shares.map {
                    [
                        "factor": .string($0.name), "kind": .string($0.isOfEvaluation ? "evaluation" : "training"),
                        "explains": .number($0.mean), "low": $0.interval.map { .number($0.lowerBound) } ?? .null,
                        "high": $0.interval.map { .number($0.upperBound) } ?? .null,
                        "p": $0.p.map(JSON.number) ?? .null, "verdict": .string($0.verdict.rawValue), "needed": JSON($0.needed),
                    ]
                })
        }
        return [
            "metric": .string(metric), "source": .number(source), "target": .number(target), "gap": .number(gap), "shares": list(shares),
            "interactions": list(interactions), "unexplained": .number(unexplained),
        ]
    }
}
