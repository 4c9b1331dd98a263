import Foundation
import SystemCalls

/// Moves files by `rename(2)`, with the check that a network file system needs.
///
/// NFS may lose the reply to a rename that succeeded; the repeated request then fails with "no such file". So after
/// this error the target is looked for, under a name that no other process uses.
package struct FileMover: Sendable {
    /// Renames, and returns 0 or an error number.
    var rename: @Sendable (_ from: String, _ to: String) -> Int32

    package init(rename: @escaping @Sendable (_ from: String, _ to: String) -> Int32) { self.rename = rename }

    package static let system = FileMover { from, to in POSIX.rename(from, to) == 0 ? 0 : errno }

    /// Moves a file to a name that only this process gives.
    ///
    /// - Returns: Whether the file is now there by this call; false where another process took it first.
    func move(_ from: String, to own: String) throws(QueueError) -> Bool {
        switch rename(from, own) {
        case 0: return true
        // Opened, not only looked up: an NFS client then asks the server and not its cache.
        case ENOENT, ESTALE: return Self.isThere(own)
        case let code: throw QueueError(from, code)
        }
    }

    static func isThere(_ path: String) -> Bool {
        let descriptor = POSIX.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
