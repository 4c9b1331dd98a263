import Runs

/// The notes below a comparison, such as failed checks and differences between the systems.
struct ComparisonNotes {
    let lines: [String]

    init(
        _ rows: [ComparisonReport.Row], _ columns: [ComparisonReport.Column], _ cells: [[ComparisonReport.Cell?]],
        _ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options
    ) {
        let empty = rows.indices.filter { row in cells[row].allSatisfy { $0 == nil } }.map { row in
            "\(rows[row].label): no scores yet\(rows[row].run.map { " (\($0.status.rawValue))" } ?? "")"
        }
        lines =
            Self.damaged(snapshot) + empty + Self.sets(snapshot) + Self.columns(columns) + Self.gates(rows)
            + Self.checkpoints(rows, snapshot)
            + Self.design(rows, snapshot, options) + Self.unfloored(columns, options)
    }

    /// Scores that are not what they were when their evaluation ended.
    private static func damaged(_ snapshot: ScoreSnapshot) -> [String] {
        let runs = Dictionary(snapshot.runs.map { ($0.id, $0.name) }) { first, _ in first }
        return snapshot.evaluations.flatMap { evaluation in
            snapshot.damaged.filter { $0.evaluation == evaluation.id }
                .compactMap { snapshot.metrics[$0.metric]?.name }.sorted().map { metric in
                    let system = evaluation.run.flatMap { runs[$0] } ?? evaluation.anchor ?? ""
                    let place = [
                        snapshot.testSets[evaluation.testSet]?.name, evaluation.point.steps.map { "N = \($0)" },
                    ]
                    return ([system] + place.compactMap(\.self)).joined(separator: ", ")
                        + """
                        : the scores of \(metric) do not match their checksum; the store is damaged: sgmse doctor \
                        --thorough
                        """
                }
        }
    }

    private static func sets(_ snapshot: ScoreSnapshot) -> [String] {
        let sets = snapshot.testSets.values.sorted { $0.id < $1.id }
        let anchored = Set(snapshot.evaluations.filter { $0.anchor == "noisy" }.map(\.testSet))
        let withoutAnchor = sets.filter { !anchored.contains($0.id) }.map {
            "\($0.name): the noisy input has not been scored, so no row can be marked as worse than it"
        }
        let counts = ["two", "three", "four", "five"]
        let versions = Dictionary(grouping: sets, by: \.name).filter { $0.value.count > 1 }
        let withVersions = versions.sorted { $0.key < $1.key }.flatMap { name, all -> [String] in
            let count = all.count - 2 < counts.count ? counts[all.count - 2] : "\(all.count)"
            return ["\(count) different versions of '\(name)' were scored; their columns are not comparable"]
                + all.map { "\(name)@\($0.fingerprint.audioDigits.prefix(8)): \($0.folder), \($0.sampleRate) Hz" }
        }
        return withoutAnchor + withVersions
    }

    /// Numbers of other signatures and noise seeds have columns of their own.
    private static func columns(_ columns: [ComparisonReport.Column]) -> [String] {
        let byMetric = Dictionary(grouping: columns.compactMap(\.metric), by: \.name).mapValues {
            Set($0.map(\.signature))
        }
        let signatures = byMetric.sorted { $0.key < $1.key }.filter { $0.value.count > 1 }.map { name, _ in
            "\(name) was computed in different ways (see its signatures); their columns are not comparable"
        }
        let seeds = Set(columns.map { $0.factors["noise_seed"] })
        let noise =
            seeds.compactMap(\.self).count > 1
            ? ["different noise seeds were drawn for sampling; each has columns of its own"] : []
        return signatures + noise
    }

    private static func gates(_ rows: [ComparisonReport.Row]) -> [String] {
        [("waived", "checks were waived"), ("failed_gates", "checks failed")].flatMap { factor, words in
            let concerned = rows.filter { $0.key.factors[factor] != nil }
            let found = Dictionary(grouping: concerned) { $0.key.factors[factor] ?? "" }
            return found.sorted { $0.key < $1.key }.map { names, rows in
                var systems: [String] = []
                for name in rows.map({ $0.run?.name ?? $0.anchor ?? "" }) where !systems.contains(name) {
                    systems.append(name)
                }
                return "\(words) for \(systems.joined(separator: ", ")): \(names)"
            }
        }
    }

    /// Checkpoints that were chosen although they validate worse than the unprocessed input.
    private static func checkpoints(_ rows: [ComparisonReport.Row], _ snapshot: ScoreSnapshot) -> [String] {
        var seen: Set<String> = []
        return rows.compactMap { row in
            guard let run = row.run, let used = row.evaluation?.checkpoint,
                let warning = snapshot.validations[run.id]?.warning(on: used.kind, at: used.step),
                seen.insert("\(run.id) \(used)").inserted
            else { return nil }
            return "warning: \(run.name): \(warning)"
        }
    }

    /// What differs besides the compared setting: in the requested pairs, or between the first system and the others.
    private static func design(
        _ rows: [ComparisonReport.Row], _ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options
    ) -> [String] {
        let pairs = Contrast.pairs(rows, snapshot, options).map { (rows[$0.0], rows[$0.1]) }
        var seen: Set<String> = []
        let trainings = snapshot.trainings
        let systems = rows.filter { row in
            guard row.evaluation != nil, let training = row.run.flatMap({ trainings[$0.id] }) else { return false }
            return seen.insert(training).inserted
        }
        let chosen = pairs.isEmpty ? systems.dropFirst().map { ($0, systems[0]) } : pairs
        var shown: Set<String> = []
        let found = chosen.compactMap { snapshot.warning(on: $0.0, against: $0.1, overSeeds: options.overSeeds) }
            .filter { shown.insert($0).inserted }
        let most = 8
        guard found.count > most else { return found }
        return found.prefix(most) + ["and \(found.count - most) more pairs differ in more than one thing"]
    }

    private static func unfloored(
        _ columns: [ComparisonReport.Column], _ options: ComparisonReport.Options
    ) -> [String] {
        Set(columns.compactMap(\.metric?.name)).intersection(options.unfloored).sorted()
            .map { "\($0): the noisy input is perfect by definition there, so it is no floor" }
    }
}
