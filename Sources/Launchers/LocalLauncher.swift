import AtomicFiles
import Foundation
import SystemCalls

/// Tasks as processes of this machine, which outlive the command that started them.
public struct LocalLauncher: Launcher {
    public init() {}

    private static func script(_ job: Job) -> String {
        JobScript(job: job, taskName: "\"$(uname -n)_$$-0\"", place: "\"$1/\(job.tasks)\"").text
    }

    /// The command and the script.
    public func preview(_ job: Job) -> String { "# \(job.tasks) times: sh \(job.folder)/tasks.sh\n" + Self.script(job) }

    /// Writes `tasks.sh` and starts it once for each task, in a session of its own, with an equal share of the cores.
    ///
    /// - Returns: The numbers of the processes.
    public func submit(_ job: Job) throws(LaunchError) -> [String] {
        let path = job.folder + "/tasks.sh"
        do { try PendingFile.write(Self.script(job), to: path) } catch {
            throw LaunchError("\(error)", hint: "make room, or choose another store")
        }
        let threads = max(1, ProcessInfo.processInfo.activeProcessorCount / job.tasks)
        let share =
            ProcessInfo.processInfo.environment["SGMSE_THREADS"].map { _ in [:] } ?? ["SGMSE_THREADS": String(threads)]
        var ids: [String] = []
        for index in 0..<job.tasks {
            let log = job.folder + "/task-\(index).log"
            ids.append(
                String(
                    try ChildProcess(
                        ["sh", path, String(index)], output: (log, log), variables: share, group: .session
                    ).number))
        }
        return ids
    }

    /// Processes of this machine whose command line names the job.
    public func tasks(of submissions: [Submission]) throws(LaunchError) -> [TaskState] {
        let host = Self.host
        let names = Set(submissions.map(\.name))
        let processes = ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).filter {
            Int($0) != nil
        }
        return processes.compactMap { process in
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return nil }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            // The shell of the script, and then the program.
            let script = words.dropFirst().first.flatMap { $0.split(separator: "/").dropLast().last.map(String.init) }
            guard words.contains(where: names.contains) || script.map(names.contains) == true else { return nil }
            return TaskState(job: "\(host)_\(process)", state: "RUNNING", isLive: true, host: host)
        }
    }

    private static var host: String {
        (try? Tool(name: "uname").run(["-n"]))?.output ?? ""
    }

    /// Whether a process of this machine still runs the task; a task of another machine counts as ended.
    public func isAlive(task: String, idleSeconds: Double?, among tasks: [TaskState]) -> Bool {
        let job = UnitWorker.job(of: task)
        return tasks.contains { $0.job == job && $0.isLive }
    }

    /// Sends SIGTERM to every process of the job, at which a task saves its state and gives its unit back.
    public func cancel(_ submission: Submission) throws(LaunchError) -> [String] {
        for task in try tasks(of: [submission]) {
            if let number = task.job.split(separator: "_").last.flatMap({ Int32($0) }) { kill(number, SIGTERM) }
        }
        return []
    }
}
