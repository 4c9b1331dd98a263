import ArgumentParser
import Experiments
import Foundation
import JSONValues
import Launchers
import Runs

/// `sgmse queue`: the jobs and units of a cluster.
struct QueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "List the units that tasks of a cluster do: state, task, host, progress, ETA.",
        discussion: "Units wait (todo), are at work (running), are done, failed, or are collected into the store.")

    @OptionGroup var store: StoreOptions

    @Flag(help: "Units that are collected too.")
    var all = false

    @Flag(help: "JSON instead of a table.")
    var json = false

    func run() throws {
        let folder = QueueFolder(store)
        try folder.refuseMissing(beside: store.path)
        let submissions = folder.queue.submissions()
        let states = folder.tasks()
        let shown = UnitQueue.State.allCases.filter { all || $0 != .collected }
        let lines = try folder.queue.entries(shown).map { Line($0, folder) }
        let collected = try folder.queue.entries([.collected]).count
        if json { return try printJSON(lines, submissions, states, collected) }
        if !lines.isEmpty { try emit(Self.table(lines)) }
        let counts = UnitQueue.State.allCases.filter { $0 != .collected }
            .map { state in "\(lines.count { $0.state == state }) \(state.rawValue)" }
        printError((counts + ["\(collected) collected"]).joined(separator: ", "))
        for submission in submissions.suffix(5) { printError(Self.text(of: submission, states)) }
        for line in lines where line.state == .failed { printError("✗ \(line.title): \(line.failure ?? "")") }
    }

    /// One unit.
    private struct Line {
        var unit: String
        var title: String
        var state: UnitQueue.State
        var task: String?
        var host: String?
        var progress: String
        var secondsLeft: Double?
        var attempts: Int
        var failure: String?

        init(_ entry: UnitQueue.Entry, _ folder: QueueFolder) {
            let record = TaskRecord(in: folder.queue.workFolder(of: entry.unit))
            let known = folder.unit(entry)
            let stage = entry.state == .running ? QueueProgress.stage(of: entry.unit, in: folder.queue) : ("", nil)
            (unit, title, state, task) = (entry.unit, known?.title ?? entry.unit, entry.state, entry.task)
            host = entry.state == .todo ? nil : record?.host
            (progress, secondsLeft) = (stage.0, stage.1 ?? (entry.state == .todo ? known?.seconds : nil))
            attempts = folder.queue.attempts(of: entry.unit).count
            failure = entry.state == .failed ? folder.queue.failure(of: entry.unit) : nil
        }
    }

    private static func table(_ lines: [Line]) -> String {
        let rows =
            [["unit", "state", "task", "host", "progress", "ETA"]]
            + lines.map { line in
                [
                    line.title, line.state.rawValue, line.task ?? "", line.host ?? "", line.progress,
                    line.secondsLeft.map(time) ?? "",
                ]
            }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
                .replacingOccurrences(of: " +$", with: "", options: .regularExpression)
        }.joined(separator: "\n")
    }

    private static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e7 else { return "unknown" }
        let whole = Int(seconds.rounded())
        return String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }

    private static func text(of submission: Submission, _ states: [TaskState]?) -> String {
        let ids = Set(submission.ids)
        let isLocal = submission.settings.name == "local"
        let own = states?.filter { state in isLocal || ids.contains(String(state.job.prefix { $0 != "_" })) } ?? []
        let counts = Dictionary(grouping: own) {
            $0.state.lowercased() + ($0.reason.isEmpty || !$0.isLive ? "" : " (\($0.reason))")
        }
        .map { "\($0.value.count) \($0.key)" }.sorted()
        let engine = submission.settings.name ?? "local"
        let seen = counts.isEmpty ? "no task is known any more" : counts.joined(separator: ", ")
        let known = states == nil ? "the engine does not answer" : seen
        return
            """
            job \(submission.name) (\(engine)\(submission.isCancelled ? ", cancelled" : "")) of \(submission.spec): \
            \(known)
            """
    }

    private func printJSON(_ lines: [Line], _ submissions: [Submission], _ states: [TaskState]?, _ collected: Int)
        throws
    {
        let units = lines.map { line -> JSON in
            [
                "unit": .string(line.unit), "title": .string(line.title), "state": .string(line.state.rawValue),
                "task": JSON(line.task),
                "host": JSON(line.host), "progress": .string(line.progress), "seconds_left": JSON(line.secondsLeft),
                "attempts": .integer(line.attempts), "failure": JSON(line.failure),
            ]
        }
        let jobs = submissions.map { one -> JSON in
            [
                "job": .string(one.name), "launcher": .string(one.settings.name ?? "local"), "spec": .string(one.spec),
                "tasks": .integer(one.tasks), "ids": .array(one.ids.map(JSON.string)),
                "cancelled": .bool(one.isCancelled),
            ]
        }
        let tasks = states.map { states -> JSON in
            .array(
                states.map { state -> JSON in
                    [
                        "task": .string(state.job), "state": .string(state.state), "live": .bool(state.isLive),
                        "host": .string(state.host),
                        "reason": .string(state.reason),
                    ]
                })
        }
        let all: JSON = [
            "units": .array(units), "collected": .integer(collected), "jobs": .array(jobs), "tasks": tasks ?? .null,
        ]
        try emit(all)
    }
}
