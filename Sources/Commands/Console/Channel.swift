import Failures
import Foundation
import SystemCalls

/// One of the two places a command writes to: data goes to standard output, messages to standard error.
///
/// Nothing is buffered, so the two keep their order where both are one file, and nothing is left to write at the end.
struct Channel: Sendable {
    let descriptor: Int32

    static let output = Channel(descriptor: STDOUT_FILENO)
    static let messages = Channel(descriptor: STDERR_FILENO)

    /// Writes all of a text, in as many pieces as the system takes it.
    func write(_ text: String) throws(OutputError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = POSIX.write(descriptor, rest.span)
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count == 0 {
                throw OutputError(reason: EIO)
            } else if errno == EAGAIN {
                waitForRoom()
            } else if errno != EINTR {
                throw OutputError(reason: errno)
            }
        }
    }

    /// Closes the channel: some file systems report a full disk only then.
    func close() throws(OutputError) {
        if Foundation.close(descriptor) != 0, errno != EINTR { throw OutputError(reason: errno) }
    }

    /// Waits until a non-blocking descriptor can be written again.
    private func waitForRoom() {
        POSIX.waitUntilWritable(descriptor, milliseconds: 1000)
    }

    /// Makes writes report their failures, and opens the standard channels that the caller closed.
    ///
    /// A file opened later would get their numbers, and output would be written into it. They are opened the wrong way
    /// round, so that reading and writing them fails as it does for a closed one.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        // A file-size limit reaches the store as "full".
        signal(SIGXFSZ, SIG_IGN)
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) == -1 {
            _ = POSIX.open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}

/// Standard output did not take what a command wrote.
struct OutputError: Diagnostic, Hashable {
    /// The system's number for the reason.
    var reason: Int32

    /// Whether the reader of a pipe has closed it, as `head` does; no error is shown then.
    var isClosedPipe: Bool { reason == EPIPE }

    var summary: String {
        "standard output cannot be written: \(POSIX.message(reason)); what it holds is incomplete"
    }
    var hint: String? { "send the output to another place and give the same command again" }
    var category: FailureCategory { .machine }
}

extension Process {
    /// What the process prints goes where this one's messages go.
    func sendOutputToMessages() { standardOutput = FileHandle.standardError }
}
