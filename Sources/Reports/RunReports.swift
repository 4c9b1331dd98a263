public import Foundation
public import JSONValues
public import Runs

/// The list of runs, as `ls` shows it.
public struct RunListing: Sendable {
    /// In the order in which they are listed.
    public let runs: [Run]
    /// The errors of runs that cannot be read; these runs are left out.
    public let unreadable: [StoreError]
    /// The last step of those that were trained.
    public let steps: [Run.ID: Int]
    /// The evaluations of each run that are still to be done.
    public let open: [Run.ID: Int]

    public init(of store: RunStore, where filter: RunFilter? = nil, limit: Int? = nil) throws(StoreError) {
        let (runs, unreadable) = try store.readableRuns(where: filter, limit: limit)
        try self.init(of: runs, in: store, unreadable: unreadable)
    }

    public init(of runs: [Run], in store: RunStore, unreadable: [StoreError] = []) throws(StoreError) {
        (self.runs, self.unreadable) = (runs, unreadable)
        steps = try store.lastSteps(of: runs.map(\.id))
        open = try store.openEvaluations()
    }

    /// A line for each run.
    public var table: Table {
        Table(
            columns: [
                Table.Column("id", alignment: .leading, isKey: true),
                Table.Column("name", alignment: .leading, isKey: true), Table.Column("seed"),
                Table.Column("status", alignment: .leading), Table.Column("step"),
                Table.Column("started", alignment: .leading),
                Table.Column("took"), Table.Column("tags", alignment: .leading),
                Table.Column("notes", alignment: .leading), Table.Column("reason", alignment: .leading),
            ],
            rows: runs.map { run in
                Table.Row([
                    .text(run.shortID), .text(([run.name] + run.aliases).joined(separator: ", ")),
                    .text(String(run.key.seed)), .text(status(of: run)),
                    steps[run.id].map(Table.Cell.integer) ?? .empty, .text(run.started?.text ?? "–"),
                    .text(run.duration?.clock ?? "–"),
                    .text(run.tags.joined(separator: ", ")), .text(run.notes),
                    run.reason.map(Table.Cell.text) ?? .empty,
                ])
            })
    }

    /// An array of the runs with all their columns, the last step and the number of open evaluations.
    public var json: JSON {
        .array(
            runs.map { run in
                .object(
                    run.json.members + [
                        .init("step", JSON(steps[run.id])), .init("open_evaluations", .integer(open[run.id] ?? 0)),
                    ])
            })
    }

    /// A run is finished once its evaluations are.
    private func status(of run: Run) -> String {
        guard run.status == .finished, let open = open[run.id] else { return run.status.rawValue }
        return "trained, \(open) evaluations to do"
    }
}

/// The differences of two runs: meaning, protocol, provenance and results.
public struct DiffReport: Sendable {
    /// The run whose values are in the left column.
    public let first: Run
    /// The run whose values are in the right column.
    public let second: Run
    /// What differs in the specs, the data and the provenance.
    public let differences: RunDifferences
    /// The checkpoints that were evaluated, where they are not the same ones.
    public let checkpoints: RunDifferences.Item?
    /// The scores of both runs, with paired differences from the first.
    public let comparison: ComparisonReport

    /// - Parameter unfloored: Names of metrics for which the noisy input is no floor.
    public init(
        between first: Run.ID, and second: Run.ID, in store: RunStore, unfloored: Set<String> = []
    ) throws(StoreError) {
        let runs = try store.runs([first, second])
        (self.first, self.second) = (runs[0], runs[1])
        differences = try store.differences(between: first, and: second)
        let comparison = try ComparisonReport(
            of: [first, second], in: store, options: .init(baseline: first, unfloored: unfloored))
        self.comparison = comparison
        func used(_ run: Run) -> String {
            let rows = comparison.rows.filter { $0.run?.id == run.id }
            return Set(rows.compactMap { $0.factors["checkpoint"] }).sorted().joined(separator: ", ")
        }
        let (mine, yours) = (used(runs[0]), used(runs[1]))
        // Another length of training ends at another step.
        let lengths = ["train.max_steps", "train.max_epochs", "train.max_hours"]
        let isLength = differences.meaning.contains { lengths.contains($0.path) }
        let isEnd = isLength && [mine, yours].allSatisfy { $0.hasPrefix("last@") }
        checkpoints = mine == yours || isEnd ? nil : .init(path: "evaluated", first: mine, second: yours)
    }

