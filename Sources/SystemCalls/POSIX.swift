import Foundation

/// The system's calls as Swift functions that take and return values, never pointers.
///
/// They have the names and the results of their manual pages: where a call fails it returns −1, or nil, and `errno`
/// says why. All other modules call the system through them, so that nothing above is unsafe.
package enum POSIX {
    /// The system's words for an error number: `strerror(3)`.
    package static func message(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

    /// The system's words for `errno`.
    package static var lastMessage: String { message(errno) }
}

// MARK: Names of files

extension POSIX {
    /// `rename(2)`.
    package static func rename(_ old: String, _ new: String) -> Int32 { unsafe Foundation.rename(old, new) }

    /// `unlink(2)`.
    @discardableResult
    package static func unlink(_ path: String) -> Int32 { unsafe Foundation.unlink(path) }

    /// `unlinkat(2)`: a name in an open folder.
    package static func unlinkat(_ folder: Int32, _ name: String, _ flags: Int32) -> Int32 {
        unsafe Foundation.unlinkat(folder, name, flags)
    }

    /// `mkdir(2)`.
    package static func mkdir(_ path: String, _ mode: UInt32) -> Int32 { unsafe Foundation.mkdir(path, mode_t(mode)) }

    /// `chmod(2)`.
    @discardableResult
    package static func chmod(_ path: String, _ mode: UInt32) -> Int32 { unsafe Foundation.chmod(path, mode_t(mode)) }

    /// `access(2)`.
    package static func access(_ path: String, _ mode: Int32) -> Int32 { unsafe Foundation.access(path, mode) }

    /// `utimes(2)` without times: the file was changed now.
    @discardableResult
    package static func touch(_ path: String) -> Int32 { unsafe utimes(path, nil) }

    /// Whether `fnmatch(3)` without flags finds that a name matches a pattern.
    package static func matches(_ pattern: String, _ name: String) -> Bool { unsafe fnmatch(pattern, name, 0) == 0 }

    /// Whether the working folder is still there: `getcwd(3)` fails where it was deleted.
    package static var hasWorkingFolder: Bool {
        guard let path = unsafe getcwd(nil, 0) else { return false }
        unsafe free(path)
        return true
    }

    /// Bytes that may still be written to the file system that holds `path`: `statvfs(3)`.
    package static func availableBytes(at path: String) -> Int64? {
        var facts = statvfs()
        guard unsafe statvfs(path, &facts) == 0 else { return nil }
        return Int64(facts.f_bavail) * Int64(facts.f_frsize)
    }
}
