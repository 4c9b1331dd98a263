import Foundation
import SystemCalls

/// An unfinished file: written under a temporary name beside its final path, and renamed when it is complete.
///
/// A reader finds the old file, the new one, or none. Released before ``commit(isDurable:)``, it deletes what was
/// written; a process that is killed leaves a file with a ``TemporaryName``.
public struct PendingFile: ~Copyable {
    /// Where the file is after the commit.
    public let path: String
    /// Where the bytes are until the commit.
    public let temporary: String
    /// Open for reading and writing until the commit.
    public let descriptor: Int32
    /// Bytes written with ``write(_:)``.
    public private(set) var count = 0

    public init(at path: String) throws(FileFailure) {
        self.path = path
        temporary = TemporaryName.path(for: path)
        descriptor = POSIX.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileFailure(path: path, code: errno) }
    }

    /// Appends bytes.
    public mutating func write(_ bytes: some Collection<UInt8>) throws(FileFailure) {
        let bytes = Array(bytes)
        var written = 0
        while written < bytes.count {
            let got = POSIX.write(descriptor, bytes.span.extracting(written...))
            guard got > 0 else {
                if got < 0, errno == EINTR { continue }
                throw FileFailure(path: path, code: got < 0 ? errno : 0)
            }
            written += got
        }
        count += written
    }

    /// Renames the file to its final path.
    ///
    /// - Parameter isDurable: Whether to wait until file and name are on the disk; a caller that writes a whole folder
    ///   waits once, at the end.
    public consuming func commit(isDurable: Bool = true) throws(FileFailure) {
        guard !isDurable || fsync(descriptor) == 0, POSIX.rename(temporary, path) == 0 else {
            throw FileFailure(path: path, code: errno)
        }
        if isDurable { try Self.flushFolder(of: path) }
    }

    /// Waits until the names in the folder of `path` are on the disk.
    public static func flushFolder(of path: String) throws(FileFailure) {
        let name = (path as NSString).deletingLastPathComponent
        let folder = POSIX.open(name.isEmpty ? "." : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }  // a folder that may be written but not read
        defer { close(folder) }
        guard fsync(folder) == 0 || errno == EINVAL else { throw FileFailure(path: path, code: errno) }
    }

    /// Writes a whole file, or leaves what is at `path` as it is.
    public static func write(_ bytes: some Collection<UInt8>, to path: String, isDurable: Bool = true)
        throws(FileFailure)
    {
        var file = try PendingFile(at: path)
        try file.write(bytes)
        try file.commit(isDurable: isDurable)
    }

    /// Writes a whole text as UTF-8, or leaves what is at `path` as it is.
    public static func write(_ text: String, to path: String, isDurable: Bool = true) throws(FileFailure) {
        try write(Array(text.utf8), to: path, isDurable: isDurable)
    }

    deinit {
        close(descriptor)
        POSIX.unlink(temporary)  // gone already after a commit
    }
}