    /// What differs in the specs and circumstances, then the results, then the paired differences.
    public var tables: [Table] {
        [differencesTable, comparison.table] + (comparison.differences.map { [$0] } ?? [])
    }

    private var differencesTable: Table {
        let parts = [
            ("meaning", differences.meaning), ("protocol", differences.protocols),
            ("checkpoint", [checkpoints].compactMap(\.self)), ("selection", differences.selection),
            ("provenance", differences.provenance),
        ]
        var table = Table(
            columns: [
                Table.Column("differs in", alignment: .leading, isKey: true), Table.Column("", alignment: .leading),
                Table.Column(first.shortID, alignment: .leading), Table.Column(second.shortID, alignment: .leading),
            ])
        table.rows = parts.flatMap { part, items in
            items.map { item in
                Table.Row(
                    [.text(part), .text(item.path), .text(item.first ?? "–"), .text(item.second ?? "–")], section: part)
            }
        }
        let deciding = differences.meaning.count + differences.protocols.count + (checkpoints == nil ? 0 : 1)
        if deciding != 1 {
            table.notes.append(
                deciding == 0
                    ? "nothing that decides a score differs"
                    : "\(deciding) things differ: the scores do not show which of them matters")
        }
        return table
    }

    /// Both runs, each list of differences, and the comparison.
    public var json: JSON {
        func list(_ items: [RunDifferences.Item]) -> JSON {
            .array(
                items.map { ["path": .string($0.path), "first": JSON($0.first), "second": JSON($0.second)] })
        }
        return [
            "first": first.json, "second": second.json, "meaning": list(differences.meaning),
            "protocol": list(differences.protocols), "checkpoint": list([checkpoints].compactMap(\.self)),
            "selection": list(differences.selection),
            "provenance": list(differences.provenance),
            "results": comparison.json,
        ]
    }
}

extension Run {
    /// Seconds from the start to the end.
    var duration: Double? { started.flatMap { start in ended.map { $0.timeIntervalSince(start) } } }

    /// All columns of the run.
    public var json: JSON {
        [
            "id": .string(shortID), "name": .string(name), "aliases": .array(aliases.map(JSON.string)),
            "seed": Int(exactly: key.seed).map(JSON.integer) ?? .string(String(key.seed)),
            "status": .string(status.rawValue), "reason": JSON(reason), "origin": .string(origin.rawValue),
            "identity": .string(key.identity), "data_fingerprint": .string(key.dataFingerprint),
            "created": .string(created.text), "started": JSON(started?.text), "ended": JSON(ended?.text),
            "folder": .string(folder), "git_commit": .string(provenance.gitCommit),
            "dirty": .bool(provenance.isDirty), "version": .string(provenance.version),
            "machine": .string(provenance.machine), "threads": .integer(provenance.threads),
            "command_line": .string(provenance.commandLine), "tags": .array(tags.map(JSON.string)),
            "notes": .string(notes),
        ]
    }
}

extension Date {
    /// `2026-11-22T08:00:00Z`.
    public var text: String { formatted(.iso8601) }
}

extension Double {
    /// Seconds as `1:02:03` or `2:03`.
    public var clock: String {
        guard abs(self) < 1e15 else { return isNaN ? "–" : self < 0 ? "-∞" : "∞" }
        let total = Int(self.rounded())
        let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds))" : "\(minutes):\(two(seconds))"
    }
}
