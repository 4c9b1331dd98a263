import Foundation
import Glibc
import Runs
import TestFolders
import Testing

/// What people type: commands, names of sweeps, conditions; and what they see of it.
@Suite struct NamesTests {
    @Test(arguments: [
        (["chek", "x.yaml"], "unknown command 'chek'; did you mean 'check'?"),
        (["checkpoint", "inpsect", "f"], "unknown command 'checkpoint inpsect'; did you mean 'inspect'?"),
        (["export", "cvs"], "did you mean 'csv'?"), (["nonsense"], "known: init, check, plan, run"),
    ])
    func aWrongCommandIsToldTheNearest(words: [String], message: String) throws {
        let end = try Program.run(arguments: words)
        #expect(end.code == 2 && end.error.contains(message) && end.out.isEmpty, "\(end)")
    }

    /// A sweep `rates` of two runs in a file of another name.
    private func sweep() throws -> TestFolder {
        let scratch = try TestFolder()
        let text =
            tinySpec.replacingOccurrences(of: "name: tiny", with: "name: rates")
            + "sweep: { points: [ { name: slow, train: { lr: 1.0e-4 } }, { name: fast, train: { lr: 1.0e-3 } } ] }\n"
        let end = try Program.run("run", scratch.spec(text, "learning.yaml"), "--no-table", in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        return scratch
    }

    @Test func aSweepIsNamedByItsNameOrItsFile() throws {
        let scratch = try sweep()
        func sgmse(_ words: String...) throws -> Program.End { try Program.run(arguments: words, in: scratch.path) }
        let all = try sgmse("compare", "slow", "fast", "--format", "csv").out
        for name in ["rates", "learning", "learning.yaml"] {
            #expect(try sgmse("compare", name, "--format", "csv").out == all, "\(name)")
            let shown = try sgmse("show", "--json", name == "learning.yaml" ? "learning" : name)
            #expect(shown.out.contains("\"slow\"") && shown.out.contains("\"fast\""), "\(shown)")
            #expect(try sgmse("plan", name).out.contains("0 steps to do"))
        }
        let diff = try sgmse("diff", "rates")
        #expect(diff.code == 0 && diff.out.contains("lr"), "\(diff)")
        let one = try sgmse("diff", "slow")
        #expect(one.code == 2 && one.error.contains("two runs are needed"), "\(one)")
        let none = try sgmse("compare", "nothing")
        #expect(none.code == 2 && none.error.contains("no run is called 'nothing'"), "\(none)")
    }

    @Test func conditionsKnowScoresAndSayWhenNothingMatches() throws {
        let scratch = try sweep()
        func names(_ condition: String) throws -> String {
            try Program.run("ls", "--where", condition, in: scratch.path).out
        }
        #expect(try names("si_sdr>-1000").contains("slow") && names("not si_sdr>1000").contains("fast"))
        for command in ["ls", "compare"] {
            let none = try Program.run(command, "--where", "si_sdr > 1000 or name~nobody", in: scratch.path)
            #expect(none.error.contains("no run matches 'si_sdr > 1000 or name~nobody'"), "\(none)")
        }
        let help = try Program.run("ls", "--help").out
        for word in ["~", "and, or, not", "pesq>1.2"] { #expect(help.contains(word), "\(word)") }
        let deep = try Program.run("ls", "--where", String(repeating: "(", count: 50_000), in: scratch.path)
        #expect(deep.code == 2 && !deep.isSignal)
    }

    @Test func severitiesAreColouredOnATerminal() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec.replacingOccurrences(of: "lr: 1.0e-3", with: "lrr: 1.0e-3"))
        let told = try Program.onTerminal(
            ["check", spec], in: scratch.path, environment: ["TERM": "xterm", "NO_COLOR": ""])
        #expect(told.contains("\u{1B}[31merror\u{1B}[0m:"), "\(told.debugDescription)")
        for environment in [["NO_COLOR": "1", "TERM": "xterm"], ["NO_COLOR": "", "TERM": "dumb"]] {
            let plain = try Program.onTerminal(["check", spec], in: scratch.path, environment: environment)
            #expect(plain.contains("error:") && !plain.contains("\u{1B}"), "\(plain.debugDescription)")
        }
    }

    @Test func everyCommandHasAManualPage() throws {
        let scratch = try TestFolder()
        #expect(try Program.run("manual", scratch.path).code == 0)
        let pages = scratch.files(".1")
        #expect(
            pages.count > 35 && pages.contains("sgmse-checkpoint-inspect.1") && pages.contains("sgmse.1"), "\(pages)")
        let run = String(decoding: try #require(scratch.data("sgmse-run.1")), as: UTF8.self)
        #expect(
            run.contains(".SH OPTIONS") && run.contains("\\-\\-jobs jobs") && run.contains("sgmse\\-run \\- Train"),
            "\(run)")
        #expect(!run.contains("command\\-line"), "hidden options are not shown")
    }
}
