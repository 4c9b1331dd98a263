import Runs

/// One thing in which two systems differ, and that may decide their scores.
public struct DesignDifference: Hashable, Sendable {
    /// A path of the spec (`train.lr`; `sde` for another one with all its settings), or a factor of the evaluation.
    public var name: String
    /// nil where there is no such value.
    public var first: String?
    /// As ``first``, of the second system.
    public var second: String?
    /// Whether it is a factor of the evaluation, so that the same weights could be scored at the other value.
    public var isOfEvaluation: Bool
}

extension ScoreSnapshot {
    /// All that differs between two trainings and that may decide their weights.
    func differences(between first: Run, and second: Run) -> [DesignDifference] {
        let (mine, yours) = (settings[first.id] ?? [:], settings[second.id] ?? [:])
        let paths = Set(mine.keys).union(yours.keys).filter { path in
            Self.decidesWeights(path) && mine[path] != yours[path]
        }
        // Another choice brings other settings: together they are one thing.
        let choices = Set(paths.filter { $0.hasSuffix(".name") }.map { String($0.dropLast(".name".count)) })
        let names = Set(
            paths.map { path in
                choices.filter { path.hasPrefix($0 + ".") }.min { $0.count < $1.count } ?? path
            })
        var found = names.sorted().map { name in
            let path = choices.contains(name) ? name + ".name" : name
            return DesignDifference(name: name, first: mine[path], second: yours[path], isOfEvaluation: false)
        }
        let (a, b) = (first.key, second.key)
        if a.seed != b.seed {
            found.append(.init(name: "seed", first: "\(a.seed)", second: "\(b.seed)", isOfEvaluation: false))
        }
        if a.dataFingerprint != b.dataFingerprint, !names.contains(where: { $0.hasPrefix("data") }) {
            let short = { (key: RunKey) in String(key.dataFingerprint.audioDigits.prefix(8)) }
            found.append(.init(name: "data fingerprint", first: short(a), second: short(b), isOfEvaluation: false))
        }
        return found
    }

    /// All that differs between the systems of two rows; none where one is an anchor.
    func differences(
        between first: ComparisonReport.Row, and second: ComparisonReport.Row, overSeeds: Bool
    ) -> [DesignDifference] {
        guard let a = first.run, let b = second.run else { return [] }
        let ofRuns = a.id == b.id ? [] : differences(between: a, and: b).filter { !overSeeds || $0.name != "seed" }
        let (mine, yours) = (evaluationFactors(of: first, a), evaluationFactors(of: second, b))
        let skipped = Set(["system", "run", "seed", "training", "set", "metric", "signature"])
            .union(ComparisonFactor.ofFiles).union(ComparisonFactor.ofGates).union(ComparisonFactor.ofCounts)
        let names = Set(mine.keys).union(yours.keys).subtracting(skipped)
            .filter { !$0.contains(".") && mine[$0] != yours[$0] }
        // Another length of training ends at another step.
        let isLength = ofRuns.contains { ["train.max_steps", "train.max_epochs", "train.max_hours"].contains($0.name) }
        let followsLength = isLength && [mine, yours].allSatisfy { $0["checkpoint"]?.hasPrefix("last@") == true }
        return ofRuns
            + names.sorted().compactMap { name in
                if name == "checkpoint", followsLength { return nil }
                if let whole = ComparisonFactor.parts[name], names.contains(whole) { return nil }
                return DesignDifference(name: name, first: mine[name], second: yours[name], isOfEvaluation: true)
            }
    }

    /// The factors of a row; what an older store did not record is as the run's spec has it.
    private func evaluationFactors(of row: ComparisonReport.Row, _ run: Run) -> [String: String] {
        ["t_eps", "padding"].reduce(into: row.key.factors) { factors, name in
            factors[name] = factors[name] ?? settings[run.id]?["evaluate." + name]
        }
    }

    /// A sentence on two rows that differ in more than one thing: what they are, and which run would separate them.
    func warning(
        on first: ComparisonReport.Row, against second: ComparisonReport.Row, overSeeds: Bool
    ) -> String? {
        let things = differences(between: first, and: second, overSeeds: overSeeds)
        guard things.count > 1, let base = second.run else { return nil }
        let listed = things.prefix(6).map { "\($0.name): \($0.first ?? "none") against \($0.second ?? "none")" }
        let rest = things.count > 6 ? ["and \(things.count - 6) more"] : []
        let cells = things.prefix(2).map { missingCell($0, first, base, things) }
        return
            "\(first.label) against \(second.label): \(things.count) things differ "
            + "(\((listed + rest).joined(separator: "; "))); the scores do not show which of them matters; "
            + "\(cells.joined(separator: "; "))"
    }

    /// The cell of the design that isolates one thing: a run of the table, or what is still to be made.
    private func missingCell(
        _ thing: DesignDifference, _ row: ComparisonReport.Row, _ base: Run, _ things: [DesignDifference]
    ) -> String {
        let value = "\(thing.name) = \(thing.first ?? "none")"
        guard !thing.isOfEvaluation else { return "missing: '\(base.name)' evaluated with \(value) alone" }
        let isolated = runs.first { run in
            let found = run.id == base.id ? [] : differences(between: run, and: base)
            return found.count == 1 && found[0].name == thing.name && found[0].first == thing.first
        }
        guard let isolated else { return "missing: a run like '\(base.name)' with \(value) alone" }
        guard isolated.id == row.run?.id else {
            return "'\(isolated.name)' differs from '\(base.name)' in \(thing.name) alone"
        }
        // The weights exist, but were scored with other factors.
        let others = things.filter(\.isOfEvaluation).map { "\($0.name) = \($0.second ?? "none")" }
        return "missing: '\(isolated.name)' evaluated with \(others.joined(separator: ", "))"
    }
}
