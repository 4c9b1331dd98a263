import Foundation

/// A program started by `posix_spawn(3)`: it inherits no open file and no blocked signal, and nothing waits for what it
/// leaves running.
struct ChildProcess {
    enum Group: Int16 {
        /// A group of its own: a Ctrl-C of the terminal does not end it half-way.
        case own = 0x02
        /// A session of its own: it outlives the terminal.
        case session = 0x80
    }

    /// `POSIX_SPAWN_SETSIGMASK` of spawn.h; the flags above are `POSIX_SPAWN_SETPGROUP` and `POSIX_SPAWN_SETSID`.
    private static let setsSignalMask: Int16 = 0x08

    let number: pid_t

    /// - Parameters:
    ///   - command: The program, looked up in PATH, and its arguments.
    ///   - output: The files that its output and its messages are appended to.
    ///   - variables: Added to the environment.
    /// - Throws: ``LaunchError`` where the program is not there.
    init(
        _ command: [String], output: (String, String), variables: [String: String] = [:], group: Group = .own
    ) throws(LaunchError) {
        precondition(!command.isEmpty, "no command")
        Self.closeFilesAtExec()
        var (files, attributes, signals) = (posix_spawn_file_actions_t(), posix_spawnattr_t(), sigset_t())
        posix_spawn_file_actions_init(&files)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&files)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
        for (descriptor, file) in [(Int32(1), output.0), (2, output.1)] {
            posix_spawn_file_actions_addopen(&files, descriptor, file, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        }
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, group.rawValue | Self.setsSignalMask)
        let environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }.map { "\($0.key)=\($0.value)" }
        var number = pid_t()
        let code = Self.withPointers(command) { words in
            Self.withPointers(environment) { posix_spawnp(&number, command[0], &files, &attributes, words, $0) }
        }
        guard code == 0 else {
            let reason =
                code == ENOENT
                ? "is not installed on this machine" : "cannot be started: \(String(cString: strerror(code)))"
            throw LaunchError(
                "\(command[0]) \(reason)",
                hint: "give the command on a login node of the cluster, or choose another launcher: --launcher local")
        }
        self.number = number
    }

    /// Some files of this process were inherited and would be handed on: whoever started it waits until they are
    /// closed.
    private static func closeFilesAtExec() {
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in open.compactMap({ Int32($0) }) where descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    private static func withPointers<Value>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value)
        -> Value
    {
        let copies = texts.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }

    /// Waits for the end of the process, and kills it after `seconds`.
    ///
    /// - Returns: Its exit code; 128 plus the number of the signal that ended it.
    func wait(seconds: Double) -> Int32 {
        let start = ContinuousClock.now
        var (status, isKilled) = (Int32(0), false)
        while true {
            let found = waitpid(number, &status, WNOHANG)
            if found == number { break }
            if found < 0, errno != EINTR { return 128 }
            if !isKilled, ContinuousClock.now - start > .seconds(seconds) {
                isKilled = true
                kill(number, SIGKILL)
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }
}
