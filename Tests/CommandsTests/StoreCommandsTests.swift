import Foundation
import Runs
import TestFolders
import Testing

/// The commands around the store, on one small run.
@Suite(.serialized) struct StoreCommandsTests {
    /// A folder in which the tiny spec was run at two learning rates.
    private static let trained = Result<TestFolder, any Error> {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3] } }\n")
        let end = try Program.run("run", spec, "--jobs", "2", "--log", "jsonl", in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        #expect(end.error.contains("12 steps done, 0 cached, 0 failed"), "\(end.error)")
        return scratch
    }

    private let scratch: TestFolder
    private let runs: [Run]

    init() throws {
        scratch = try Self.trained.get()
        let store = try RunStore(at: scratch.store, access: .readOnly)
        runs = try store.runs()
    }

    private func sgmse(_ arguments: String...) throws -> Program.End {
        try Program(arguments, in: scratch.path).wait()
    }

    @Test func processesSideBySideDoWhatOneDoes() throws {
        let alone = try TestFolder()
        let spec = try alone.spec(tinySpec + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3] } }\n")
        #expect(try Program.run("run", spec, "--no-table", in: alone.path).code == 0)
        let names = alone.files("step-6.safetensors")
        #expect(names.count == 2 && names == scratch.files("step-6.safetensors"))
        for name in names { #expect(alone.data(name) == scratch.data(name)) }
        let tables = try [alone, scratch].map { try Program.run("compare", "--format", "csv", in: $0.path).out }
        #expect(Set(tables[0].split(separator: "\n")) == Set(tables[1].split(separator: "\n")))
        let commands = Set(runs.map(\.provenance.commandLine))
        #expect(commands.count == 1 && commands.first?.contains("--jobs 2") == true)
        #expect(runs.allSatisfy { $0.status == .finished && $0.started != nil && $0.ended != nil })
    }

    @Test func listsAreFiltered() throws {
        let all = try sgmse("ls", "--where", "backbone=ncsnpp_v2 and N=3", "--json")
        #expect(all.code == 0)
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(all.out.utf8)) as? [[String: Any]])
        #expect(rows.count == 2 && rows.allSatisfy { $0["step"] as? Int == 6 && $0["status"] as? String == "finished" })
        #expect(
            try sgmse("ls", "--where", "train.lr=2e-3").out.contains(
                runs.first { $0.name.contains("0.002") }?.shortID ?? "?"))
        #expect(try sgmse("ls", "--where", "backbon=x").code == 2)
    }

    @Test func tagsAndNotesAreKept() throws {
        let id = runs[0].shortID
        #expect(try sgmse("tag", id, "poc", "best").out == "best\npoc\n")
        #expect(try sgmse("ls", "--where", "tag=poc").out.contains(id))
        #expect(try sgmse("tag", id, "best", "--remove").out == "poc\n")
        #expect(try sgmse("note", id, "collapsed twice").code == 0)
        #expect(try sgmse("note", id).out == "collapsed twice\n")
        #expect(try sgmse("tag", "nobody").code == 2)
    }

    @Test func aDiffNamesWhatDiffers() throws {
        let diff = try sgmse("diff", runs[0].shortID, runs[1].shortID)
        #expect(diff.code == 0 && diff.out.contains("train.lr") && !diff.out.contains("things differ"))
        #expect(try sgmse("diff", runs[0].shortID, "nobody").code == 2)
    }

    @Test func oneRunTwiceIsNoCrash() throws {
        let id = runs[0].shortID
        let compared = try sgmse("compare", id, id, "--N", "2", "--json")
        #expect(compared.code == 0 && compared.out.components(separatedBy: "\"id\": \"\(id)\"").count == 2)
        let diff = try sgmse("diff", id, id)
        #expect(diff.code == 2 && diff.error.contains("one run"))
    }

    @Test func namesThatNobodyKnowsAreUsageErrors() throws {
        let metric = try sgmse("compare", "--metrics", "si_sdt", "--check")
        #expect(
            metric.code == 2 && metric.error.contains("unknown metric 'si_sdt'; did you mean 'si_sdr'?"),
            "\(metric.error)")
        let set = try sgmse("compare", "--sets", "tets")
        #expect(set.code == 2 && set.error.contains("did you mean 'test'?"), "\(set.error)")
        #expect(try sgmse("compare", "--metrics", "si_sdr", "--sets", "test").code == 0)
    }

    @Test func comparisonsTakeFactorsAndFormats() throws {
        let id = runs[0].shortID
        let wrong = try sgmse("compare", "--rows", "sistem")
        #expect(
            wrong.code == 2 && wrong.error.contains("unknown factor 'sistem'; did you mean 'system'?"), "\(wrong.error)"
        )
        #expect(try sgmse("compare", "--rows", "train.lr", "N", "--columns", "set", "speaker", "metric").code == 0)
        #expect(try sgmse("compare", "--rows", "metric", "--columns", "metric").code == 2)
        #expect(try sgmse("compare", "--baseline", id, "--pairs").code == 2)
        let tidy = try sgmse("compare", "--per-file")
        #expect(tidy.code == 0 && tidy.out.hasPrefix("system,run,seed,checkpoint,N,"), "\(tidy.out.prefix(80))")
        let page = try sgmse("compare", "--baseline", id, "--format", "html")
        #expect(
            page.code == 0 && page.out.components(separatedBy: "<table>").count == 3 && page.out.hasSuffix("</html>\n"))
        let latex = try sgmse("compare", "--format", "latex", "--caption", "All", "--label", "tab:all")
        #expect(latex.out.contains("\\caption{All}\n\\label{tab:all}"))
    }

    @Test func senselessValuesAreUsageErrors() throws {
        for arguments in [
            ["ls", "--limit=-1"], ["logs", runs[0].shortID, "--last=-1"], ["run", "spec.yaml", "--threads", "0"],
        ] {
            #expect(try Program(arguments, in: scratch.path).wait().code == 2, "\(arguments)")
        }
        let end = try Program(["run", "spec.yaml"], in: scratch.path, environment: ["SGMSE_THREADS": "abc"]).wait()
        #expect(end.code == 2 && end.error.contains("SGMSE_THREADS"))
        let missing = try sgmse("ls", "--store", "nowhere/store.sqlite")
        #expect(missing.code == 2 && missing.error.contains("there is no store here yet"))
    }

    @Test func aBackupOntoItselfIsRefused() throws {
        let end = try sgmse("backup", "store.sqlite")
        #expect(end.code == 2 && end.error.contains("would replace the store"))
        #expect(try sgmse("ls").code == 0)
    }

    @Test func everyReadingCommandSpeaksJSON() throws {
        let id = runs[0].shortID
        for arguments in [
            ["show", id], ["show", id, "--resolved"], ["logs", id], ["tag", id], ["note", id], ["show", "spec.yaml"],
        ] {
            let end = try Program(arguments + ["--json"], in: scratch.path).wait()
            #expect(
                end.code == 0 && (try? JSONSerialization.jsonObject(with: Data(end.out.utf8))) != nil,
                "\(arguments): \(end.out.prefix(300))")
        }
        let resolved = try sgmse("show", id, "--resolved").out
        #expect(resolved.contains("\n  max_steps: 6\n") && resolved.hasPrefix("name: "), "\(resolved)")
        #expect(try sgmse("show", id).out.contains("score      si_sdr "))
    }

    /// One run of two fails: one failure, in the summary and in the log, however many processes there are.
    @Test func aFailureOfManyProcessesIsOneFailure() throws {
        let broken = try TestFolder()
        let spec = try broken.spec(tinySpec + "sweep: { grid: { train.lr: [1.0e-3, 1.0e+30] } }\n")
        let end = try Program.run("run", spec, "--jobs", "2", "--no-table", in: broken.path)
        #expect(end.code == 1 && end.error.contains(", 1 failed"), "\(end.error)")
        let run = try #require(try RunStore(at: broken.store, access: .readOnly).runs().first { $0.status == .failed })
        let log = try Program.run("logs", run.shortID, in: broken.path).out.split(separator: "\n")
        #expect(log.count { $0.contains("✗") } == 1 && log.count { $0.contains("+ train") } == 1, "\(log)")
    }

    @Test func aTerminalIsToldTheReasons() throws {
        let live = try TestFolder()
        let spec = try live.spec(tinySpec)
        let long = ["run", spec, "--no-table", "--set", "train.max_steps=80", "--set", "train.validate_every=40"]
        let first = try Program.onTerminal(long, in: live.path)
        for word in ["+ train tiny", "step 40: validation ", "steps/s", "loss "] {
            #expect(first.contains(word), "\(word): \(first)")
        }
        let second = try Program.onTerminal(long, in: live.path)
        #expect(second.components(separatedBy: "cached — ").count == 8, "\(second)")
        #expect(!first.contains("0/0") && !second.contains("0/0"))
    }

    @Test func logsTellWhatHappened() throws {
        let log = try sgmse("logs", runs[0].shortID, "--follow")
        #expect(log.code == 0)
        for word in ["training steps 1 to 6", "validation", "checkpoint at step 6", "evaluate"] {
            #expect(log.out.contains(word), "\(word)")
        }
        #expect(try sgmse("logs", runs[0].shortID, "--last", "1").out.split(separator: "\n").count == 1)
    }

    @Test func showTellsWhichCheckpointAnEvaluationUsed() throws {
        let shown = try sgmse("show", runs[0].shortID).out
        #expect(
            shown.contains(
                """
                evaluation   test, N = 2, sb_ode, padding = reflection, t_eps = 0.03: last of step 6, ema weights, \
                finished
                """
            ), "\(shown)")
        #expect(shown.contains("sha256"))
    }

    /// However a command ends, the file alone is the whole store.
    @Test func aCopyOfTheFileAloneIsWholeAfterAnyCommand() throws {
        for arguments in [
            ["tag", runs[0].shortID, "kept"], ["tag", "nobody", "x"], ["gc", "--delete"], ["run", "no-such.yaml"],
        ] {
            _ = try Program(arguments, in: scratch.path).wait()
            let copy = try TestFolder()
            try FileManager.default.copyItem(atPath: scratch.store, toPath: copy.store)
            #expect(try RunStore(at: copy.store, access: .readOnly).runs().count == 2, "\(arguments)")
        }
        #expect(try sgmse("tag", runs[0].shortID, "kept", "--remove").code == 0)
    }

    @Test func removingAndRenamingSayWhatTheyWouldDo() throws {
        let removal = try sgmse("rm", runs[0].shortID)
        #expect(removal.code == 0 && removal.error.contains("--yes removes them"), "\(removal.error)")
        #expect(
            removal.out.contains("checkpoints/step-6.safetensors") && removal.out.contains("audio/"), "\(removal.out)")
        let renaming = try sgmse("rename", runs[0].shortID, "other", "--dry-run")
        #expect(renaming.code == 0 && renaming.out.contains("would be other-\(runs[0].shortID)"), "\(renaming.out)")
        #expect(try sgmse("tag", runs[0].shortID, "a\nb").code == 2)
        #expect(try sgmse("note", runs[0].shortID, String(repeating: "x", count: 20_000)).code == 2)
        let after = try RunStore(at: scratch.store, access: .readOnly)
        #expect(try after.runs().map(\.name) == runs.map(\.name) && scratch.files("step-6.safetensors").count == 2)
    }

    @Test func severalRunsAreRemovedTogetherAndNoneWhereOneIsUnknown() throws {
        let copy = try TestFolder()
        try FileManager.default.copyItem(atPath: scratch.store, toPath: copy.store)
        let ids = runs.map(\.shortID)
        #expect(try Program.run("rm", ids[0], "nobody", "--yes", in: copy.path).code == 2)
        #expect(try RunStore(at: copy.store, access: .readOnly).runs().count == 2)
        let end = try Program.run("rm", ids[0], ids[1], ids[0], "--yes", in: copy.path)
        #expect(end.code == 0 && end.error.components(separatedBy: " removed").count == 3, "\(end)")
        #expect(try RunStore(at: copy.store, access: .readOnly).runs().isEmpty)
    }

    @Test func aBackupIsAStore() throws {
        #expect(try sgmse("backup", "copy.sqlite").code == 0)
        let copy = try RunStore(at: scratch.path + "/copy.sqlite", access: .readOnly)
        #expect(try copy.runs().count == 2 && copy.integrityProblems().isEmpty)
    }

    /// `sgmse run SPEC > log 2>&1`
    @Test func outputAndMessagesKeepTheirOrderInOneFile() throws {
        let scratch = try TestFolder()
        let log = try Program.intoOneFile(["run", scratch.spec(tinySpec)], in: scratch.path)
        let text = try #require(String(data: log, encoding: .utf8))
        let (table, summary) = (
            try #require(text.range(of: "mean ± standard deviation")), try #require(text.range(of: " steps done"))
        )
        #expect(table.upperBound < summary.lowerBound)
    }

    @Test func runsTravelBetweenStores() throws {
        let other = try TestFolder()
        let target = other.store
        let first = try sgmse("export", "runs", runs[0].shortID, "--to", target, "--files")
        #expect(first.code == 0 && first.error.hasPrefix("1 runs, "), "\(first.error)")
        #expect(
            try sgmse("export", "runs", runs[0].shortID, "--to", target, "--files").error.hasPrefix(
                "0 runs, 0 evaluations, 0 scores, 0 files"))
        let all = try Program.run("import", "runs", scratch.store, in: other.path)
        #expect(all.error.hasPrefix("1 runs, "), "\(all.error)")
        #expect(other.files("step-6.safetensors").count == 1)
        #expect(try Program.run("gc", in: other.path).error.hasPrefix("0 files"))
    }

    @Test func garbageIsListedBeforeItGoes() throws {
        let stray = "\(scratch.path)/\(runs[0].folder)/checkpoints/step-1.safetensors"
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: stray))
        let store = try RunStore(at: scratch.store)
        try store.willMake(["\(runs[0].folder)/checkpoints/step-1.safetensors"])
        try store.close()
        let listed = try sgmse("gc")
        #expect(
            listed.code == 0 && listed.out.contains("step-1.safetensors")
                && FileManager.default.fileExists(atPath: stray))
        #expect(try sgmse("gc", "--delete").error.contains("1 files deleted, 3 bytes"))
        #expect(!FileManager.default.fileExists(atPath: stray))
        #expect(scratch.files("step-6.safetensors").count == 2)
    }

    @Test func theDoctorLooksAtEverything() throws {
        let report = try sgmse("doctor", "--json")
        #expect(report.code == 0, "\(report.out)")
        for subject in ["SQLite", "file system", "disk", "store", "integrity", "processor", "threads"] {
            #expect(report.out.contains("\"subject\": \"\(subject)\""), "\(subject)")
        }
    }

    @Test func historiesAreExported() throws {
        let id = runs[0].shortID
        let live = "\(runs[0].folder)/logs/jsonl/history.jsonl"
        let before = try #require(scratch.data(live), "written while training")
        #expect(try sgmse("export", "jsonl", id).code == 0)
        let lines = String(decoding: try #require(scratch.data(live)), as: UTF8.self).split(separator: "\n")
        #expect(lines.count { $0.contains("\"type\": \"step\"") } == 6)
        #expect(String(decoding: before, as: UTF8.self).contains("\"step\": 6"))
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        #expect(try sgmse("export", "csv", id, "--output", "tables").code == 0)
        let steps = String(decoding: try #require(scratch.data("tables/\(runs[0].folder)/steps.csv")), as: UTF8.self)
        #expect(
            steps.hasPrefix("step,loss,gradient_norm,learning_rate,seconds")
                && steps.split(separator: "\r\n").count == 7)
        #expect(try sgmse("export", "tensorboard", id, "--output", "boards").code == 0)
        #expect(scratch.files(".\(id)").count == 1)
    }

    /// An export begun while a run trains goes on to the run's end.
    @Test func anExportFollowsARun() throws {
        let live = try TestFolder()
        let training = try Program(
            ["run", try live.spec(tinySpec), "--set", "train.max_steps=80", "--no-table"], in: live.path)
        #expect(training.waitUntil { training.messages.contains("training steps 1 to 80") })
        let export = try Program(["export", "jsonl", "tiny", "--follow", "--output", "live"], in: live.path)
        #expect(training.process.isRunning, "the run was over before the export began")
        #expect(training.wait().code == 0)
        let end = export.wait()
        let folder = end.out.trimmingCharacters(in: .whitespacesAndNewlines)
        let lines = String(decoding: live.data(folder + "/history.jsonl") ?? Data(), as: UTF8.self).split(
            separator: "\n")
        #expect(end.code == 0 && lines.count { $0.contains("\"type\": \"step\"") } == 80, "\(end.error)")
        #expect(lines.contains { $0.contains("\"type\": \"evaluation\"") })
    }

    @Test func aSmallBenchmarkRuns() throws {
        let bench = try sgmse("bench", "store", "--runs", "60", "--scores-per-run", "100", "--json")
        #expect(bench.code == 0 && bench.out.contains("\"scores\": 6000"))
    }
}
