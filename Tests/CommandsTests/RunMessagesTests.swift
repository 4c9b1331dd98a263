import Foundation
import Runs
import TestFolders
import Testing

/// What `run` and `ls` say besides the steps.
@Suite struct RunMessagesTests {
    /// That the last checkpoint is evaluated, whatever validation says, is a note.
    @Test func runSaysWhatCheckSays() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        let checked = try Program.run("check", spec, in: scratch.path)
        let findings = checked.out.split(separator: "\n").filter { $0.contains(/^(note|warning|error)\[/) }.map(
            String.init)
        #expect(checked.code == 0 && !findings.isEmpty, "\(checked)")
        let run = try Program.run("run", spec, "--no-table", in: scratch.path)
        let log = try Program.run("logs", "tiny", in: scratch.path).out
        for finding in findings {
            #expect(run.error.components(separatedBy: finding).count == 2, "\(finding)\n\(run.error)")
            #expect(log.components(separatedBy: finding).count == 2, "\(finding)\n\(log)")
        }
        // Nothing is left to do: the log does not repeat what was found.
        #expect(try Program.run("run", spec, "--no-table", "--jobs", "2", in: scratch.path).code == 0)
        let later = try Program.run("logs", "tiny", in: scratch.path).out
        for finding in findings { #expect(later.components(separatedBy: finding).count == 2, "\(later)") }
    }

    @Test func validationsStandBesideTheNoisyInput() throws {
        let scratch = try TestFolder()
        let run = try Program.run("run", scratch.spec(tinySpec), "--no-table", in: scratch.path)
        #expect(
            run.error.contains(/step 3: validation valid_loss [0-9.]+  pesq [0-9.]+ \(noisy [0-9.]+\)/), "\(run.error)")
        #expect(run.error.components(separatedBy: "si_sdr").count > 2)
        // After six steps a network is worse than its input, and the table says which checkpoint that concerns.
        let compared = try Program.run("compare", "tiny", in: scratch.path)
        #expect(
            compared.out.contains(
                /the checkpoint last@6 validates below the noisy input \(.*si_sdr -?[0-9.]+ against -?[0-9.]+\)/),
            "\(compared)")
    }

    @Test func aRunIsFinishedWhenItsEvaluationsAre() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec.replacingOccurrences(of: "N: [2, 3]", with: "N: [2, 3000]"))
        let program = try Program(["run", spec, "--no-table", "--threads", "1"], in: scratch.path)
        #expect(program.waitUntil { program.messages.contains("N=3000") })
        #expect(try Program.run("ls", in: scratch.path).out.contains(/trained, [1-4] evaluations to do/))
        kill(program.process.processIdentifier, SIGTERM)
        #expect(program.wait().code == 130)
        let listed = try Program.run("ls", in: scratch.path).out
        #expect(listed.contains(/trained, [1-3] evaluations to do/), "\(listed)")
        #expect(try Program.run("run", spec, "--no-table", "--set", "evaluate.N=[2]", in: scratch.path).code == 0)
        let finished = try Program.run("ls", "--json", in: scratch.path).out
        #expect(finished.contains("\"open_evaluations\": 0"), "\(finished)")
        #expect(try Program.run("ls", in: scratch.path).out.contains("finished"))
    }

    @Test func epochsOfDataThatIsNotThereAreNoSteps() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec.replacingOccurrences(of: "max_steps: 6", with: "max_epochs: 160"))
        let plan = try Program.run("plan", spec, in: scratch.path)
        #expect(plan.out.contains("+ train tiny [160 epochs]"), "\(plan)")
    }

    @Test(arguments: [["--nice", "7"], ["--nice", "7", "--jobs", "2"]])
    func everyComputingThreadOfARunThatYieldsHasItsPriority(options: [String]) throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec.replacingOccurrences(of: "N: [2, 3]", with: "N: [2, 3000]"))
        let program = try Program(["run", spec, "--no-table"] + options, in: scratch.path)
        #expect(program.waitUntil { program.messages.contains("N=3000") })
        let levels = try Self.priorities(of: program.process.processIdentifier)
        kill(program.process.processIdentifier, SIGTERM)
        #expect(program.wait().code == 130)
        #expect(!levels.isEmpty && levels.allSatisfy { $0 == 7 }, "\(levels)")
        #expect(try Program.run("run", spec, "--nice", "20", in: scratch.path).code == 2)
    }

    /// The nice values of the threads that have computed, of a process and of those that it started: fields 14 and 19
    /// of `stat` in proc(5).
    private static func priorities(of process: Int32) throws -> [Int] {
        let files = FileManager.default
        return try files.contentsOfDirectory(atPath: "/proc/\(process)/task").flatMap { thread -> [Int] in
            let folder = "/proc/\(process)/task/\(thread)"
            let stat = try String(contentsOfFile: folder + "/stat", encoding: .utf8)
            let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
            let children = (try? String(contentsOfFile: folder + "/children", encoding: .utf8)) ?? ""
            return try (fields[12] == "0" ? [] : [Int(fields[17])!])
                + children.split(separator: " ").flatMap { try priorities(of: Int32($0)!) }
        }
    }
}
