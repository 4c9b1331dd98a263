import ArgumentParser
import Diagnostics
import Experiments
import Foundation
import JSONValues
import Reports

/// `sgmse conformance`: compares this implementation with recorded reference values.
struct Conformance: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare the implementation with a folder of reference values.",
        discussion: "Exits 3 if a case fails, a kind is unknown, or nothing matched.")

    @Argument(help: "A folder of cases, each with a case.json.")
    var folder: String

    @Option(help: "Only cases whose path starts so, such as backbone/ncsnpp_v2.")
    var only: String?

    @OptionGroup var threads: ThreadOptions
    @OptionGroup var device: DeviceOptions

    @Flag(help: "Print every check as one JSON object a line.")
    var json = false

    func run() throws {
        try threads.apply()
        try device.apply()
        let runner = ConformanceRunner()
        let ids = try runner.cases(in: folder, only: only)
        guard !ids.isEmpty else {
            printError(
                "no case in \(folder)" + (only.map { " starts with '\($0)'" } ?? "")
                    + "; a case is a folder with a case.json")
            throw ExitCode(3)
        }
        let width = ids.map(\.count).max() ?? 0
        var (failed, cases) = (0, 0)
        for id in ids {
            let checks = runner.run(id, in: folder)
            if !checks.allSatisfy(\.passes) { failed += 1 }
            cases += 1
            for check in checks { try json ? emitData(line(check), terminator: "\n") : emit(row(check, width)) }
        }
        if !json { try emit("\n\(cases - failed) cases passed, \(failed) failed") }
        if failed > 0 { throw ExitCode(3) }
    }

    private func row(_ check: ConformanceCheck, _ width: Int) -> String {
        let verdict = check.passes ? "ok  " : "FAIL"
        let id = check.id.padding(toLength: width, withPad: " ", startingAt: 0)
        if let reason = check.reason { return "\(verdict)  \(id)  \(check.quantity): \(reason)" }
        return
            "\(verdict)  \(id)  \(check.quantity)  error \(format(check.error))  tolerance \(format(check.tolerance))"
    }

    private func line(_ check: ConformanceCheck) -> String {
        var members: [Reports.JSON.Member] = [
            .init("case", .string(check.id)), .init("quantity", .string(check.quantity)),
            .init("error", number(check.error)),
            .init("tolerance", number(check.tolerance)), .init("passed", .bool(check.passes)),
        ]
        if let reason = check.reason { members.append(.init("reason", .string(reason))) }
        return Reports.JSON.object(members).line
    }

    private func number(_ value: Double) -> Reports.JSON { value.isFinite ? .number(value) : .string("\(value)") }

    private func format(_ value: Double) -> String { String(format: "%.2e", value) }
}
