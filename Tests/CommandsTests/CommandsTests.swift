import Foundation
import TestFolders
import Testing

/// The program as a person runs it: output, messages and exit codes.
@Suite struct CommandsTests {
    private static let program =
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/sgmse"

    func sgmse(_ arguments: String..., folder: String = NSTemporaryDirectory()) throws -> (
        code: Int32, out: String, error: String
    ) {
        try sgmse(arguments, folder: folder)
    }

    func sgmse(_ arguments: [String], folder: String) throws -> (code: Int32, out: String, error: String) {
        let process = Process()
        let (out, error) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = out
        process.standardError = error
        try process.run()
        let text = out.fileHandleForReading.readDataToEndOfFile()
        let message = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: text, as: UTF8.self), String(decoding: message, as: UTF8.self)
        )
    }

    @Test func helpNamesEveryCommand() throws {
        let help = try sgmse("--help")
        #expect(help.code == 0)
        for command in [
            "check", "run", "ls", "show", "compare", "registry", "probe", "conformance", "checkpoint", "enhance",
            "diff", "gc", "doctor",
        ] {
            #expect(help.out.contains(command))
        }
    }

    @Test func aWrongOptionIsAUsageError() throws {
        let wrong = try sgmse("ls", "--nonsense")
        #expect(wrong.code == 2)
        #expect(wrong.error.contains("--nonsense"))
        #expect(wrong.out.isEmpty)
    }

    @Test func aWrongSpecIsLocatedAndExitsWith2() throws {
        let owner = try TestFolder()
        let folder = owner.path
        try Data("name: x\nbackbone: ncsnp_v2\n".utf8).write(to: URL(fileURLWithPath: folder + "/wrong.yaml"))
        let result = try sgmse("check", "wrong.yaml", folder: folder)
        #expect(result.code == 2)
        #expect(result.error.contains("wrong.yaml:2:11: error: unknown backbone 'ncsnp_v2'"))
        #expect(result.error.contains("did you mean 'ncsnpp_v2'?"))
    }

    @Test func missingDataExitsWith3() throws {
        let owner = try TestFolder()
        let folder = owner.path
        let spec = "name: x\ndata: { path: nowhere }\nsde: ouve\ntrain: { max_steps: 1 }\n"
        try Data(spec.utf8).write(to: URL(fileURLWithPath: folder + "/spec.yaml"))
        let result = try sgmse("run", "spec.yaml", "--store", folder + "/store.sqlite", folder: folder)
        #expect(result.code == 3)
        #expect(result.error.contains("nowhere"))
    }

    @Test func aFileThatIsNoStoreExitsWith5() throws {
        let owner = try TestFolder()
        let folder = owner.path
        try Data(String(repeating: "not a store. ", count: 50).utf8).write(
            to: URL(fileURLWithPath: folder + "/store.sqlite"))
        let result = try sgmse("ls", "--store", folder + "/store.sqlite")
        #expect(result.code == 5)
        #expect(result.error.contains("store.sqlite"))
    }

    @Test func conformanceWithoutAMatchExitsWith3() throws {
        let owner = try TestFolder()
        let folder = owner.path
        #expect(try sgmse("conformance", folder).code == 3)
    }

    @Test func probingNeedsFiles() throws {
        let result = try sgmse("probe", "run", "--files", "0")
        #expect(result.code == 2)
        #expect(result.error.contains("The value '0' is invalid for '--files"))
    }

    @Test func probingNeedsMetricsThatExist() throws {
        let result = try sgmse("probe", "run", "--metrics", "estoi", "si_srd")
        #expect(result.code == 2)
        #expect(result.error.contains("unknown metric 'si_srd'; did you mean 'si_sdr'?"))
    }

    @Test func everyRegistryIsListed() throws {
        let result = try sgmse("registry")
        #expect(result.code == 0)
        for name in [
            "ouve", "sbve", "ncsnpp_v2", "score_matching", "data_prediction", "reverse_diffusion", "pesq", "wiener",
            "synthetic",
        ] {
            #expect(result.out.contains(name), "\(name)")
        }
    }

    @Test func aCommandLineBecomesASpecAndBack() throws {
        let imported = try sgmse(
            "import", "command",
            """
            python train.py --base_dir vb --backbone ncsnpp_v2 --sde sbve --loss_type data_prediction --pesq_weight \
            5e-4 --nolog
            """
        )
        #expect(
            imported.code == 0 && imported.out.contains("pesq_weight: 0.0005") && imported.error.contains("--nolog"))
        let owner = try TestFolder()
        let folder = owner.path
        try Data(imported.out.utf8).write(to: URL(fileURLWithPath: folder + "/spec.yaml"))
        let exported = try sgmse("export", "command", "spec.yaml", folder: folder)
        #expect(exported.code == 0)
        for word in ["python train.py", "--base_dir vb", "--sde sbve", "--pesq_weight 0.0005", "python enhancement.py"]
        {
            #expect(exported.out.contains(word), "\(word)")
        }
        let wrong = try sgmse("import", "command", "python train.py --base_dir d --bath_size 4")
        #expect(wrong.code == 2 && wrong.error.contains("did you mean '--batch_size'?"))
    }

    @Test func mistakesAreJSONToo() throws {
        let owner = try TestFolder()
        let folder = owner.path
        try Data("name: x\ndata: { path: a }\ntrain: { max_steps: 1 }\nbackbone: ncsnp_v2\n".utf8).write(
            to: URL(fileURLWithPath: folder + "/wrong.yaml"))
        let result = try sgmse("check", "wrong.yaml", "--json", folder: folder)
        #expect(result.code == 2)
        let object = try JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: [[String: Any]]]
        let error = try #require(object?["errors"]?.first)
        #expect(error["code"] as? String == "unknown-name" && error["file"] as? String == "wrong.yaml")
        #expect(
            error["line"] as? Int == 4 && error["column"] as? Int == 11
                && error["hint"] as? String == "did you mean 'ncsnpp_v2'?")
    }

    /// A mistake, a setting that is not known, a difference in the protocol, a file without a partner: all in one pass.
    @Test func severalSpecsAreCheckedWhateverIsWrongWithTheFirst() throws {
        let owner = try TestFolder()
        let folder = owner.path
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        let corpus = "{ name: synthetic, train: 2, valid: 1, test: 1, test_ood: 0, shortest: 0.5, longest: 0.5 }"
        try write("made.yaml", "name: made\ndata: { corpus: \(corpus) }\ntrain: { max_steps: 1 }\n")
        let store = ["--store", "store.sqlite", "--corpora", "corpora"]
        #expect(try sgmse(["check", "made.yaml"] + store, folder: folder).code == 0)
        let base =
            "corpora/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: folder + "/corpora").first))
        let lost = try #require(
            try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(base)/train/noisy").sorted().first)
        try FileManager.default.moveItem(atPath: "\(folder)/\(base)", toPath: folder + "/own")
        try FileManager.default.removeItem(atPath: "\(folder)/own/train/noisy/\(lost)")
        try FileManager.default.removeItem(atPath: "\(folder)/own/train/manifest.csv")
        let rest = "data: { path: own }\ntrain: { max_steps: 1 }\n"
        try write("wrong.yaml", "name: wrong\nbackbone: ncsnp_v2\n" + rest)
        try write("open.yaml", "name: open\nincomplete: { objective.c_out: not published }\n" + rest)
        try write(
            "leaky.yaml",
            """
            name: leaky
            backbone: ncsnpp_v2_cond
            conditioning: { ref_num_frames: 32 }
            evaluate: { reference: { name: oracle, num_frames: 63 } }

            """ + rest)
        let arguments = ["check", "wrong.yaml", "open.yaml", "leaky.yaml"]
        let text = try sgmse(arguments + store, folder: folder)
        #expect(text.code == 2)
        for told in [
            "unknown backbone 'ncsnp_v2'", "objective.c_out", "error[reference-length]",
            "error[pairing] train: 1 file without a partner", lost,
        ] {
            #expect(text.error.contains(told), "\(told): \(text.error)")
        }
        let json = try sgmse(arguments + store + ["--json"], folder: folder)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: [[String: Any]]])
        #expect(
            object["errors"]?.map { $0["code"] as? String } == [
                "unknown-name", "incomplete", "reference-length", "pairing",
            ])
        #expect(Set((object["errors"] ?? []).map { Set($0.keys) }).count == 1)
        let waived = ["--set", "waive.pairing=the file is lost", "--set", "waive.reference-length=on purpose"]
        #expect(try sgmse(["check", "leaky.yaml"] + store + waived, folder: folder).code == 0)
        #expect(try sgmse(["check", "leaky.yaml"] + store, folder: folder).code == 3)
    }

    @Test func aPlanNeedsNoStoreAndMakesNothing() throws {
        let owner = try TestFolder()
        let folder = owner.path
        let spec = "name: x\ndata: { corpus: synthetic }\ntrain: { max_steps: 10 }\nevaluate: { N: [30, 50] }\n"
        try Data(spec.utf8).write(to: URL(fileURLWithPath: folder + "/spec.yaml"))
        let plan = try sgmse("plan", "spec.yaml", folder: folder)
        #expect(plan.code == 0 && plan.out.contains("+ train x [10 steps]: new — not trained yet"))
        #expect(plan.out.contains("1 run: 5 steps to do, 0 done before"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["spec.yaml"])
        let json = try sgmse("plan", "spec.yaml", "--json", folder: folder)
        let object = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any]
        #expect(object?["pending"] as? Int == 5 && (object?["steps"] as? [[String: Any]])?.count == 5)
    }

    @Test func anIncompleteSpecSaysWhatIsMissing() throws {
        let owner = try TestFolder()
        let folder = owner.path
        let spec =
            """
            name: x\ndata: { corpus: synthetic }\ntrain: { max_steps: 10 }\nincomplete: { objective.c_out: not \
            published }\n
            """
        try Data(spec.utf8).write(to: URL(fileURLWithPath: folder + "/spec.yaml"))
        for command in ["check", "plan", "run"] {
            let result = try sgmse(command, "spec.yaml", "--store", folder + "/store.sqlite", folder: folder)
            #expect(result.code == 2 && result.error.contains("objective.c_out: not published"), "\(command)")
        }
    }

    /// Files at 16 kHz under a spec of 8 kHz: stopped before training, with what to do; waived by name, with the
    /// reason.
    @Test func dataAtAnotherRateExitsWith3UnlessWaived() throws {
        let owner = try TestFolder()
        let folder = owner.path
        let made =
            """
            name: made\ndata: { corpus: { name: synthetic, train: 2, valid: 1, test: 1, test_ood: 0, shortest: 0.5, \
            longest: 0.5 } }\ntrain: { max_steps: 1 }\n
            """
        try Data(made.utf8).write(to: URL(fileURLWithPath: folder + "/made.yaml"))
        #expect(
            try sgmse("check", "made.yaml", "--store", "store.sqlite", "--corpora", "corpora", folder: folder).code == 0
        )
        let corpus = try #require(try FileManager.default.contentsOfDirectory(atPath: folder + "/corpora").first)
        let slow = "name: slow\ndata: { path: corpora/\(corpus), sample_rate: 8000 }\ntrain: { max_steps: 1 }\n"
        try Data(slow.utf8).write(to: URL(fileURLWithPath: folder + "/slow.yaml"))
        let stopped = try sgmse("check", "slow.yaml", "--store", "store.sqlite", folder: folder)
        #expect(
            stopped.code == 3
                && stopped.error.hasPrefix("error[rate] train: 4 files of 4 at 16000 Hz, 8000 Hz is expected"))
        #expect(
            stopped.error.contains(
                """
                fix: resample the data to 8000 Hz before training, let the run do it with data.resample: true, or set \
                data.sample_rate to 16000
                """
            ))
        let waived = try sgmse(
            "check", "slow.yaml", "--store", "store.sqlite", "--set", "waive.rate=on purpose", folder: folder)
        #expect(waived.code == 0 && waived.out.contains("waived errors") && waived.out.contains("waived: on purpose"))
    }
}
