import Foundation
import TestFolders
import Testing

/// Whether this process may change what is mounted, for its children alone.
private let mayMount: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "unshare --mount sh -c 'mount --bind /proc/self/mounts /proc/$$/mounts' 2>/dev/null"]
    do { try process.run() } catch { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}()

/// A store on NFS: the program sees a list of mounts in which everything lies on it.
@Suite(.enabled(if: mayMount, "mounting takes root and unshare(1)"))
struct NetworkFileSystemTests {
    private func sgmse(_ arguments: [String], in scratch: TestFolder) throws -> Program.End {
        let mounts = try scratch.write("server:/export / nfs4 rw,vers=4.2 0 0\n", to: "mounts")
        let script = "mount --bind \"$0\" /proc/$$/mounts && exec \"$@\""
        let disguise = ["--mount", "sh", "-c", script, mounts, Program.path]
        return try Program(disguise + arguments, in: scratch.path, program: "/usr/bin/unshare").wait()
    }

    @Test func writeAheadLogsAreRefusedThereAndTheRollbackJournalWorks() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        for command in [["run", spec, "--no-table"], ["ls"], ["compare"]] {
            let end = try sgmse(command, in: scratch)
            #expect(end.code == 5 && end.error.contains("network file system (nfs4)"), "\(command): \(end.error)")
            #expect(end.error.contains("--journal rollback") && end.error.contains("--store"), "\(end.error)")
            #expect(!FileManager.default.fileExists(atPath: scratch.store))
        }
        let doctor = try sgmse(["doctor"], in: scratch)
        #expect(doctor.out.contains("nfs4") || doctor.error.contains("nfs4"), "\(doctor.out)")
        let run = try sgmse(["run", spec, "--no-table", "--journal", "rollback"], in: scratch)
        #expect(run.code == 0, "\(run.error)")
        let list = try sgmse(["ls", "--journal", "rollback"], in: scratch)
        #expect(list.code == 0 && list.out.contains("finished"), "\(list.out) \(list.error)")
        #expect(!scratch.names.contains { $0.hasSuffix("-wal") })
    }
}
