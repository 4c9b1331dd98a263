import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// Runs by tasks of a launcher, on this machine: divided, done elsewhere, collected, joined, cancelled.
@Suite struct ClusterTests {
    static let sweep = tinySpec + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3] } }\n"

    private func run(_ arguments: [String], in scratch: TestFolder) throws -> Program.End {
        try Program(arguments, in: scratch.path, environment: ["XDG_CONFIG_HOME": scratch.path + "/config"]).wait()
    }

    private func queue(_ scratch: TestFolder, _ state: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path + "/queue/" + state)) ?? []).sorted()
    }

    @Test func detachedTasksDoWhatOneProcessDoesAndTheSameCommandJoinsThem() throws {
        let (alone, shared) = (try TestFolder(), try TestFolder())
        #expect(try run(["run", alone.spec(Self.sweep), "--no-table"], in: alone).code == 0)
        let spec = try shared.spec(Self.sweep)
        let start = try run(["run", spec, "--launcher", "local", "--jobs", "2", "--detach"], in: shared)
        #expect(start.code == 0 && start.error.contains("4 units for 2 tasks:"), "\(start.error)")
        // A second submission finds every unit taken.
        let second = try run(["run", spec, "--launcher", "local", "--jobs", "2", "--detach"], in: shared)
        #expect(second.code == 0 && !second.error.contains(" tasks: job"), "\(second.error)")
        let joined = try run(["run", spec, "--no-table"], in: shared)
        #expect(joined.code == 0 && joined.error.contains(" 0 failed"), "\(joined.error)")
        #expect(
            queue(shared, "collected").count == 4
                && ["todo", "running", "done", "failed"].allSatisfy { queue(shared, $0).isEmpty })
        #expect(try ResultText(of: shared.store).text == ResultText(of: alone.store).text)
        let listed = try run(["queue", "--all", "--json"], in: shared)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(listed.out.utf8)) as? [String: Any])
        #expect((json["units"] as? [[String: Any]])?.count == 4 && json["collected"] as? Int == 4, "\(listed.out)")
    }

    @Test func aUnitThatFailsIsMarkedWithItsReasonAndTheOthersGoOn() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(Self.sweep.replacingOccurrences(of: "2.0e-3] } }", with: "1.0e+30] } }"))
        let end = try run(["run", spec, "--launcher", "command", "--detach"], in: scratch)
        #expect(end.code != 0 && end.error.contains("launcher.submit"), "\(end.error)")
        try Data("launcher: { name: command, submit: 'sh {script} >>{log} 2>&1 &', jobs: 1 }\n".utf8)
            .write(to: URL(fileURLWithPath: scratch.path + "/sgmse.yaml"))
        let failed = try run(["run", spec, "--no-table"], in: scratch)
        #expect(failed.code == 1 && failed.error.contains(" 1 failed"), "\(failed.error)")
        #expect(queue(scratch, "failed").count == 1 && queue(scratch, "collected").count == 3)
        let listed = try run(["queue"], in: scratch)
        #expect(listed.out.contains("failed") && listed.error.contains("last lines of its log"), "\(listed)")
        let store = try RunStore(at: scratch.store, access: .readOnly)
        #expect(try store.runs().map(\.status).sorted { $0.rawValue < $1.rawValue } == [.failed, .finished])
        // The same command tries it again, and nothing else.
        let again = try run(["run", spec, "--no-table"], in: scratch)
        #expect(again.code == 1 && again.error.contains("1 unit for 1 task:"), "\(again.error)")
    }

    @Test func cancelledTasksSaveTheirStateAndTheNextRunGoesOn() throws {
        let long = tinySpec.replacingOccurrences(of: "max_steps: 6", with: "max_steps: 20000")
            .replacingOccurrences(of: "validate_every: 3", with: "validate_every: 20000")
        let scratch = try TestFolder()
        let spec = try scratch.spec(long)
        #expect(try run(["run", spec, "--launcher", "local", "--jobs", "1", "--detach"], in: scratch).code == 0)
        let deadline = Date(timeIntervalSinceNow: 60)
        func events() -> String {
            scratch.files("events.jsonl").compactMap { scratch.data($0) }.map { String(decoding: $0, as: UTF8.self) }
                .joined()
        }
        while !events().contains("\"trained\""), Date() < deadline { usleep(100_000) }
        let end = try run(["cancel"], in: scratch)
        #expect(end.code == 0 && end.error.contains("left the queue"), "\(end.error)")
        #expect(["todo", "running", "done"].allSatisfy { queue(scratch, $0).isEmpty })
        let store = try RunStore(at: scratch.store, access: .readOnly)
        let run = try #require(try store.runs().first)
        let step = try #require(try store.checkpoint(of: run.id, kind: .last)).step
        #expect(run.status == .interrupted && step > 0)
        let plan = try self.run(["plan", spec], in: scratch)
        #expect(plan.out.contains("stopped at step \(step)"), "\(plan.out)")
    }

    @Test func aDryRunPrintsTheScriptAndSubmitsNothing() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec("launcher: { name: slurm, partition: gpu, sbatch: { mem: 4G } }\n" + Self.sweep)
        let end = try run(
            ["run", spec, "--dry-run", "--jobs", "3", "--time", "2:00:00", "--account", "lab"], in: scratch)
        #expect(end.code == 0, "\(end.error)")
        for line in [
            "--partition=gpu", "--array=0-2", "--mem=4G", "--time=2:00:00", "--account=lab", "--signal=B:USR1@120",
            "--requeue",
        ] {
            #expect(end.out.contains("#SBATCH \(line)\n"), "\(line)")
        }
        #expect(queue(scratch, "todo").isEmpty)
        for (device, isSaid) in [([], true), (["--device", "cuda"], false)] {
            let asked = try run(["run", spec, "--dry-run", "--gpus-per-task", "1"] + device, in: scratch)
            #expect(
                asked.code == 0 && asked.error.contains("ask for GPUs and compute on the processor") == isSaid,
                "\(asked.error)")
        }
        // The project's file and the user's say what the spec leaves open; the environment names an engine before them.
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/config/sgmse", withIntermediateDirectories: true)
        for (file, text) in [
            ("sgmse.yaml", "launcher: { partition: cpu, time: 1:00:00 }\n"),
            ("config/sgmse/config.yaml", "launcher: { time: 9:00:00, account: mine, sbatch: { constraint: avx2 } }\n"),
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: scratch.path + "/" + file))
        }
        let layered = try run(["run", spec, "--dry-run", "--jobs", "3"], in: scratch)
        for line in ["--partition=gpu", "--time=1:00:00", "--account=mine", "--mem=4G", "--constraint=avx2"] {
            #expect(layered.code == 0 && layered.out.contains("#SBATCH \(line)\n"), "\(line) \(layered)")
        }
        let own = ["XDG_CONFIG_HOME": scratch.path + "/config", "SGMSE_LAUNCHER": "local"]
        let local = try Program(["run", spec, "--dry-run"], in: scratch.path, environment: own).wait()
        #expect(local.code == 0 && !local.out.contains("#SBATCH") && local.out.contains("tasks.sh"), "\(local)")
        let none = try run(["run", spec, "--launcher", "slrum"], in: scratch)
        #expect(none.code == 2 && none.error.contains("known: local, slurm, command"))
    }
}
