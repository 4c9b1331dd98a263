public import Failures
import Foundation

/// An engine that starts tasks: processes of this program that take units from a queue until none is left.
///
/// An engine does nothing else: it starts tasks and reports which of them run. What is to be done, what is done and
/// what failed is recorded in the queue.
public protocol Launcher: Sendable {
    /// The text that ``submit(_:)`` gives to the engine, for a person to read.
    func preview(_ job: Job) -> String

    /// Submits the tasks of a job to the engine, and the job that collects their results after them.
    ///
    /// - Returns: The engine's ids of what was submitted, for ``cancel(_:)``.
    func submit(_ job: Job) throws(LaunchError) -> [String]

    /// The states of the tasks of these submissions, from the engine.
    func tasks(of submissions: [Submission]) throws(LaunchError) -> [TaskState]

    /// Whether a task still works, from the result of ``tasks(of:)``.
    ///
    /// - Parameters:
    ///   - task: Its name in the queue.
    ///   - idleSeconds: Seconds since the task last touched its unit's file; nil where that is not known.
    ///   - tasks: The states of the engine's tasks.
    func isAlive(task: String, idleSeconds: Double?, among tasks: [TaskState]) -> Bool

    /// Ends the tasks of a submission by a signal, at which they save their state.
    ///
    /// - Returns: What the engine refused, such as a job that it does not know any more; a sentence each.
    func cancel(_ submission: Submission) throws(LaunchError) -> [String]

    /// Requests another start of a task that stopped at a signal, where its engine would not start it again by itself.
    func startAgainLater(task: String)
}

extension Launcher {
    /// Does nothing; only Slurm can start a task again.
    public func startAgainLater(task: String) {}
}

/// A request to an engine: the tasks to start, and what collects their results.
public struct Job: Sendable {
    /// Unique among the jobs of all queues.
    public var name: String
    /// How many tasks take units side by side, each with the processes of its settings.
    public var tasks: Int
    /// The working folder of the commands, to which their paths are relative.
    public var project: String
    /// Where scripts and logs go; absolute.
    public var folder: String
    /// The command of a task, and of what merges the results; each word for itself.
    public var task: [String]
    /// The words of the command that merges the results, `sgmse collect` with its options; only Slurm starts it by
    /// itself.
    public var collect: [String]
    /// What each task is given, and the options of the engine.
    public var settings: LaunchSettings

    public init(
        name: String, tasks: Int, project: String, folder: String, task: [String], collect: [String],
        settings: LaunchSettings
    ) {
        precondition(tasks > 0, "\(tasks) tasks")
        (self.name, self.tasks, self.project, self.folder) = (name, tasks, project, folder)
        (self.task, self.collect, self.settings) = (task, collect, settings)
    }
}

/// The state of one task, from its engine.
public struct TaskState: Hashable, Sendable, Codable {
    /// What the name of the task in the queue begins with, before the number of its restart.
    public var job: String
    /// The engine's word for its state.
    public var state: String
    /// Whether it waits, runs or may still run; false only for the engine's states of a task that has ended.
    public var isLive: Bool
    /// The machine it runs on, once it does.
    public var host: String
    /// Why it waits, or ended.
    public var reason: String

    public init(job: String, state: String, isLive: Bool, host: String = "", reason: String = "") {
        (self.job, self.state, self.isLive, self.host, self.reason) = (job, state, isLive, host, reason)
    }
}

/// An engine that cannot be called, or refuses a request.
public struct LaunchError: Diagnostic, Hashable, Sendable {
    public var summary: String
    public var hint: String?

    public init(_ summary: String, hint: String) { (self.summary, self.hint) = (summary, hint) }

    public var category: FailureCategory { .work }
}

extension LaunchSettings {
    /// The engine that these settings name.
    ///
    /// - Throws: Where settings that it needs are missing.
    public func launcher() throws(LaunchError) -> any Launcher {
        switch name {
        case "slurm": return SlurmLauncher()
        case "command":
            guard let submit else {
                throw LaunchError(
                    "the launcher 'command' has no command to submit with",
                    hint: "give launcher.submit, such as: submit: qsub {script}")
            }
            return CommandLauncher(submit: submit, cancel: cancel)
        default: return LocalLauncher()
        }
    }
}

extension String {
    /// The text as one word of a POSIX shell.
    var shellWord: String {
        let isPlain =
            !isEmpty
            && utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "._-+=/:,@%".utf8.contains(byte)
            }
        return isPlain ? self : "'" + replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
