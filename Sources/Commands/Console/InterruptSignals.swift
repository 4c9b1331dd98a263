import Foundation
import Parallelism
import Synchronization
import SystemCalls

/// Handles the signals that end the program: with exit code 130, after what was done is saved.
///
/// SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU (from terminals, shells and schedulers) are handled alike. A
/// command with nothing to save ends at once. A command that works is requested to stop, through its `Interruption`,
/// and ends after two seconds even where it has not stopped, unless it is saving a state that takes longer. A second
/// SIGINT or SIGTERM ends it at once. SIGHUP that `nohup` ignored stays ignored.
final class InterruptSignals: Sendable {
    private struct State {
        var interruption: Interruption?
        var isRequested = false
        /// Whether a signal is just ending the process.
        var isEnding = false
        /// Whether the process waits for the current work, however long it takes.
        var isPatient = false
        /// Whether further signals are ignored: a scheduler that sends several ends the process by SIGKILL at last.
        var isSteady = false
        /// Signals that another process handles.
        var ignored: Set<Int32> = []
        /// Removes what a process that ends at once would leave behind.
        var cleanUp: (@Sendable () -> Void)?
    }

    private static let state = Mutex(State())
    private static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU]

    /// How long the current work may take to stop, in s.
    private static let timeout = 1.7

    /// Starts the thread that handles the signals. To be called before any other thread starts, which would receive
    /// them.
    static func begin() {
        let taken = numbers.filter { !($0 == SIGHUP && POSIX.isIgnored($0)) }
        POSIX.block(taken)
        Thread.detachNewThread {
            // With no descriptor left, nothing else will work either.
            guard let queue = SignalQueue(of: taken) else { return }
            while true {
                if let number = queue.next() { handle(number) }
            }
        }
    }

    /// Requests the interruption of a command's work at a signal, until ``stop()``.
    ///
    /// - Parameter cleanUp: Removes temporary files, where the work does not stop in time and the process ends without
    ///   it.
    init(_ interruption: Interruption, cleanUp: (@Sendable () -> Void)? = nil) {
        Self.state.withLock { ($0.interruption, $0.cleanUp) = (interruption, cleanUp) }
    }

    /// Removes a folder of a command's own before a signal ends the process.
    init(removing folder: String) {
        Self.state.withLock { $0.cleanUp = { try? FileManager.default.removeItem(atPath: folder) } }
    }

    func stop() { Self.state.withLock { ($0.interruption, $0.cleanUp, $0.isPatient) = (nil, nil, false) } }

    /// Sets whether the process waits for the current work, such as a training step, whose result would be lost.
    func wait(_ isNeeded: Bool) { Self.state.withLock { $0.isPatient = isNeeded } }

    /// Ignores all signals after the first: a scheduler sends several, one after the other.
    func ignoreRepeatedSignals() { Self.state.withLock { $0.isSteady = true } }

    /// Ignores signals, which a terminal or a scheduler sends to a whole group of processes: the leading process
    /// handles them.
    func ignoreSignals() { Self.state.withLock { $0.ignored = Set(Self.numbers) } }

    /// Requests that the current work stops, and ends the process after the timeout.
    static func request() {
        state.withLock { state in
            state.isRequested = true
            state.interruption?.request()
        }
        Thread.detachNewThread {
            repeat { Thread.sleep(forTimeInterval: timeout) } while state.withLock(\.isPatient)
            end()
        }
    }

    private static func handle(_ number: Int32) {
        let known = state.withLock { $0 }
        if known.ignored.contains(number) { return }
        guard known.interruption != nil else { end() }
        if known.isRequested {
            if !known.isSteady, number == SIGINT || number == SIGTERM { end() }
            return
        }
        printError("\nstopping; what was done is kept. Ctrl-C once more stops at once")
        request()
    }

    /// Blocks where a signal is just ending the process, so that an error that follows from this is not reported.
    static func blockIfEnding() {
        while state.withLock(\.isEnding) { Thread.sleep(forTimeInterval: 1) }
    }

    private static func end() -> Never {
        state.withLock { $0.isEnding = true }
        OpenStores.shared.closeAll(within: 1)
        state.withLock(\.cleanUp)?()
        _exit(130)
    }
}
