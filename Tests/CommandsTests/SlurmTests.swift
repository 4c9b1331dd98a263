import Foundation
import Glibc
import Runs
import StoreSamples
import SystemCalls
import TestFolders
import Testing

/// Runs on a cluster of Slurm; `SGMSE_SLURM_SOAK=20000` ends everything in every way during so many steps, which takes
/// minutes.
@Suite(
    .serialized,
    .enabled(if: SlurmCluster.isInstalled, "Slurm is not installed, or this is not root: scripts/install-slurm"))
struct SlurmTests {
    static let isSoaking = ProcessInfo.processInfo.environment["SGMSE_SLURM_SOAK"] != nil
    private static let hasMPI = FileManager.default.fileExists(
        atPath: URL(fileURLWithPath: Program.path).deletingLastPathComponent().path
            + "/../../plugins/libsgmse-mpi.so")
    /// Enough for a minute or more.
    private static let allSteps = ProcessInfo.processInfo.environment["SGMSE_SLURM_SOAK"].flatMap { Int($0) } ?? 20_000
    private static func long(devices: Int) -> String {
        tinySpec.replacingOccurrences(of: "max_steps: 6", with: "devices: \(devices), max_steps: \(allSteps / devices)")
            .replacingOccurrences(of: "validate_every: 3", with: "validate_every: \(allSteps)")
    }

    private func run(_ arguments: [String], in scratch: TestFolder, _ cluster: SlurmCluster) throws -> Program {
        // How srun starts programs of Open MPI.
        let own = [
            "XDG_CONFIG_HOME": scratch.path + "/config", "SLURM_MPI_TYPE": "pmix", "SGMSE_PATIENCE": "10",
        ]
        return try Program(arguments, in: scratch.path, environment: cluster.environment.merging(own) { $1 })
    }

