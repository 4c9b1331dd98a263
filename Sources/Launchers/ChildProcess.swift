import Foundation
import SystemCalls

/// A program started by `posix_spawn(3)`: it inherits no open file and no blocked signal, and nothing waits for what it
/// leaves running.
struct ChildProcess {
    let number: pid_t

    /// - Parameters:
    ///   - command: The program, looked up in PATH, and its arguments.
    ///   - output: The files that its output and its messages are appended to.
    ///   - variables: Added to the environment.
    /// - Throws: ``LaunchError`` where the program is not there.
    init(
        _ command: [String], output: (String, String), variables: [String: String] = [:],
        group: ProgramStart.Group = .own
    ) throws(LaunchError) {
        precondition(!command.isEmpty, "no command")
        Self.closeFilesAtExec()
        let appended = O_WRONLY | O_CREAT | O_APPEND
        let files = [
            ProgramStart.File(0, "/dev/null", O_RDONLY),
            ProgramStart.File(1, output.0, appended, mode: 0o644),
            ProgramStart.File(2, output.1, appended, mode: 0o644),
        ]
        let environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }.map { "\($0.key)=\($0.value)" }
        let start = ProgramStart(
            command, environment: environment, files: files, group: group, unblocksSignals: true)
        let (code, number) = start.start()
        guard code == 0 else {
            let reason =
                code == ENOENT
                ? "is not installed on this machine" : "cannot be started: \(POSIX.message(code))"
            throw LaunchError(
                "\(command[0]) \(reason)",
                hint: "give the command on a login node of the cluster, or choose another launcher: --launcher local")
        }
        self.number = number
    }

    /// Some open files of this process were inherited, and a child would inherit them too: the parent of this process
    /// would wait until the child closes them.
    private static func closeFilesAtExec() {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// Waits for the end of the process, and kills it after `seconds`.
    ///
    /// - Returns: Its exit code; 128 plus the number of the signal that ended it.
    func wait(seconds: Double) -> Int32 {
        let start = ContinuousClock.now
        var isKilled = false
        while true {
            let (found, status) = POSIX.waitpid(number, WNOHANG)
            if found == number { return POSIX.exitCode(status) }
            if found < 0, errno != EINTR { return 128 }
            if !isKilled, ContinuousClock.now - start > .seconds(seconds) {
                isKilled = true
                kill(number, SIGKILL)
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}
