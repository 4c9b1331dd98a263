import ArgumentParser
import Corpora
import Experiments
import Foundation
import JSONValues
import Progress
import Reports
import Runs
import Specs

/// `sgmse plan`: what a run of a spec would do, and why.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what running a spec would do, the reason of each step, and what it takes.",
        discussion: """
            Nothing is trained and nothing is made. Times are those of earlier runs of the same network on crops of \
            the same size. Steps that are done are counted, and shown with --all.
            """)

    @OptionGroup var spec: SpecOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions

    @Flag(help: "Show the steps that are done, too.")
    var all = false

    @Flag(help: "The plan as JSON, every step of it.")
    var json = false

    func run() throws {
        let path = store.path
        let folder = (URL(fileURLWithPath: path).path as NSString).deletingLastPathComponent
        let known = FileManager.default.fileExists(atPath: path) ? try store.open() : nil
        // The store is read while the spec is.
        let planner = Planner(store: known, folder: folder, corpora: corpora.folder)
        let plan = try planner.plan(try spec.load(ofRunsIn: known))
        if json { return try emit(plan.json(of: spec.spec)) }
        var text = ""
        for step in all ? plan.steps : plan.pending { text += step.line + "\n" }
        for finding in plan.findings where finding.severity != .note { text += "\(finding)\n" }
        try emit(text + plan.summary)
    }
}

extension PlanStep {
    /// `+ train cfg [50000 steps]: new — not trained yet (2:30:00)`
    var line: String {
        let mark =
            switch state {
            case .cached: "="
            case .resumed: ">"
            case .new: "+"
            }
        let what = "\(kind.rawValue) \(subject)" + (detail.isEmpty ? "" : " [\(detail)]")
        return "\(mark) \(what): \(state.rawValue) — \(reason)" + (seconds.map { " (\(Duration.written($0)))" } ?? "")
    }
}

extension Plan {
    var summary: String {
        var text =
            """
            \(runs) \(runs == 1 ? "run" : "runs"): \(pending.count) steps to do, \(steps.count - pending.count) done \
            before
            """
        if seconds > 0 { text += "; about \(Duration.written(seconds)), as measured" }
        if unmeasured > 0 { text += "; \(unmeasured) steps of a kind that was not measured yet" }
        return text
    }

    func json(of file: String) -> Reports.JSON {
        [
            "spec": .string(file), "runs": .integer(runs), "pending": .integer(pending.count),
            "cached": .integer(steps.count - pending.count), "seconds": .number(seconds),
            "unmeasured": .integer(unmeasured),
            "steps": .array(
                steps.map { step in
                    [
                        "kind": .string(step.kind.rawValue), "subject": .string(step.subject),
                        "detail": .string(step.detail),
                        "state": .string(step.state.rawValue), "reason": .string(step.reason),
                        "seconds": step.seconds.map(Reports.JSON.number) ?? .null,
                    ]
                }),
            "findings": .array(findings.map { Problem($0, of: file).json }),
        ]
    }
}

extension Duration {
    /// Hours, minutes and seconds.
    static func written(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e12).rounded(.up))
        let (minutes, rest) = (whole / 60, whole % 60)
        return minutes < 60
            ? String(format: "%d:%02d", minutes, rest)
            : String(format: "%d:%02d:%02d", minutes / 60, minutes % 60, rest)
    }
}
