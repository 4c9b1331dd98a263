import AtomicFiles
import Foundation

/// Tasks as job arrays of Slurm.
///
/// Only `sbatch`, `squeue`, `scontrol` and `scancel` are used: no accounting, which many clusters lack. Two minutes
/// before its time limit, and when it is preempted, a task is signalled; it saves its state, gives its unit back and is
/// requeued.
public struct SlurmLauncher: Launcher {
    public init() {}

    // MARK: Submitting

    /// The arrays of a job: none has more tasks than the cluster allows.
    package static func arrays(of tasks: Int, largest: Int) -> [Range<Int>] {
        stride(from: 0, to: tasks, by: max(1, largest)).map { $0..<min(tasks, $0 + max(1, largest)) }
    }

    /// The script of some tasks of a job; indices of an array begin at 0.
    package static func script(_ job: Job, _ tasks: Range<Int>) -> String {
        var lines =
            directives(job, name: job.name) + [
                "#SBATCH --array=0-\(tasks.count - 1)", "#SBATCH --output=" + quoted(job.folder + "/%A_%a.log"),
                "#SBATCH --open-mode=append",
                "#SBATCH --requeue", "#SBATCH --signal=B:USR1@\(warning(before: job.settings.time))",
            ]
        if let cpus = job.settings.cpusPerTask { lines.append("#SBATCH --cpus-per-task=\(cpus)") }
        let (processes, gpus) = (job.settings.processes ?? 1, job.settings.gpusPerTask ?? 0)
        if processes > 1 || gpus > 0 { lines.append("#SBATCH --ntasks=\(processes)") }
        if gpus > 0 { lines.append("#SBATCH --gpus-per-task=\(gpus)") }
        if let time = job.settings.time { lines.append("#SBATCH --time=\(time)") }
        lines += job.settings.sbatch.sorted { $0.key < $1.key }.map {
            "#SBATCH --\($0.key)" + ($0.value.isEmpty ? "" : "=" + quoted($0.value))
        }
        return JobScript(
            job: job, directives: lines,
            taskName: "\"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}-${SLURM_RESTART_COUNT:-0}\"",
            place: "\"$((\(tasks.lowerBound) + SLURM_ARRAY_TASK_ID))/\(job.tasks)\"", step: step(job)
        ).text
    }

    /// The command that starts the processes of a task, on as many nodes as they were given; one that ends leaves it to
    /// the others to save what they did. `srun` does not take `--cpus-per-task` over from `sbatch`.
    ///
    /// Only processes of MPI need its help to find each other. For others it would be one thing more that can fail: the
    /// sockets of PMIx stay behind where a step is killed, and keep a restarted job from starting its own.
    private static func step(_ job: Job) -> [String] {
        guard let processes = job.settings.processes, processes > 1 else { return [] }
        let cores = job.settings.cpusPerTask.map { ["--cpus-per-task=\($0)"] } ?? []
        let isMPI = zip(job.task, job.task.dropFirst()).contains { $0 == ("--collective", "mpi") }
        return ["srun", "--ntasks=\(processes)", "--kill-on-bad-exit=0"] + cores + (isMPI ? [] : ["--mpi=none"])
    }

    private static func directives(_ job: Job, name: String) -> [String] {
        var lines = ["#SBATCH --job-name=\(name)"]
        if let partition = job.settings.partition { lines.append("#SBATCH --partition=\(partition)") }
        if let account = job.settings.account { lines.append("#SBATCH --account=\(account)") }
        return lines
    }

    static func collectScript(_ job: Job) -> String {
        JobScript.collect(
            job,
            directives: directives(job, name: job.name + collectSuffix)
                + [
                    "#SBATCH --output=" + quoted(job.folder + "/collect.log"), "#SBATCH --open-mode=append",
                    "#SBATCH --requeue",
                ])
    }

    /// A value as a line of directives takes it.
    private static func quoted(_ value: String) -> String {
        value.shellWord == value ? value : "\"" + value.replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }

    private static let collectSuffix = "-collect"

    /// Seconds between the signal and the limit: two minutes, or a quarter of a shorter limit.
    package static func warning(before limit: String?) -> Int {
        guard let limit, let seconds = seconds(of: limit) else { return 120 }
        return max(10, min(120, seconds / 4))
    }

    /// The seconds of Slurm's spellings of a time: M, M:S, H:M:S, D-H, D-H:M, D-H:M:S.
    package static func seconds(of time: String) -> Int? {
        let halves = time.split(separator: "-", omittingEmptySubsequences: false)
        let parts = (halves.last ?? "").split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard halves.count <= 2, !parts.contains(nil), (1...3).contains(parts.count) else { return nil }
        let numbers = parts.compactMap(\.self)
        guard numbers.allSatisfy({ (0...1_000_000).contains($0) }) else { return nil }
        if halves.count == 2 {
            guard let days = Int(halves[0]), (0...10_000).contains(days) else { return nil }
            let units = [3600, 60, 1]
            return days * 86_400 + zip(numbers, units).reduce(0) { $0 + $1.0 * $1.1 }
        }
        switch numbers.count {
        case 1: return numbers[0] * 60
        case 2: return numbers[0] * 60 + numbers[1]
        default: return numbers[0] * 3600 + numbers[1] * 60 + numbers[2]
        }
    }

