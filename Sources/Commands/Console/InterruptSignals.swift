import Foundation
import Parallelism
import Synchronization
import SystemCalls

/// What signals that ask the program to end do: they end it with exit code 130, and nothing that was done is lost.
///
/// SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU (from terminals, shells and schedulers) all mean the same. A
/// command with nothing to save ends at once. One that has work in hand is asked to stop, through its `Interruption`,
/// and ends after two seconds even where it has not stopped, unless it is saving a state that takes longer. SIGINT and
/// SIGTERM that come again end it at once. SIGHUP that `nohup` ignored stays ignored.
final class InterruptSignals: Sendable {
    private struct State {
        var interruption: Interruption?
        var isRequested = false
        /// Whether a signal is just ending the process.
        var isEnding = false
        /// Whether the work in hand is waited for, however long it takes.
        var isPatient = false
        /// Whether further signals change nothing: whoever sends them ends the process in another way at last.
        var isSteady = false
        /// Signals that someone else answers for this process.
        var ignored: Set<Int32> = []
        /// Removes what a process that ends at once would leave behind.
        var cleanUp: (@Sendable () -> Void)?
    }

    private static let state = Mutex(State())
    private static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU]

    /// How long work in hand may take to stop.
    private static let timeout = 1.7

    /// Takes the signals over, on a thread of its own. Called before any other thread is made, which would take them.
    static func begin() {
        let taken = numbers.filter { !($0 == SIGHUP && POSIX.isIgnored($0)) }
        POSIX.block(taken)
        Thread.detachNewThread {
            while true {
                if let number = POSIX.wait(forSignals: taken) { handle(number) }
            }
        }
    }

    /// Asks the work of a command to stop at a signal, until ``stop()``.
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

    /// Whether the work in hand is waited for, as a step of training is: what it computed would be lost.
    func wait(_ isNeeded: Bool) { Self.state.withLock { $0.isPatient = isNeeded } }

    /// Goes on saving however many signals come, as a scheduler sends them one after the other.
    func stayThroughRepeatedSignals() { Self.state.withLock { $0.isSteady = true } }

    /// Leaves the signals that a terminal or a scheduler sends to a whole group of processes to the one that leads it.
    func leaveToParent() { Self.state.withLock { $0.ignored = Set(Self.numbers) } }

    /// Asks the work in hand to stop.
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

    /// Waits for ever where a signal is just ending the process: what fails meanwhile is not what ended it.
    static func yieldToEnd() {
        while state.withLock(\.isEnding) { Thread.sleep(forTimeInterval: 1) }
    }

    private static func end() -> Never {
        state.withLock { $0.isEnding = true }
        OpenStores.shared.closeAll(within: 1)
        state.withLock(\.cleanUp)?()
        _exit(130)
    }
}
