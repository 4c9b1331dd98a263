import Foundation
import Launchers

/// The start of a task of several processes, which the script of the task tries again where it fails.
struct TaskStart {
    let task: String
    private let folder: String

    /// How often a task is started in all whose processes do not find each other.
    static let most = 5

    /// - Parameter folder: That of the task's script.
    init(of task: String, in folder: String) { (self.task, self.folder) = (task, folder) }

    /// The file with a line for each failed start.
    private var failures: String { folder + "/\(UnitWorker.job(of: task)).unstarted" }

    /// Shows the script that no other start is needed: the processes have found each other, or a restart would fail in
    /// the same way.
    func isOver() {
        guard let met = environmentVariable("SGMSE_TASK_MET"), !met.isEmpty else { return }
        _ = FileManager.default.createFile(atPath: met, contents: nil)
        try? FileManager.default.removeItem(atPath: failures)
    }

    /// Counts a failed start.
    ///
    /// - Returns: Whether the task may be started once more.
    func mayBeTriedAgain() -> Bool {
        let earlier = FileManager.default.contents(atPath: failures) ?? Data()
        let all = earlier + Data("\(Date())\n".utf8)
        _ = FileManager.default.createFile(atPath: failures, contents: all)
        return all.count { $0 == UInt8(ascii: "\n") } < Self.most
    }
}