    /// Every script that `sbatch` would be given, each below its command.
    public func preview(_ job: Job) -> String {
        let arrays = Self.arrays(of: job.tasks, largest: (try? largestArray()) ?? 1001)
        let scripts = arrays.enumerated().map { number, tasks in
            "# sbatch --parsable \(Self.file(job, number))\n" + Self.script(job, tasks)
        }
        return
            (scripts + [
                "# sbatch --parsable --dependency=afterany:… \(job.folder)/collect.sh\n" + Self.collectScript(job)
            ])
            .joined(separator: "\n")
    }

    private static func file(_ job: Job, _ number: Int) -> String {
        "\(job.folder)/tasks\(number == 0 ? "" : "-\(number)").sh"
    }

    /// Submits one array for as many tasks as the cluster allows, and then the job that collects after all of them.
    ///
    /// - Returns: Slurm's numbers of these jobs.
    public func submit(_ job: Job) throws(LaunchError) -> [String] {
        var ids: [String] = []
        for (number, tasks) in Self.arrays(of: job.tasks, largest: try largestArray()).enumerated() {
            ids.append(try submit(Self.script(job, tasks), at: Self.file(job, number), []))
        }
        ids.append(
            try submit(
                Self.collectScript(job), at: job.folder + "/collect.sh",
                ["--dependency=afterany:" + ids.joined(separator: ":")]))
        return ids
    }

    private func submit(_ script: String, at path: String, _ options: [String]) throws(LaunchError) -> String {
        do { try PendingFile.write(script, to: path) } catch {
            throw LaunchError("\(error)", hint: "make room, or choose another store")
        }
        let outcome = try Tool(name: "sbatch").run(["--parsable"] + options + [path])
        let id =
            outcome.output.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ";").first.map(String.init)
            ?? ""
        guard outcome.code == 0, Int(id) != nil else {
            throw LaunchError(
                "sbatch refused the job: \(outcome.messages)",
                hint: "the script is \(path); correct the launcher's settings, and give the command again")
        }
        return id
    }

    /// The most tasks of one array: `MaxArraySize` is one more than the largest index.
    private func largestArray() throws(LaunchError) -> Int {
        let outcome = try Tool(name: "scontrol").run(["show", "config"])
        let line = outcome.output.split(separator: "\n").first { $0.hasPrefix("MaxArraySize") }
        return line?.split(separator: "=").last.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) } ?? 1001
    }

    // MARK: Watching

    /// The state of every task that `squeue` still lists, the job that collects among them.
    ///
    /// - Throws: ``LaunchError`` where the controller does not answer.
    public func tasks(of submissions: [Submission]) throws(LaunchError) -> [TaskState] {
        guard !submissions.isEmpty else { return [] }
        let names = submissions.flatMap { [$0.name, $0.name + Self.collectSuffix] }
        let outcome = try Tool(name: "squeue").run(
            [
                "--noheader", "--array", "--states=all", "--name=" + names.joined(separator: ","),
                "--format=%F|%K|%T|%N|%r|%j",
            ])
        guard outcome.code == 0 else {
            throw LaunchError(
                "squeue failed: \(outcome.messages)",
                hint: "the tasks go on by themselves; ask again when the controller answers")
        }
        return outcome.output.split(separator: "\n").compactMap(Self.state)
    }

    package static func state(_ line: Substring) -> TaskState? {
        let parts = line.split(separator: "|", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard parts.count == 6 else { return nil }
        let isCollect = parts[5].hasSuffix(collectSuffix)
        return TaskState(
            job: isCollect ? parts[0] : "\(parts[0])_\(parts[1])", state: parts[2], isLive: !ended.contains(parts[2]),
            host: parts[3],
            reason: isCollect ? "collects" : (parts[4] == "None" ? "" : parts[4]))
    }

    private static let ended: Set<String> = [
        "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
        "REVOKED", "TIMEOUT",
    ]

    /// Whether Slurm lists the task in a state that has not ended; the idle time is not used.
    public func isAlive(task: String, idleSeconds: Double?, among tasks: [TaskState]) -> Bool {
        let job = UnitWorker.job(of: task)
        return tasks.contains { $0.job == job && $0.isLive }
    }

    // MARK: Ending

    /// Cancels all jobs of that name by `scancel`, the one that collects too.
    public func cancel(_ submission: Submission) throws(LaunchError) -> [String] {
        for name in [submission.name, submission.name + Self.collectSuffix] {
            let outcome = try Tool(name: "scancel").run(["--name=" + name])
            guard outcome.code == 0 else {
                throw LaunchError(
                    "scancel failed: \(outcome.messages)", hint: "give the command again when the controller answers")
            }
        }
        return []
    }

    /// Requeues a job that Slurm lists as running: at its time limit, or in the grace time of a preemption, it would
    /// end with its program. A job that a person cancelled, or that Slurm requeues itself, is not changed.
    public func startAgainLater(task: String) {
        let job = String(UnitWorker.job(of: task))
        let state = try? Tool(name: "squeue", timeout: 20).run(["--noheader", "--jobs=" + job, "--format=%T"])
        guard state?.output.trimmingCharacters(in: .whitespacesAndNewlines) == "RUNNING" else { return }
        _ = try? Tool(name: "scontrol", timeout: 20).run(["requeue", job])
    }
}
