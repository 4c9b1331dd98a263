import CSignals
import Glibc

/// Signals that the process has blocked, one after the other: `signalfd(2)`.
///
/// A thread in `sigwait(3)` would also receive the signals by which the Swift runtime stops all threads in a crash.
package struct SignalQueue: ~Copyable {
    private let descriptor: Int32

    /// - Parameter signals: Blocked in all threads.
    /// - Returns: `nil` where the process may open no more files.
    package init?(of signals: [Int32]) {
        var set = POSIX.set(of: signals)
        let opened = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC))
        guard opened >= 0 else { return nil }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Waits for the next signal; `nil` where the wait was interrupted.
    package func next() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return unsafe Glibc.read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
    }
}
