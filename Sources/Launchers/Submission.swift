import AtomicFiles
public import Foundation
import SystemCalls

/// A request to an engine, stored beside its scripts, so that any later command finds its tasks.
///
/// It is written before the engine is called: if the reply is lost, the tasks are still found by the job's name.
public struct Submission: Hashable, Sendable, Codable {
    /// The name of the job, which is also the name of its folder.
    public var name: String
    /// The settings that the job was submitted with, all layers merged.
    public var settings: LaunchSettings
    /// The file of the spec.
    public var spec: String
    /// How many tasks were submitted.
    public var tasks: Int
    /// When the command was given.
    public var time: Date
    /// The machine on which the command was given.
    public var host: String
    /// What the engine calls what it took.
    public var ids: [String] = []
    /// Whether a person ended it: its tasks do not ask to be started again.
    public var isCancelled = false

    public init(name: String, settings: LaunchSettings, spec: String, tasks: Int, time: Date = Date()) {
        (self.name, self.settings, self.spec, self.tasks, self.time) = (name, settings, spec, tasks, time)
        host = ProcessInfo.processInfo.hostName
    }
}

extension UnitQueue {
    private func file(of name: String) -> String { jobsFolder + "/" + name + "/job.json" }

    /// Writes `job.json` into the folder of the job, in place of an earlier one of the same name.
    public func save(_ submission: Submission) throws(QueueError) {
        let file = file(of: submission.name)
        let parent = (file as NSString).deletingLastPathComponent
        guard POSIX.mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw QueueError(parent, errno) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            try PendingFile.write(try encoder.encode(submission), to: file)
        } catch {
            throw QueueError(file, (error as? FileFailure)?.code ?? EIO)
        }
    }

    /// What was submitted under a name.
    public func submission(_ name: String) -> Submission? {
        FileManager.default.contents(atPath: file(of: name)).flatMap {
            try? JSONDecoder().decode(Submission.self, from: $0)
        }
    }

    /// All that was submitted, the oldest first.
    public func submissions() -> [Submission] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: jobsFolder)) ?? []
        return names.compactMap(submission).sorted { ($0.time, $0.name) < ($1.time, $1.name) }
    }
}
