import Foundation

/// What `stat(2)` says of a file.
package struct FileFacts: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case file, folder
        /// A symbolic link that was not followed, or a special file.
        case other
    }

    package var kind: Kind
    package var bytes: Int
    /// When the content was changed: seconds since 1970, and the nanoseconds beyond them.
    package var seconds: Int
    package var nanoseconds: Int
    /// The file itself, under whatever names: its device, and its number there.
    package var device: UInt64
    package var number: UInt64

    /// The file at a path, behind symbolic links; nil with the reason in `errno`.
    package init?(at path: String) {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return nil }
        self.init(facts)
    }

    /// An open file.
    package init?(of descriptor: Int32) {
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else { return nil }
        self.init(facts)
    }

    /// What has a name in an open folder; a symbolic link is not followed.
    package init?(of name: String, in folder: Int32) {
        var facts = stat()
        guard unsafe fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        self.init(facts)
    }

    private init(_ facts: stat) {
        kind =
            switch facts.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        bytes = Int(facts.st_size)
        (seconds, nanoseconds) = (Int(facts.st_mtim.tv_sec), Int(facts.st_mtim.tv_nsec))
        (device, number) = (UInt64(facts.st_dev), UInt64(facts.st_ino))
    }
}

extension POSIX {
    /// Whether there is a folder at a path, behind symbolic links.
    package static func isFolder(_ path: String) -> Bool { FileFacts(at: path)?.kind == .folder }
}
