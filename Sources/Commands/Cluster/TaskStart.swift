import Foundation
import Launchers

/// The start of a task of several processes, which the script of the task tries again where it fails.
struct TaskStart {
    let task: String
    private let folder: String

    /// A task whose processes did not meet is started so often in all.
    static let most = 5

    /// - Parameter folder: That of the task's script.
    init(of task: String, in folder: String) { (self.task, self.folder) = (task, folder) }

    /// A line for each start in vain.
    private var failures: String { folder + "/\(UnitWorker.job(of: task)).unstarted" }

    /// Tells the script that the processes have met, or that another attempt to start them would be of no use.
    func isOver() {
        guard let met = environmentVariable("SGMSE_TASK_MET"), !met.isEmpty else { return }
        _ = FileManager.default.createFile(atPath: met, contents: nil)
        try? FileManager.default.removeItem(atPath: failures)
    }

    /// Counts a start in vain.
    ///
    /// - Returns: Whether the task may be started once more.
    func mayBeTriedAgain() -> Bool {
        let earlier = FileManager.default.contents(atPath: failures) ?? Data()
        let all = earlier + Data("\(Date())\n".utf8)
        _ = FileManager.default.createFile(atPath: failures, contents: all)
        return all.count { $0 == UInt8(ascii: "\n") } < Self.most
    }
}
