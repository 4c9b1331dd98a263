import Foundation

extension POSIX {
    /// Blocks signals in this thread and those that it makes: `pthread_sigmask(3)`.
    package static func block(_ signals: [Int32]) {
        var set = set(of: signals)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Whether the process ignores a signal, as `nohup` has it.
    package static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard unsafe sigaction(signal, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in signals { unsafe sigaddset(&set, number) }
        return set
    }

    /// What this process has used so far: seconds of all its processors, and its largest resident size in bytes;
    /// `getrusage(2)`, which counts in KiB on Linux.
    package static var usage: (processorSeconds: Double, peakBytes: Int) {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + 1e-6 * Double(time.tv_usec) }
        return (seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss * 1024)
    }

    /// `waitpid(2)`: the process that was found and how it ended; 0 where it has not, −1 with the reason in `errno`.
    package static func waitpid(_ process: Int32, _ options: Int32) -> (process: Int32, status: Int32) {
        var status: Int32 = 0
        let found = unsafe Foundation.waitpid(process, &status, options)
        return (found, status)
    }

    /// The exit code in a status of ``waitpid(_:_:)``; 128 plus the number of the signal that ended the process.
    package static func exitCode(_ status: Int32) -> Int32 {
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }
}

/// A program to be started by `posix_spawn(3)`.
package struct ProgramStart {
    /// Which group of processes it belongs to.
    package enum Group: Int16, Sendable {
        /// A group of its own: a Ctrl-C of the terminal does not end it half-way. `POSIX_SPAWN_SETPGROUP`.
        case own = 0x02
        /// A session of its own: it outlives the terminal. `POSIX_SPAWN_SETSID`.
        case session = 0x80
    }

    /// A file that is opened for it.
    package struct File: Sendable {
        package var descriptor: Int32
        package var path: String
        package var flags: Int32
        package var mode: UInt32

        package init(_ descriptor: Int32, _ path: String, _ flags: Int32, mode: UInt32 = 0) {
            (self.descriptor, self.path, self.flags, self.mode) = (descriptor, path, flags, mode)
        }
    }

    /// The program, looked up in PATH, and its arguments.
    package var command: [String]
    /// `NAME=VALUE`; nil for this process's environment.
    package var environment: [String]?
    package var files: [File]
    package var group: Group
    /// Whether it begins with no signal blocked; else with those that this thread blocks.
    package var unblocksSignals: Bool

    /// `POSIX_SPAWN_SETSIGMASK` of spawn.h.
    private static let setsSignalMask: Int16 = 0x08

    package init(
        _ command: [String], environment: [String]? = nil, files: [File], group: Group = .own,
        unblocksSignals: Bool = false
    ) {
        precondition(!command.isEmpty, "no command")
        (self.command, self.environment, self.files) = (command, environment, files)
        (self.group, self.unblocksSignals) = (group, unblocksSignals)
    }

    /// Starts it, and returns 0 or the error number, and the number of the process.
    package func start() -> (code: Int32, process: Int32) {
        var (actions, attributes) = unsafe (posix_spawn_file_actions_t(), posix_spawnattr_t())
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        for file in files {
            unsafe posix_spawn_file_actions_addopen(
                &actions, file.descriptor, file.path, file.flags, mode_t(file.mode))
        }
        if unblocksSignals {
            var none = POSIX.set(of: [])
            unsafe posix_spawnattr_setsigmask(&attributes, &none)
        }
        unsafe posix_spawnattr_setflags(&attributes, group.rawValue | (unblocksSignals ? Self.setsSignalMask : 0))
        var process = Int32(0)
        let code = unsafe Self.withPointers(command) { words in
            guard let environment else {
                return unsafe posix_spawnp(&process, command[0], &actions, &attributes, words, environ)
            }
            return unsafe Self.withPointers(environment) {
                unsafe posix_spawnp(&process, command[0], &actions, &attributes, words, $0)
            }
        }
        return (code, process)
    }

    private static func withPointers(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
    ) -> Int32 {
        let copies = unsafe texts.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe body(copies + [nil])
    }
}
