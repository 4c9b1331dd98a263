import AtomicFiles
import Foundation
import SystemCalls

/// Tasks submitted by a command that the user gives: for PBS, LSF, SGE, or any engine that takes a script.
///
/// The launcher knows only how a script is submitted. Whether a task still works is read from the queue alone: each
/// task touches the file of its unit while it works.
public struct CommandLauncher: Launcher {
    let submitTemplate: String
    let cancelTemplate: String?

    /// Seconds without a touch of its unit's file after which a task counts as ended.
    public static let idleLimit = 600.0

    /// - Parameters:
    ///   - submit: The command, in which `{script}`, `{name}`, `{tasks}` and `{log}` are filled in. With `{tasks}` it
    ///     is given
    ///     once for all tasks, otherwise once for each.
    ///   - cancel: The command that ends what `submit` started, in which `{id}` is what it printed.
    public init(submit: String, cancel: String? = nil) { (submitTemplate, cancelTemplate) = (submit, cancel) }

    private static func script(_ job: Job) -> String {
        let index = "${PBS_ARRAY_INDEX:-${LSB_JOBINDEX:-${SGE_TASK_ID:-0}}}"
        return JobScript(job: job, taskName: "\"$(uname -n)_$$-0\"", place: "\"\(index)/\(job.tasks)\"").text
    }

    /// The command as a shell takes it.
    package func command(_ job: Job) -> String {
        let values = [
            "{script}": job.folder + "/tasks.sh", "{name}": job.name, "{tasks}": String(job.tasks),
            "{log}": job.folder + "/tasks.log",
        ]
        return values.reduce(submitTemplate) { $0.replacingOccurrences(of: $1.key, with: $1.value.shellWord) }
    }

    private func times(_ job: Job) -> Int { submitTemplate.contains("{tasks}") ? 1 : job.tasks }

    /// How often the command is given, the command, and the script.
    public func preview(_ job: Job) -> String { "# \(times(job)) times: \(command(job))\n" + Self.script(job) }

    /// Writes `tasks.sh` and gives the command, once or once for each task.
    ///
    /// - Returns: What the command printed, once for each time it was given.
    /// - Throws: ``LaunchError`` where the command ends with a code other than 0.
    public func submit(_ job: Job) throws(LaunchError) -> [String] {
        let path = job.folder + "/tasks.sh"
        do { try PendingFile.write(Self.script(job), to: path) } catch {
            throw LaunchError("\(error)", hint: "make room, or choose another store")
        }
        POSIX.chmod(path, 0o755)
        var ids: [String] = []
        for _ in 0..<times(job) {
            let outcome = try Tool(name: "sh").run(["-c", "cd \(job.project.shellWord) && \(command(job))"])
            guard outcome.code == 0 else {
                throw LaunchError(
                    "the command '\(command(job))' ended with code \(outcome.code): \(outcome.messages)",
                    hint: "correct launcher.submit; tasks that were submitted before go on")
            }
            ids.append(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return ids
    }

    /// None: the state of this engine's tasks is not known.
    public func tasks(of submissions: [Submission]) throws(LaunchError) -> [TaskState] { [] }

    /// Whether the task touched its unit in the last ``idleLimit`` s; true where that time is not known.
    public func isAlive(task: String, idleSeconds: Double?, among tasks: [TaskState]) -> Bool {
        idleSeconds.map { $0 < Self.idleLimit } ?? true
    }

    /// Gives the command to cancel once for each id.
    ///
    /// - Returns: The commands that failed, with what they said.
    /// - Throws: ``LaunchError`` where the settings have no such command.
    public func cancel(_ submission: Submission) throws(LaunchError) -> [String] {
        guard let cancelTemplate else {
            throw LaunchError(
                "the launcher 'command' has no command to end jobs with",
                hint: "give launcher.cancel, such as: cancel: qdel {id}")
        }
        var refusals: [String] = []
        for id in submission.ids where !id.isEmpty {
            let command = cancelTemplate.replacingOccurrences(of: "{id}", with: id.shellWord)
            let outcome = try Tool(name: "sh").run(["-c", command])
            if outcome.code != 0 {
                refusals.append("\(command) ended with exit code \(outcome.code): \(outcome.messages)")
            }
        }
        return refusals
    }
}