    private func queue(_ scratch: TestFolder, _ state: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path + "/queue/" + state)) ?? []).sorted()
    }

    private func expectNothingLeft(_ scratch: TestFolder, like alone: TestFolder) throws {
        #expect(["todo", "running", "done", "failed"].allSatisfy { queue(scratch, $0).isEmpty })
        #expect(try ResultText(of: scratch.store).text == ResultText(of: alone.store).text)
        let store = try RunStore(at: scratch.store)
        for run in try store.runs() {
            let kinds = try store.events(of: run.id).map(\.kind)
            #expect(kinds.count { $0 == "started" } == 1 && kinds.count { $0 == "finished" } == 1, "\(kinds)")
        }
        #expect(try store.integrityProblems().isEmpty)
        try store.close()
    }

    /// Two submissions at the same moment, each of more tasks than an array may have: every unit is done once.
    @Test func aSweepOfTwoSubmissionsIsWhatOneProcessDoes() throws {
        let cluster = try SlurmCluster()
        defer { withExtendedLifetime(cluster) {} }
        let (alone, shared) = (try TestFolder(), try TestFolder())
        let sweep = tinySpec + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3, 3.0e-3] } }\n"
        #expect(try run(["run", alone.spec(sweep), "--no-table"], in: alone, cluster).wait().code == 0)
        let spec = try shared.spec(sweep)
        let command = ["run", spec, "--launcher", "slurm", "--jobs", "5", "--time", "10", "--sbatch", "mem=100"]
        let ends = try (0..<2).map { _ in try run(command + ["--detach"], in: shared, cluster) }.map { $0.wait() }
        #expect(ends.allSatisfy { $0.code == 0 }, "\(ends.map(\.error))")
        #expect(ends.count { $0.error.contains("5 units for 5 tasks:") } == 1, "\(ends.map(\.error))")
        let joined = try run(command + ["--no-table"], in: shared, cluster).wait()
        #expect(joined.code == 0 && joined.error.contains(" 0 failed"), "\(joined.error)")
        #expect(queue(shared, "collected").count == 5)
        try expectNothingLeft(shared, like: alone)
    }

    /// A training of two devices is one task of two processes that `srun` starts: the bits are those of one process.
    /// The tasks run a copy of the program.
    @Test(arguments: ["tcp", "mpi"])
    func devicesOfATrainingAreProcessesOfOneTask(engine: String) throws {
        guard engine == "tcp" || Self.hasMPI else { return }
        let cluster = try SlurmCluster()
        defer { withExtendedLifetime(cluster) {} }
        let (alone, shared) = (try TestFolder(), try TestFolder())
        let spec = tinySpec.replacingOccurrences(of: "max_steps: 6", with: "devices: 2, max_steps: 6")
        #expect(try run(["run", alone.spec(spec), "--no-table"], in: alone, cluster).wait().code == 0)
        let command = [
            "run", try shared.spec(spec), "--launcher", "slurm", "--sbatch", "mem=100", "--stage-binary", "--no-table",
        ]
        let end = try run(command + ["--collective", engine], in: shared, cluster).wait()
        #expect(end.code == 0 && end.error.contains("1 unit for 1 task of 2 processes each: job"), "\(end.error)")
        let logs = shared.files("_0.log").compactMap { shared.data($0) }.map { String(decoding: $0, as: UTF8.self) }
        #expect(logs.contains { $0.contains("2 processes by \(engine == "tcp" ? "TCP" : "Open MPI")") }, "\(logs)")
        #expect(queue(shared, "programs").count == 1)
        try expectNothingLeft(shared, like: alone)
    }

    /// A node that starts a step in vain is asked again; after three times, the task is.
    @Test func aStepThatCannotBeStartedIsTriedAgain() throws {
        let cluster = try SlurmCluster()
        defer { withExtendedLifetime(cluster) {} }
        let (alone, shared) = (try TestFolder(), try TestFolder())
        let spec = tinySpec.replacingOccurrences(of: "max_steps: 6", with: "devices: 2, max_steps: 6")
        // What is called srun fails four times, as it does where a node is too busy to start all processes of a step.
        let tools = shared.path + "/tools"
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        let script = """
            #!/bin/sh
            echo start >>\(tools)/starts
            if [ "$(wc -l <\(tools)/starts)" -le 4 ]; then
                echo "srun: error: task 0 launch failed: Unspecified error" >&2
                exit $(($(wc -l <\(tools)/starts) % 2))
            fi
            exec /usr/bin/srun "$@"

            """
        try Data(script.utf8).write(to: URL(fileURLWithPath: tools + "/srun"))
        _ = POSIX.chmod(tools + "/srun", 0o755)
        let path = tools + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
        let started = try Program(
            ["run", try shared.spec(spec), "--launcher", "slurm", "--sbatch", "mem=100", "--no-table"],
            in: shared.path,
            environment: cluster.environment.merging(["PATH": path, "XDG_CONFIG_HOME": shared.path + "/config"]) {
                $1
            })
        while started.process.isRunning {
            try cluster.startRequeued()
            usleep(300_000)
        }
        let end = started.wait()
        #expect(end.code == 0, "\(end.error)\n\(told(shared, cluster))")
        let starts = shared.data("tools/starts").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let units = end.error.matches(of: /unit.* for 1 task of 2 processes/).count
        #expect(units == 1 && starts.split(separator: "\n").count == 5, "\(starts)")
        #expect(shared.files(".met").isEmpty && shared.files(".unstarted").isEmpty)
        #expect(try run(["run", alone.spec(spec), "--no-table"], in: alone, cluster).wait().code == 0)
        try expectNothingLeft(shared, like: alone)
    }

    /// What a person sees of a running job, and how it is ended: the state is saved, no task comes back, and the next
    /// run goes on from there.
    @Test func aJobIsListedAndCancelledWithItsStateSaved() throws {
        let cluster = try SlurmCluster()
        defer { withExtendedLifetime(cluster) {} }
        let shared = try TestFolder()
        let long = try shared.spec(Self.long(devices: 2))
        let command = ["run", long, "--launcher", "slurm", "--time", "10", "--sbatch", "mem=100"]
        #expect(try run(command + ["--detach"], in: shared, cluster).wait().code == 0)
        #expect(try waitUntil(60) { try steps(shared) > 0 }, "\(told(shared, cluster))")
        let listed = try run(["queue"], in: shared, cluster).wait()
        let line = try #require(listed.out.split(separator: "\n").first { $0.hasPrefix("train tiny") }, "\(listed.out)")
        let host = ProcessInfo.processInfo.hostName
        #expect(line.contains(/running +\d+_0-\d+ +/) && line.contains(" \(host) "), "\(line)")
        #expect(line.contains(/step \d+\/\d+ +\d+:\d\d:\d\d/), "\(line)")
        #expect(listed.error.contains(/job sgmse-tiny-\w+ \(slurm\) of .*: .*1 running/), "\(listed.error)")
        let end = try run(["cancel"], in: shared, cluster).wait()
        #expect(end.code == 0 && end.error.contains("1 unit left the queue"), "\(end.error)")
        #expect(try waitUntil(30) { try cluster.call("squeue", ["-h"]).isEmpty })
        #expect(["todo", "running", "done", "failed"].allSatisfy { queue(shared, $0).isEmpty })
        let store = try RunStore(at: shared.store, access: .readOnly)
        let run = try #require(try store.runs().first)
        let step = try #require(try store.checkpoint(of: run.id, kind: .last)).step
        let made = try store.steps(of: run.id).count
        #expect(run.status == .interrupted && step > 0 && step == made)
        try store.close()
        let plan = try self.run(["plan", long], in: shared, cluster).wait()
        #expect(plan.out.contains("stopped at step \(step)"), "\(plan.out)")
    }

    /// Whatever ends a task, one of its processes, its controller, its node or a collection: nothing is lost and
    /// nothing doubled.
    @Test(
        .enabled(if: SlurmTests.isSoaking, "takes minutes: scripts/soak"),
        arguments: [(1, "tcp"), (2, "tcp"), (2, "mpi")])
    func nothingIsLostHoweverTasksEnd(devices: Int, engine: String) throws {
        guard engine == "tcp" || Self.hasMPI else { return }
        let cluster = try SlurmCluster()
        defer { withExtendedLifetime(cluster) {} }
        let (alone, shared) = (try TestFolder(), try TestFolder())
        let spec = Self.long(devices: devices)
        let command = [
            "run", try shared.spec(spec), "--launcher", "slurm", "--jobs", "1", "--time", "10", "--sbatch", "mem=100",
            "--collective", engine,
        ]
        #expect(try run(command + ["--detach"], in: shared, cluster).wait().code == 0)
        func letItWork(after event: String) throws {
            // What the task before said at its end is not the work of this one.
            let start = try steps(shared)
            _ = try job(after: event)
            let works = try waitUntil(120) {
                try cluster.startRequeued()
                return try steps(shared) > start + 20
            }
            try #require(works, "after \(event): no step behind \(start): \(told(shared, cluster))")
        }
        func job(after event: String) throws -> String {
            let all = try cluster.call("squeue", ["-h", "-o", "%F %j"]).split(separator: "\n").filter {
                !$0.hasSuffix("-collect")
            }
            return String(try #require(all.first, "after \(event): \(told(shared, cluster))").split(separator: " ")[0])
        }
        // Preempted by a job that takes the whole node.
        try letItWork(after: "the submission")
        let other = shared.path + "/other.sh"
        try Data("#!/bin/sh\nsleep 2\n".utf8).write(to: URL(fileURLWithPath: other))
        _ = try cluster.call("sbatch", ["--partition=high", "--exclusive", "--output=/dev/null", other])
        #expect(
            try waitUntil(40) {
                try queue(shared, "todo").count == 1 && !cluster.call("squeue", ["-h", "-o", "%P"]).contains("high")
            })
        // One of several processes is lost: the task saves what was reached, and asks for its restart.
        if devices > 1 {
            try letItWork(after: "the preemption")
            let follower = processes(of: shared).first { place(of: $0) == "1" }
            kill(try #require(follower, "\(told(shared, cluster))"), SIGKILL)
            #expect(try waitUntil(40) { queue(shared, "todo").count == 1 })
        }
        // Its controller is started again.
        try letItWork(after: devices > 1 ? "the loss of a process" : "the preemption")
        cluster.stop("slurmctld", SIGTERM)
        try cluster.startController()
        // The node dies, with all its processes.
        try letItWork(after: "a restart of the controller")
        cluster.stop("slurmd", SIGKILL)
        for process in processes(of: shared) { kill(process, SIGKILL) }
        _ = try cluster.call("scontrol", ["update", "NodeName=localhost", "State=DOWN", "Reason=died"])
        try cluster.startNode()
        _ = try cluster.call("scontrol", ["update", "NodeName=localhost", "State=RESUME"])
        // The time limit comes.
        try letItWork(after: "the death of the node")
        _ = try cluster.call("scontrol", ["update", "JobId=\(try job(after: "the death of the node"))", "TimeLimit=1"])
        #expect(try waitUntil(90) { queue(shared, "todo").count == 1 })
        // Its next turn is not to meet the limit in the moment in which a person ends it.
        _ = try cluster.call("scontrol", ["update", "JobId=\(try job(after: "the time limit"))", "TimeLimit=10"])
        // A person ends the job; the same command starts another one.
        try letItWork(after: "the time limit")
        _ = try cluster.call("scancel", [try job(after: "the time limit")])
        #expect(try waitUntil(30) { try cluster.call("squeue", ["-h"]).isEmpty })
        #expect(queue(shared, "todo").count == 1)
        let rest = try run(command + ["--no-table"], in: shared, cluster)
        // Collections are interrupted meanwhile.
        while rest.process.isRunning {
            let collect = try run(["collect"], in: shared, cluster)
            usleep(UInt32.random(in: 1000...60_000))
            _ = collect.kill()
        }
        let end = rest.wait()
        #expect(end.code == 0, "\(end.error)")
        #expect(try run(["run", alone.spec(spec), "--no-table"], in: alone, cluster).wait().code == 0)
        try expectNothingLeft(shared, like: alone)
    }

    /// What tasks and the controller wrote last.
    private func told(_ scratch: TestFolder, _ cluster: SlurmCluster) -> String {
        let logs = scratch.files(".log").compactMap { scratch.data($0) }.map { String(decoding: $0, as: UTF8.self) }
        let controller = (try? String(contentsOfFile: cluster.folder + "/log/slurmctld.log", encoding: .utf8)) ?? ""
        let states =
            (try? cluster.call("squeue", ["-h", "-o", "%i %j %T %r %V %S"]) + cluster.call("sinfo", ["-h", "-R"])) ?? ""
        return (logs + [controller.replacing(/[^\n]*_update_job:[^\n]*\n/, with: ""), states]).map {
            $0.split(separator: "\n").suffix(15).joined(separator: "\n")
        }.joined(separator: "\n--\n")
    }

    private func waitUntil(_ seconds: Double, _ condition: () throws -> Bool) throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if try condition() { return true }
            usleep(200_000)
        }
        return false
    }

    /// The last step that a task told.
    private func steps(_ scratch: TestFolder) throws -> Int {
        let text = scratch.files("events.jsonl").compactMap { scratch.data($0) }.map {
            String(decoding: $0, as: UTF8.self)
        }.joined()
        return text.matches(of: /"step":(\d+)/).compactMap { Int($0.1) }.filter { $0 < Self.allSteps }.last ?? 0
    }

    /// The number of a process among those of its step.
    private func place(of process: Int32) -> String? {
        let variables = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
        return variables.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            .first { $0.hasPrefix("SLURM_PROCID=") }.map { String($0.dropFirst("SLURM_PROCID=".count)) }
    }

    /// The tasks that work in a folder, behind what started them: Slurm's own processes end first, as on a machine that
    /// dies.
    private func processes(of scratch: TestFolder) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        var found = all.filter { number in
            let words = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") ?? Data()
            return String(decoding: words, as: UTF8.self).contains(scratch.store)
                && String(decoding: words, as: UTF8.self).contains("--job")
        }
        var newest = found
        while !newest.isEmpty {
            newest = Array(Set(newest.compactMap(parent(of:)))).filter {
                $0 > 1 && $0 != getpid() && !found.contains($0)
            }
            found = newest + found
        }
        return found
    }

    private func parent(of process: Int32) -> Int32? {
        let stat = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return stat.split(separator: ")").last?.split(separator: " ").dropFirst().first.flatMap { Int32($0) }
    }
}
