import Enhancement
import JSONValues
import Reports
import SpeechMetrics

/// The scores of folders as a table, as rows of numbers, and as a document.
struct MetricsReport {
    let metrics: [any SpeechMetric]
    /// Clean files whose enhanced file is missing.
    let missing: [String]
    /// What makes the files unfit to be compared, such as a delay.
    let misfits: [String]
    /// The noisy anchor, where there is one, and the enhanced files.
    let systems: [(name: String, scores: [ItemScores])]

    /// The files of a system that are summed up together: all, or those of one type of noise or one SNR.
    private struct Group {
        var system: String
        /// `noise` or `snr`; nil for all files.
        var label: String?
        var value: String?
        var scores: [ItemScores]

        var title: String { value.map { label == "noise" ? "noise \($0)" : $0 } ?? "all" }
    }

    private var groups: [Group] {
        var groups = systems.filter { !$0.scores.isEmpty }.map { Group(system: $0.name, scores: $0.scores) }
        for label in ["noise", "snr"] {
            let parts = systems.map { system in (system.name, system.scores.groups(by: label)) }
            // The enhanced files, which come last, have every value that the anchor has.
            for value in parts.last?.1.map(\.value) ?? [] {
                for (system, parts) in parts {
                    guard let scores = parts.first(where: { $0.value == value })?.scores else { continue }
                    groups.append(Group(system: system, label: label, value: value, scores: scores))
                }
            }
        }
        return groups
    }

    /// How each metric's values were made, over all systems.
    private var computations: [[MetricComputation]] { systems.flatMap(\.scores).computations }

    // MARK: For people

    var table: Table {
        var table = Table(
            columns: [
                Table.Column("system", alignment: .leading, isKey: true),
                Table.Column("files", alignment: .leading, isKey: true),
            ] + metrics.map { Table.Column($0.name, unit: $0.unit) })
        table.rows = groups.map { group in
            let cells = group.scores.summaries().enumerated().map { index, summary -> Table.Cell in
                let values = group.scores.map { $0.outcomes[index].value ?? .nan }
                return .estimate(Statistic(values), interval: summary.interval, digits: 2)
            }
            return Table.Row([.text(group.system), .text(group.title)] + cells, section: group.label ?? "")
        }
        table.notes = [
            """
            mean ± standard deviation [95 % bootstrap interval of the mean] (files; inf and missing ones are in no \
            mean)
            """
        ]
        if !missing.isEmpty {
            table.notes.append("! \(missing.count) outputs are missing: these are means over a part of the set")
        }
        table.notes += misfits.map { "! \($0)" }
        table.notes += zip(metrics, computations).map { metric, ways in
            "\(metric.name): " + ways.map(\.description).joined(separator: "; ")
        }
        return table
    }

    // MARK: For programs

    /// One row for each system, group of files and metric, with a column for each part of the statistic.
    var rows: Table {
        let names = [
            "system", "by", "group", "metric", "unit", "mean", "std", "n", "lower", "upper", "plus_infinite", "missing",
            "signature", "conversion",
        ]
        var table = Table(columns: names.map { Table.Column($0) })
        for group in groups {
            for ((metric, summary), ways) in zip(zip(metrics, group.scores.summaries()), group.scores.computations) {
                table.rows.append(
                    Table.Row([
                        .text(group.system), .text(group.label ?? ""), .text(group.value ?? "all"), .text(metric.name),
                        .text(metric.unit),
                        number(summary.mean), number(summary.standardDeviation), .integer(summary.count),
                        number(summary.interval?.lowerBound), number(summary.interval?.upperBound),
                        .integer(summary.infinite),
                        .integer(summary.failures), .text(ways.map(\.signature).unique.joined(separator: "; ")),
                        .text(ways.flatMap(\.conversions).unique.joined(separator: "; ")),
                    ]))
            }
        }
        return table
    }

    private func number(_ value: Double?) -> Table.Cell { value.map { .number($0, digits: 2) } ?? .empty }

    /// Metrics with what they are and how they were computed, groups with their means, every file with its values, and
    /// every failure with its reason. `+∞` is the text `inf`.
    var json: JSON {
        [
            "metrics": .array(zip(metrics, computations).map { Self.json($0, $1) }),
            "summaries": .array(groups.map(Self.json)),
            "files": .array(systems.flatMap { system in system.scores.map { Self.json($0, system.name) } }),
            "warnings": .array(misfits.map(JSON.string)), "missing_outputs": .array(missing.map(JSON.string)),
            "failures": .array(
                systems.flatMap { system in system.scores.flatMap { Self.failures(of: $0, system.name) } }),
        ]
    }

    private static func json(_ group: Group) -> JSON {
        [
            "system": .string(group.system), "by": JSON(group.label), "group": JSON(group.value),
            "files": .integer(group.scores.count), "scores": .array(group.scores.summaries().map(Self.json)),
        ]
    }

    private static func failures(of one: ItemScores, _ system: String) -> [JSON] {
        one.outcomes.compactMap { outcome -> JSON? in
            guard let failure = outcome.failure else { return nil }
            return [
                "system": .string(system), "file": .string(one.name), "metric": .string(outcome.name),
                "code": .string(failure.code), "reason": .string("\(failure)"),
            ]
        }
    }

    private static func json(_ metric: any SpeechMetric, _ ways: [MetricComputation]) -> JSON {
        [
            "name": .string(metric.name), "unit": .string(metric.unit), "direction": .string(metric.direction.rawValue),
            "range": [JSON(metric.range.lowerBound), JSON(metric.range.upperBound)], "source": .string(metric.source),
            "computed": .array(
                ways.map { way -> JSON in
                    [
                        "signature": .string(way.signature), "conversions": .array(way.conversions.map(JSON.string)),
                        "values": .integer(way.count),
                    ]
                }),
        ]
    }

    private static func json(_ summary: MetricSummary) -> JSON {
        [
            "metric": .string(summary.name), "mean": JSON(summary.mean), "std": JSON(summary.standardDeviation),
            "n": .integer(summary.count), "lower": JSON(summary.interval?.lowerBound),
            "upper": JSON(summary.interval?.upperBound),
            "plus_infinite": .integer(summary.infinite), "missing": .integer(summary.failures),
        ]
    }

    private static func json(_ one: ItemScores, _ system: String) -> JSON {
        [
            "system": .string(system), "file": .string(one.name), "noise": JSON(one.labels["noise"]),
            "snr": JSON(one.labels["snr"]),
            "scores": .array(
                one.outcomes.map { outcome -> JSON in
                    [
                        "metric": .string(outcome.name), "value": JSON(outcome.value),
                        "signature": .string(outcome.signature),
                        "conversions": .array(outcome.conversions.map(JSON.string)),
                        "failure": JSON(outcome.failure?.code),
                    ]
                }),
        ]
    }
}

extension [String] {
    /// Without repetitions, in order.
    fileprivate var unique: [String] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
