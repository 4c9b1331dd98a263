import ArgumentParser
import Experiments
import Foundation
import JSONValues
import Reports
import Runs

/// `sgmse explain`: why a run ran.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say why a run ran: the reason of each step, and in what it differs from the run before it.")

    @Argument(help: "A run's name or id.")
    var subject: String

    @OptionGroup var store: StoreOptions

    @Flag(help: "The explanation as JSON.")
    var json = false

    func run() throws {
        let store = try store.open()
        let explanation = try Explanation(of: try store.run(named: subject), in: store)
        try json ? emit(explanation.json) : emit(explanation.text, terminator: "")
    }
}

extension Explanation {
    var text: String {
        var lines = ["\(run.name) (\(run.shortID)), \(run.status.rawValue)" + (run.reason.map { ": \($0)" } ?? "")]
        if let file { lines.append("  of \(file)") }
        lines.append("  differs from the run before it: \(difference ?? "there is none of its name")")
        for reason in reasons { lines.append("  \(reason.time.formatted(.iso8601)) \(reason.message)") }
        for finding in findings {
            lines.append("  \(finding.severity.rawValue)[\(finding.gate)] \(finding.subject): \(finding.message)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    var json: Reports.JSON {
        [
            "run": .string(run.name), "id": .string(run.shortID), "status": .string(run.status.rawValue),
            "spec": file.map(Reports.JSON.string) ?? .null, "difference": difference.map(Reports.JSON.string) ?? .null,
            "reasons": .array(
                reasons.map { ["time": .string($0.time.formatted(.iso8601)), "reason": .string($0.message)] }),
            "findings": .array(
                findings.map {
                    [
                        "severity": .string($0.severity.rawValue), "gate": .string($0.gate),
                        "subject": .string($0.subject),
                        "message": .string($0.message),
                    ]
                }),
        ]
    }
}
